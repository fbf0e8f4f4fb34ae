/**
 * Copies text; plain HTTP pages have no clipboard object, so there a hidden field is copied.
 * @returns {Promise<boolean>} whether it worked
 */
export async function copyText(text, { navigator, document } = globalThis) {
  if (navigator.clipboard) {
    return navigator.clipboard.writeText(text).then(() => true, () => false);
  }
  const field = document.createElement('textarea');
  field.value = text;
  field.className = 'visually-hidden';
  document.body.append(field);
  field.select();
  const copied = document.execCommand('copy');
  field.remove();
  return copied;
}
