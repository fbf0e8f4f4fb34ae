/** The one request of a `/ws/chat` socket. */

const SLICES_PLAIN = 1;
const SLICES_DETAILED = 2;

/**
 * @param {{items: object[], answer: string}[]} turns the last one is being asked
 * @param {{streaming: boolean, speak: boolean, max_new_tokens: number, length_penalty: number,
 *          detailed_images: boolean}} settings
 * @param {{content?: object[], voice?: ?string, record?: boolean}} [options] what the model is told
 *        before, as lib/system-content.js; what a spoken answer sounds like, base64 of 16 kHz
 *        samples, null for the voice of the service; and whether the service may record
 */
export function buildChatRequest(
  turns,
  settings,
  { content = [], voice = null, record = false } = {},
) {
  const hasVideo = turns.some(({ items }) => items.some(({ type }) => type === 'video'));
  const detailed = settings.detailed_images && !hasVideo; // every second of it is a picture
  return {
    messages: [...systemMessages(content), ...turns.flatMap(turnMessages)],
    streaming: settings.streaming,
    generation: {
      max_new_tokens: settings.max_new_tokens,
      do_sample: true,
      length_penalty: settings.length_penalty,
    },
    image: { max_slice_nums: detailed ? SLICES_DETAILED : SLICES_PLAIN },
    omni_mode: hasVideo,
    record,
    ...(settings.speak ? speechFields(voice, hasVideo) : {}),
  };
}

function speechFields(voice, hasVideo) {
  const tts = { enabled: true, mode: hasVideo ? 'omni' : 'audio_assistant' };
  if (voice !== null) tts.ref_audio_data = voice;
  return { tts, use_tts_template: true };
}

function systemMessages(content) {
  return content.length === 0 ? [] : [{ role: 'system', content: wireContent(content) }];
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
