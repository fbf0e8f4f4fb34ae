/** Ties form fields to a settings store by their names; what is out of range is marked. */

/**
 * @param {HTMLFormElement} form
 * @param {import('../state/settings.js').SettingsStore} store
 */
export function bindSettingsForm(form, store) {
  const inputs = store.fields.map(({ key }) => form.elements.namedItem(key));
  for (const input of inputs) {
    input.addEventListener('input', () => {
      const accepted = store.set(input.name, readInput(input));
      input.setAttribute('aria-invalid', String(!accepted));
    });
    input.addEventListener('blur', () => {
      if (input.getAttribute('aria-invalid') === 'true') writeInput(input, store.values);
    });
  }
  const show = (values) => {
    for (const input of inputs) {
      if (input !== form.ownerDocument.activeElement) writeInput(input, values);
      writeOutput(form, input, values);
    }
  };
  store.on('change', show);
  show(store.values);
}

function readInput(input) {
  if (input.type === 'checkbox') return input.checked;
  return ['number', 'range'].includes(input.type) ? input.valueAsNumber : input.value;
}

function writeInput(input, values) {
  if (input.type === 'checkbox') input.checked = values[input.name];
  else input.value = String(values[input.name]);
  input.setAttribute('aria-invalid', 'false');
}

function writeOutput(form, input, values) {
  const output = form.querySelector(`output[for="${input.id}"]`);
  if (output !== null) output.value = String(values[input.name]);
}
