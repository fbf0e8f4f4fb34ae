import { describe, expect, it } from 'vitest';

import { Conversation } from '../../static/lib/conversation.js';
import { HOLD_MS, PressToTalk } from '../../static/lib/press-to-talk.js';
import { buildChatRequest } from '../../static/lib/request-builder.js';

const text = (words) => ({ type: 'text', text: words });
const image = { type: 'image', data: 'aW1n', name: 'a.png', url: 'blob:1', width: 3, height: 2 };
const audio = { type: 'audio', data: 'c25k', name: 'b.wav', url: 'blob:2', durationS: 1 };
const settings = {
  streaming: true,
  speak: false,
  max_new_tokens: 64,
  length_penalty: 1.2,
  detailed_images: false,
};

function answered(items, answer) {
  return { items, answer };
}

describe('a conversation', () => {
  it('puts files before text', () => {
    const turn = new Conversation().ask([text('what?'), image, audio]);
    expect(turn.items.map((item) => item.type)).toEqual(['image', 'audio', 'text']);
  });

  it('leaves out earlier turns that got no answer, and keeps partial ones', () => {
    const conversation = new Conversation();
    conversation.ask([text('fails')]);
    conversation.ask([text('is stopped')]);
    conversation.last.answer = 'half an';
    conversation.ask([text('now')]);
    const asked = conversation.turnsForRequest().map((turn) => turn.items[0].text);
    expect(asked).toEqual(['is stopped', 'now']);
  });

  it('forgets only the last answer to ask again', () => {
    const conversation = new Conversation();
    conversation.ask([text('a')]).answer = 'A';
    conversation.ask([text('b')]).answer = 'B';
    expect(conversation.askAgain()).toBe(conversation.last);
    expect(conversation.turns.map((turn) => turn.answer)).toEqual(['A', '']);
  });

  it('forgets what came later when an earlier turn is asked again', () => {
    const conversation = new Conversation();
    const first = conversation.ask([text('a')]);
    conversation.ask([text('b')]);
    conversation.askAgain(first);
    expect(conversation.turns).toEqual([first]);
  });

  it.each([
    ['the first words', [text('  Why is\n the sky blue? ')], 'Why is the sky blue?'],
    ['the name of a file where there are none', [image], 'a.png'],
    ['no more than fits a line', [text('word '.repeat(40))], `${'word '.repeat(11)}word…`],
  ])('is called by %s', (_, items, title) => {
    const conversation = new Conversation();
    expect(conversation.title).toBe('');
    conversation.ask(items);
    expect(conversation.title).toBe(title);
  });
});

describe('a request', () => {
  const messages = (items) => buildChatRequest([answered(items, '')], settings).messages;

  it('sends text alone as a plain string', () => {
    expect(messages([text('hello')])).toEqual([{ role: 'user', content: 'hello' }]);
  });

  it.each([
    ['a picture', [image], [{ type: 'image', data: 'aW1n' }]],
    ['sound', [audio], [{ type: 'audio', data: 'c25k' }]],
    [
      'everything',
      [image, audio, text('?')],
      [{ type: 'image', data: 'aW1n' }, { type: 'audio', data: 'c25k' }, text('?')],
    ],
  ])('sends %s as items with nothing but what the wire needs', (_, items, content) => {
    expect(messages(items)).toEqual([{ role: 'user', content }]);
  });

  it('carries the earlier turns and the system prompt', () => {
    const turns = [answered([text('a')], 'A'), answered([text('b')], '')];
    const request = buildChatRequest(turns, settings, { content: [text('Be brief.')] });
    expect(request.messages).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'a' },
      { role: 'assistant', content: 'A' },
      { role: 'user', content: 'b' },
    ]);
  });

  it('tells the model texts and voices in their order', () => {
    const content = [text('Take this voice:'), audio, text('Be brief.')];
    const request = buildChatRequest([answered([text('a')], '')], settings, { content });
    expect(request.messages[0]).toEqual({
      role: 'system',
      content: [text('Take this voice:'), { type: 'audio', data: 'c25k' }, text('Be brief.')],
    });
  });

  it('does not send the answer that is to be replaced', () => {
    const request = buildChatRequest([answered([text('a')], 'old')], settings);
    expect(request.messages).toEqual([{ role: 'user', content: 'a' }]);
  });

  it('asks for speech only when it is to be spoken, in the voice that was chosen', () => {
    const asking = (speak, voice) =>
      buildChatRequest([answered([text('a')], '')], { ...settings, speak }, { voice });
    const tts = { enabled: true, mode: 'audio_assistant' };
    expect(Object.keys(asking(false, 'AAAA'))).not.toContain('tts');
    expect(asking(true, null)).toMatchObject({ tts, use_tts_template: true });
    expect(asking(true, null).tts).toEqual(tts);
    expect(asking(true, 'AAAA').tts).toEqual({ ...tts, ref_audio_data: 'AAAA' });
  });

  it('with a video looks at each of its pictures once, and is spoken as a call would be', () => {
    const video = { type: 'video', data: 'dmlk', name: 'c.webm', url: 'blob:3' };
    const chosen = { ...settings, detailed_images: true, speak: true };
    const request = buildChatRequest([answered([video], '')], chosen);
    expect(request).toMatchObject({ omni_mode: true, image: { max_slice_nums: 1 } });
    expect(request.tts.mode).toBe('omni');
  });

  it('carries the settings', () => {
    const request = buildChatRequest([answered([text('a')], '')], {
      ...settings,
      streaming: false,
      detailed_images: true,
    });
    expect(request).toEqual({
      messages: [{ role: 'user', content: 'a' }],
      streaming: false,
      generation: { max_new_tokens: 64, do_sample: true, length_penalty: 1.2 },
      image: { max_slice_nums: 2 },
      omni_mode: false,
      record: false,
    });
  });
});

describe('press to talk', () => {
  it('stops on release when it was held', () => {
    const press = new PressToTalk();
    expect(press.press(0)).toBe('start');
    expect(press.release(HOLD_MS)).toBe('stop');
  });

  it('runs on after a short tap, until the next press', () => {
    const press = new PressToTalk();
    press.press(0);
    expect(press.release(HOLD_MS - 1)).toBe('keep');
    expect(press.press(5000)).toBe('stop');
    expect(press.release(5010)).toBe('keep');
  });

  it('starts anew after the recording ended by itself', () => {
    const press = new PressToTalk();
    press.press(0);
    press.reset();
    expect(press.release(HOLD_MS)).toBe('keep');
    expect(press.press(9000)).toBe('start');
  });
});
