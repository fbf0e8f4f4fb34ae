/** Who is looking: signing in and out, and saying why nothing can be changed. */

import { localize } from '../i18n/index.js';
import { Emitter } from '../lib/emitter.js';
import { asFailure } from '../lib/failure.js';
import { signOut } from '../net/admin-api.js';
import { signIn } from '../net/login-api.js';
import { setText } from '../ui/set-text.js';

const byId = (id) => document.getElementById(id);

/** Event: `read` with whether everything may be read, when that changed. */
export class AdminAccessPanel extends Emitter {
  #access;
  #poller;
  #toaster;
  #token = byId('token');
  #error = byId('sign-in-error');

  /** @param {{access: import('../lib/admin-access.js').AdminAccess}} options */
  constructor({ access, poller, toaster }) {
    super();
    this.#access = access;
    this.#poller = poller;
    this.#toaster = toaster;
    poller.on('login', (login) => this.#adopt(login));
    byId('sign-in').addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#signIn();
    });
    byId('sign-out').addEventListener('click', () => this.#signOut());
    byId('allow-changes').addEventListener('click', () => this.#allowChanges());
  }

  /** A change was refused. */
  refuse(failure) {
    this.#access.refuse(failure);
    this.show();
    byId('access').scrollIntoView({ block: 'nearest' });
    void this.#poller.hurry(['login']);
  }

  #adopt(login) {
    const couldRead = this.#access.mayRead;
    this.#access.adopt(login);
    this.show();
    if (this.#access.mayRead !== couldRead) this.emit('read', this.#access.mayRead);
  }

  /** Brings the page up to what may be done on it. */
  show() {
    const { state, isSignedIn, refusal } = this.#access;
    byId('main').dataset.access = state;
    for (const fields of document.querySelectorAll('[data-writing]')) {
      fields.disabled = state !== 'full';
    }
    byId('sign-out').hidden = !isSignedIn;
    byId('sign-in').hidden = this.#access.mayRead;
    byId('allow-changes').hidden = state !== 'refused';
    byId('access').hidden = state === 'full' || state === 'unknown';
    if (byId('access').hidden) return;
    localize(byId('access-title'), `admin.access.${state}_title`);
    localize(byId('access-text'), `admin.access.${state}_text`, { detail: refusal?.detail ?? '' });
  }

  #allowChanges() {
    this.#access.retry();
    this.show();
    byId('main').focus();
  }

  async #signIn() {
    setText(this.#error, '');
    try {
      const isRight = await this.#poller.during(() => signIn(this.#token.value.trim()));
      if (isRight) this.#signedIn();
      else this.#tellWrong();
    } catch (error) {
      this.#toaster.failure(asFailure(error));
    }
  }

  #signedIn() {
    this.#token.value = '';
    this.#access.retry();
    byId('main').focus(); // the form goes
  }

  #tellWrong() {
    setText(this.#error, { i18n: 'admin.access.wrong' });
    this.#token.select();
  }

  async #signOut() {
    try {
      await this.#poller.during(signOut);
      this.#toaster.news('admin.signed_out_done');
      byId('main').focus(); // the button goes
    } catch (error) {
      this.#toaster.failure(asFailure(error));
    }
  }
}
