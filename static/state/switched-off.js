/** Which mode a visitor wanted that is switched off; the gateway says so with a cookie. */

const COOKIE = 'switched_off';

/**
 * It is told once.
 * @param {{cookie: string}} document @returns {?string} id of the mode
 */
export function takeSwitchedOff(document) {
  const [, id = null] = document.cookie.match(new RegExp(`(?:^|; )${COOKIE}=(\\w+)`)) ?? [];
  if (id !== null) document.cookie = `${COOKIE}=; path=/; max-age=0`;
  return id;
}
