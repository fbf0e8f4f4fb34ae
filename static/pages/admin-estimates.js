/** How long requests are expected to take. */

import { saveEstimates } from '../net/admin-api.js';
import { EstimatesForm } from '../ui/estimates-form.js';

export class AdminEstimates {
  #form = new EstimatesForm(document.getElementById('estimates-form'));
  #changes;

  constructor({ poller, changes }) {
    this.#changes = changes;
    poller.on('estimates', (status) => this.#form.show(status));
    this.#form.on('save', (values) => this.#save(values));
  }

  async #save(values) {
    const made = await this.#changes.make(
      () => saveEstimates(values),
      () => ({ key: 'admin.estimates_saved' }),
    );
    if (made) this.#form.saved(values);
  }
}
