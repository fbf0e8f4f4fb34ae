/** What one may see and change on the dashboard, as far as the service lets one. */

const REFUSALS = new Set(['unauthorized', 'origin_forbidden', 'forbidden']);

/** @param {import('./failure.js').Failure} failure */
export function isRefusal(failure) {
  return REFUSALS.has(failure.code);
}

export class AdminAccess {
  #login = null;
  refusal = null;

  /** @param {{signedIn: boolean, admin: boolean}} login */
  adopt(login) {
    this.#login = login;
  }

  /** A change was refused: from now on one only looks. */
  refuse(failure) {
    this.refusal = failure;
  }

  /** One may try to change something again. */
  retry() {
    this.refusal = null;
  }

  get mayRead() {
    return this.#login?.admin === true;
  }

  get isSignedIn() {
    return this.#login?.signedIn === true;
  }

  /** @returns {'unknown' | 'signed_out' | 'key_only' | 'refused' | 'full'} */
  get state() {
    if (this.#login === null) return 'unknown';
    if (!this.mayRead) return this.isSignedIn ? 'key_only' : 'signed_out';
    return this.refusal === null ? 'full' : 'refused';
  }
}
