/** Shows what to say to a model that understands little; others have no examples. */

/**
 * @param {{defaults: Promise<object>}} shell
 * @param {string} app
 * @param {HTMLElement} before what the list is put behind
 * @param {?(sentence: string) => void} onChoose as in ui/example-list.js
 * @returns {Promise<boolean>} whether there are some
 */
export async function showExamples({ defaults }, app, before, onChoose = null) {
  const sentences = (await defaults).examples?.[app];
  if (sentences === undefined) return false;
  const list = await import('../ui/example-list.js').catch(() => null); // out of reach
  if (list === null) return false;
  before.after(list.exampleList(sentences, onChoose));
  return true;
}
