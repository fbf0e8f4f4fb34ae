/** The one request of a `/ws/chat` socket. */

const SLICES_PLAIN = 1;
const SLICES_DETAILED = 2;

/**
 * @param {{items: object[], answer: string}[]} turns the last one is being asked
 * @param {{system_prompt: string, streaming: boolean, max_new_tokens: number,
 *          length_penalty: number, detailed_images: boolean}} settings
 */
export function buildChatRequest(turns, settings) {
  return {
    messages: [...systemMessages(settings.system_prompt), ...turns.flatMap(turnMessages)],
    streaming: settings.streaming,
    generation: {
      max_new_tokens: settings.max_new_tokens,
      do_sample: true,
      length_penalty: settings.length_penalty,
    },
    image: { max_slice_nums: settings.detailed_images ? SLICES_DETAILED : SLICES_PLAIN },
    omni_mode: false,
  };
}

function systemMessages(prompt) {
  const text = prompt.trim();
  return text === '' ? [] : [{ role: 'system', content: text }];
}

function turnMessages({ items, answer }, index, turns) {
  const question = { role: 'user', content: wireContent(items) };
  if (index === turns.length - 1) return [question];
  return [question, { role: 'assistant', content: answer }];
}

function wireContent(items) {
  if (items.every((item) => item.type === 'text')) {
    return items.map((item) => item.text).join('\n');
  }
  return items.map((item) =>
    item.type === 'text'
      ? { type: 'text', text: item.text }
      : { type: item.type, data: item.data },
  );
}
