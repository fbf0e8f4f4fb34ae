/** English words of the list of shared recordings; recent-zh.js has the same keys. */
export default {
  'recent.title': 'What you have shared',
  'recent.clear': 'Clear the list',
  'recent.help': 'This browser remembers the links. Clearing the list deletes no recording.',
};
