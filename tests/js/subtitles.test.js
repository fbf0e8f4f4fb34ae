import { describe, expect, it } from 'vitest';

import { cuesOf, subtitleTime, SUBTITLE_FORMATS, writeSubtitles } from '../../static/lib/subtitles.js';

const WORDS = {
  title: 'Conversation of 4 May',
  user: 'You',
  model: 'MiniCPM-o',
  untold: 'spoken',
  interrupted: 'interrupted',
};
const line = (fields) => ({
  role: 'model', startMs: 0, endMs: 1000, text: '', interrupted: false, pieces: [], ...fields,
});
const pieces = (startMs, ...texts) =>
  texts.map((text, index) => ({
    text,
    startMs: startMs + 1000 * index,
    endMs: startMs + 1000 * (index + 1),
  }));
const spoken = (startMs, ...texts) =>
  line({
    startMs,
    endMs: startMs + 1000 * texts.length,
    text: texts.join('').trim(),
    pieces: pieces(startMs, ...texts),
  });
const asked = line({ role: 'user', startMs: 200, endMs: 900, text: 'Who <is> there?' });
const untold = line({ role: 'user', startMs: 3000, endMs: 4000, text: null });
const cut = { ...spoken(61_500, 'It is ', 'me'), interrupted: true };
const write = (format, ...lines) => writeSubtitles(format, lines, WORDS).content;

describe('times', () => {
  it.each([
    [0, '00:00:00,000'],
    [59_999.6, '00:01:00,000'],
    [3_723_004, '01:02:03,004'],
    [360_000_000, '100:00:00,000'],
  ])('of %d ms are %s', (timeMs, text) => {
    expect(subtitleTime(timeMs, ',')).toBe(text);
  });
});

describe('cues', () => {
  it('end with sentences', () => {
    const cues = cuesOf([spoken(0, 'Hello ', 'there. ', 'How are ', 'you?')]);
    expect(cues.map(({ startMs, endMs, text }) => [startMs, endMs, text])).toEqual([
      [0, 2000, 'Hello there.'],
      [2000, 4000, 'How are you?'],
    ]);
  });

  it('end where two rows are full, which Chinese fills twice as fast', () => {
    const latin = cuesOf([spoken(0, ...Array(10).fill('word '.repeat(4)))]);
    const chinese = cuesOf([spoken(0, ...Array(10).fill('今天天气很好我们出去走走吧好不好呢你说'))]);
    expect(latin.map(({ text }) => text.length)).toEqual([79, 79, 39]);
    expect(chinese.map(({ text }) => text.length)).toEqual([38, 38, 38, 38, 38]);
  });

  it('are long enough to be read', () => {
    expect(cuesOf([{ ...asked, endMs: 200 }])[0].endMs).toBe(1200);
  });

  it('leave out what nobody wrote down', () => {
    expect(cuesOf([untold])).toEqual([]);
  });
});

describe('files', () => {
  it('as SRT number their cues, and name the speakers where there are two', () => {
    expect(write('srt', asked, cut)).toBe(
      '1\n00:00:00,200 --> 00:00:01,200\nYou: Who <is> there?\n\n' +
        '2\n00:01:01,500 --> 00:01:03,500\nMiniCPM-o: It is me\n',
    );
    expect(write('srt', cut)).toBe('1\n00:01:01,500 --> 00:01:03,500\nIt is me\n');
  });

  it('as WebVTT name the voice and escape what would be markup', () => {
    expect(write('vtt', asked)).toBe(
      'WEBVTT\n\n00:00:00.200 --> 00:00:01.200\n<v You>Who &lt;is&gt; there?\n',
    );
  });

  it('as text and Markdown also tell what has no words, and what was interrupted', () => {
    expect(write('txt', untold, cut)).toBe(
      'Conversation of 4 May\n\n[00:00:03] You: (spoken)\n[00:01:01] MiniCPM-o: It is me (interrupted)\n',
    );
    expect(write('md', untold)).toBe('# Conversation of 4 May\n\n**You** (00:00:03)\n\n(spoken)\n');
  });

  it('as JSON hold everything', () => {
    expect(JSON.parse(write('json', cut))).toEqual({
      title: 'Conversation of 4 May',
      lines: [{ role: 'model', start_ms: 61_500, end_ms: 63_500, text: 'It is me', interrupted: true }],
    });
  });

  it.each(SUBTITLE_FORMATS)('as %s may be empty', (format) => {
    expect(typeof write(format)).toBe('string');
  });
});
