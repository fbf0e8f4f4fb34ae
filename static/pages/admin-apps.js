/** The modes of the service, each with a switch. */

import { t } from '../i18n/index.js';
import { switchApp } from '../net/admin-api.js';
import { appNameKey } from '../ui/apps.js';
import { element } from '../ui/dom.js';

export class AdminApps {
  #container = document.getElementById('app-switches');
  #changes;
  #switches = new Map();

  constructor({ poller, changes }) {
    this.#changes = changes;
    poller.on('apps', (apps) => this.#show(apps));
  }

  #show(apps) {
    for (const app of apps) {
      if (!this.#switches.has(app.app_id)) this.#add(app);
      this.#switches.get(app.app_id).checked = app.enabled;
    }
  }

  #add({ app_id: id, name, route }) {
    const key = appNameKey(id);
    const input = element('input', {
      type: 'checkbox',
      role: 'switch',
      id: `app-${id}`,
      'aria-describedby': `app-${id}-route`,
      onchange: () => this.#switch(id, key === null ? name : t(key)),
    });
    const title = key === null ? { text: name } : { i18n: key };
    const label = element('label', { for: input.id, ...title });
    const help = element('p', { class: 'help', id: `app-${id}-route`, text: route });
    this.#switches.set(id, input);
    this.#container.append(element('div', { class: 'field switch-field' }, input, label, help));
  }

  async #switch(id, name) {
    const input = this.#switches.get(id);
    const enabled = input.checked;
    const key = enabled ? 'admin.app_on' : 'admin.app_off';
    const made = await this.#changes.make(
      () => switchApp(id, enabled),
      () => ({ key, params: { name } }),
    );
    if (!made) input.checked = !enabled;
  }
}
