/** Changes to the service: asked about where they hurt somebody, and told about afterwards. */

import { isRefusal } from '../lib/admin-access.js';
import { asFailure } from '../lib/failure.js';
import { confirmInDialog } from '../ui/dialog.js';

export class AdminChanges {
  #poller;
  #toaster;
  #onRefused;

  /** @param {{onRefused: (failure: import('../lib/failure.js').Failure) => void}} options */
  constructor({ poller, toaster, onRefused }) {
    this.#poller = poller;
    this.#toaster = toaster;
    this.#onRefused = onRefused;
  }

  /**
   * Makes a change that hurts somebody, once the operator has agreed.
   * @param {string} name of the dictionary entries admin.ask.<name>.title, .text, .confirm, .done
   * @param {() => Promise<?object>} run @param {object} params of these entries
   */
  async ask(name, run, params) {
    const entries = `admin.ask.${name}`;
    const question = { textKey: `${entries}.text`, confirmKey: `${entries}.confirm`, params };
    if (!(await confirmInDialog({ ...question, titleKey: `${entries}.title` }))) return;
    await this.make(run, () => ({ key: `${entries}.done`, params }));
  }

  /**
   * @template Answer
   * @param {() => Promise<Answer>} run
   * @param {(answer: Answer) => {key: string, params?: object}} tell what to say after it
   * @returns {Promise<boolean>} whether the service agreed
   */
  async make(run, tell) {
    try {
      const answer = await this.#poller.during(run);
      const { key, params } = answer?.success === false ? { key: 'admin.gone' } : tell(answer);
      this.#toaster.news(key, params);
      return true;
    } catch (error) {
      const failure = asFailure(error);
      if (isRefusal(failure)) this.#onRefused(failure);
      else this.#toaster.failure(failure);
      return false;
    }
  }
}
