/** English words for taking along what was said; export-zh.js has the same keys. */
export default {
  'export.title': 'Take along what was said',
  'export.copy': 'Copy the words',
  'export.save': 'Save as {format}',
  'export.untold': 'spoken, not written down',
  'export.interrupted': 'interrupted',
};
