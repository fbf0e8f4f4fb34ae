/** Signing in to a service that asks for a key. */

import { getJson, sendJson } from './http.js';

const URL = '/api/login';
const NOT_FOUND = 404;
const OPEN = { required: false, signedIn: true, admin: true };

/** @returns {Promise<{required: boolean, signedIn: boolean, admin: boolean}>} @throws {Failure} */
export async function loadLogin({ fetch = globalThis.fetch } = {}) {
  let isMissing = false;
  const look = async (...request) => {
    const response = await fetch(...request);
    isMissing = response.status === NOT_FOUND; // a service without keys
    return response;
  };
  try {
    const { required, signed_in: signedIn, admin } = await getJson(URL, { fetch: look });
    return { required, signedIn, admin };
  } catch (error) {
    if (isMissing) return OPEN;
    throw error;
  }
}

/**
 * The browser keeps a cookie.
 * @param {string} token @returns {Promise<boolean>} whether it was the right one @throws {Failure}
 */
export async function signIn(token, options) {
  try {
    await sendJson('POST', URL, { token }, options);
    return true;
  } catch (error) {
    if (error.code === 'unauthorized') return false;
    throw error;
  }
}
