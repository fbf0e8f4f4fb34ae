import { describe, expect, it } from 'vitest';

import { base64ToBytes, bytesToBase64 } from '../../static/lib/base64.js';
import { Conversation } from '../../static/lib/conversation.js';
import { fromJson, toJson, toMarkdown, toMsgpack } from '../../static/lib/export.js';
import { encodeMsgpack } from '../../static/lib/msgpack.js';
import { floatsToBytes } from '../../static/lib/pcm.js';

const hex = (value) => Buffer.from(encodeMsgpack(value)).toString('hex');
const sound = bytesToBase64(floatsToBytes(Float32Array.of(0, 0.5)));

function talk() {
  const conversation = new Conversation();
  const items = [
    { type: 'image', data: 'aW1n', mime: 'image/png', name: 'a.png', width: 3, height: 2, url: 'blob:1' },
    { type: 'audio', data: sound, mime: 'audio/wav', name: 'clip', durationS: 1, url: 'blob:2' },
    { type: 'text', text: 'What is this?' },
  ];
  Object.assign(conversation.ask(items), { answer: 'A **hill**.', state: 'complete' });
  conversation.ask([{ type: 'text', text: 'Sure?' }]);
  return conversation;
}

describe('MessagePack', () => {
  it.each([
    [null, 'c0'],
    [true, 'c3'],
    [false, 'c2'],
    [0, '00'],
    [127, '7f'],
    [-1, 'ff'],
    [-32, 'e0'],
    [128, 'd200000080'],
    [-33, 'd2ffffffdf'],
    [0.5, 'cb3fe0000000000000'],
    [2 ** 40, 'cb4270000000000000'],
    ['a', 'a161'],
    ['é', 'a2c3a9'],
    [Uint8Array.of(1, 2), 'c4020102'],
    [[1, 'a'], '9201a161'],
    [{ a: null, b: undefined }, '81a161c0'],
  ])('writes %j as %s', (value, expected) => {
    expect(hex(value)).toBe(expected);
  });

  it('tells the length of what is long', () => {
    expect(hex('x'.repeat(32)).slice(0, 4)).toBe('d920');
    expect(hex('x'.repeat(300)).slice(0, 6)).toBe('da012c');
    expect(hex('x'.repeat(70_000)).slice(0, 10)).toBe('db00011170');
    expect(hex(new Uint8Array(300)).slice(0, 6)).toBe('c5012c');
    expect(hex(Array(16).fill(0)).slice(0, 6)).toBe('dc0010');
    expect(hex(Array(70_000).fill(0)).slice(0, 10)).toBe('dd00011170');
  });

  it('refuses what it has no word for', () => {
    expect(() => encodeMsgpack(() => {})).toThrow(TypeError);
  });
});

describe('a conversation as a file', () => {
  it('can be read as Markdown, with the names of its files', () => {
    expect(toMarkdown(talk(), { you: 'You', model: 'MiniCPM-o' })).toBe(
      '# What is this?\n\n## You\n\n*[a.png]*\n\n*[clip]*\n\nWhat is this?\n\n' +
        '## MiniCPM-o\n\nA **hill**.\n\n## You\n\nSure?\n\n## MiniCPM-o\n',
    );
  });

  it('comes back from JSON, with its files; what had no answer is interrupted', () => {
    const itemOf = (facts, data) => ({ ...facts, data, url: 'blob:new' });
    const { turns } = fromJson(toJson(talk()), itemOf);
    const [image, audio, words] = talk().turns[0].items;
    const restored = [{ ...image, url: 'blob:new' }, { ...audio, url: 'blob:new' }, words];
    expect(turns[0].items).toEqual(restored);
    expect(turns.map(({ answer, state }) => [answer, state])).toEqual([
      ['A **hill**.', 'complete'],
      ['', 'interrupted'],
    ]);
  });

  it('holds bytes in MessagePack: sound as WAV, and pictures as they are', () => {
    const packed = Buffer.from(toMsgpack(talk(), ({ data }) => base64ToBytes(data)));
    expect(packed.includes('RIFF')).toBe(true);
    expect(packed.includes(Buffer.from([0xc4, 3, 0x69, 0x6d, 0x67]))).toBe(true);
    expect(packed.includes('A **hill**.')).toBe(true);
    expect(packed.includes('blob:')).toBe(false);
  });

  const message = (content) => [{ role: 'user', content }];
  const file = (messages, more = {}) =>
    JSON.stringify({ format: 'minicpmo-conversation', version: 1, messages, ...more });

  it.each([
    ['no JSON', 'hello'],
    ['another format', '{"messages": []}'],
    ['a newer version', file(message([{ type: 'text', text: 'a' }]), { version: 2 })],
    ['no messages', file([])],
    ['an answer first', file([{ role: 'assistant', content: [] }])],
    ['a page for a picture', file(message([{ type: 'image', mime: 'text/html', name: 'a', data: 'AAAA' }]))],
    ['drawings with scripts', file(message([{ type: 'image', mime: 'image/svg+xml', name: 'a', data: 'AAAA' }]))],
    ['no base64', file(message([{ type: 'image', mime: 'image/png', name: 'a', data: '<>' }]))],
  ])('is refused when it holds %s', (_, content) => {
    expect(() => fromJson(content, (facts) => facts)).toThrow(
      expect.objectContaining({ code: 'import_failed' }),
    );
  });
});
