/** Chinese words for taking along what was said; export-en.js has the same keys. */
export default {
  'export.title': '带走说过的话',
  'export.copy': '复制文字',
  'export.save': '保存为 {format}',
  'export.untold': '语音，没有文字记录',
  'export.interrupted': '被打断',
};
