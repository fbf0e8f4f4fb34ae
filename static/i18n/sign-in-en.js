/** English words for signing in; sign-in-zh.js has the same keys. */
export default {
  'login.title': 'This service asks for a key',
  'login.text': 'Whoever runs it can give you one. What you wrote on this page stays.',
  'login.key': 'Key',
  'login.submit': 'Sign in',
  'login.checking': 'Checking…',
  'login.wrong': 'This key is not right. Check it and try again.',
  'login.done': 'You are signed in.',
};
