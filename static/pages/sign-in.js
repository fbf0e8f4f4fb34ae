/** Signing in, on any page: when the service asks for a key, and again when it has forgotten. */

import { translator } from '../i18n/index.js';
import { access } from '../net/http.js';
import { loadLogin, signIn } from '../net/login-api.js';
import { askForKey } from '../ui/sign-in-dialog.js';
import { useStylesheet } from '../ui/stylesheet.js';

const WORDS = {
  en: () => import('../i18n/sign-in-en.js'),
  zh: () => import('../i18n/sign-in-zh.js'),
};
let asking = null; // one question at a time

/** @returns {Promise<boolean>} whether the visitor has signed in */
export function askToSignIn() {
  asking ??= ask().finally(() => {
    asking = null;
  });
  return asking;
}

/** Signs in, and then does what was refused. @param {() => void} act */
export async function signInAnd(act) {
  if (await askToSignIn()) act();
}

/** Asks at once where nothing goes without a key, and whenever the service refuses something. */
export async function watchAccess({ toaster }) {
  const offer = () => signInAnd(() => toaster.news('login.done'));
  access.on('refused', () => {
    if (asking === null) void offer(); // a wrong key is refused, too
  });
  const login = await loadLogin().catch(() => null); // the banner tells of a lost connection
  if (login?.required && !login.signedIn) await offer();
}

async function ask() {
  await Promise.all([translator.add(WORDS), useStylesheet('sign-in')]);
  return askForKey((key) => signIn(key));
}
