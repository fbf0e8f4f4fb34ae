/** The one request of a `/ws/chat` socket. */

const SLICES_PLAIN = 1;
const SLICES_DETAILED = 2;

/**
 * @param {{items: object[], answer: string}[]} turns the last one is being asked
 * @param {{system_prompt: string, streaming: boolean, speak: boolean, max_new_tokens: number,
 *          length_penalty: number, detailed_images: boolean}} settings
 * @param {{voice?: ?string, record?: boolean}} [options] what a spoken answer sounds like, base64 of
 *        16 kHz samples, null for the voice of the service; and whether the service may record
 */
export function buildChatRequest(turns, settings, { voice = null, record = false } = {}) {
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
    record,
    ...(settings.speak ? speechFields(voice) : {}),
  };
}

function speechFields(voice) {
  const tts = { enabled: true, mode: 'audio_assistant' };
  if (voice !== null) tts.ref_audio_data = voice;
  return { tts, use_tts_template: true };
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
