/**
 * Ties form fields to a settings store by their names; what is out of range is marked. A button with
 * `data-sets` and a value sets a number to it, and is pressed while it is that.
 */

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
  const buttons = [...form.querySelectorAll('button[data-sets]')];
  for (const button of buttons) {
    button.addEventListener('click', () => store.set(button.dataset.sets, Number(button.value)));
  }
  const show = (values) => {
    for (const input of inputs) {
      if (input !== form.ownerDocument.activeElement) writeInput(input, values);
      writeOutput(form, input, values);
    }
    for (const button of buttons) {
      const isSet = values[button.dataset.sets] === Number(button.value);
      button.setAttribute('aria-pressed', String(isSet));
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
