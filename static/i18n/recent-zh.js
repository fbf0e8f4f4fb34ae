/** Chinese words of the list of shared recordings; recent-en.js has the same keys. */
export default {
  'recent.title': '你分享过的录制',
  'recent.clear': '清空列表',
  'recent.help': '链接由这个浏览器记住。清空列表不会删除录制。',
};
