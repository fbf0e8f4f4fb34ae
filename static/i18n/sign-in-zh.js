/** Chinese words for signing in; sign-in-en.js has the same keys. */
export default {
  'login.title': '此服务需要密钥',
  'login.text': '请向管理员索取。你在本页写的内容都会保留。',
  'login.key': '密钥',
  'login.submit': '登录',
  'login.checking': '正在检查…',
  'login.wrong': '密钥不正确，请检查后重试。',
  'login.done': '登录成功。',
};
