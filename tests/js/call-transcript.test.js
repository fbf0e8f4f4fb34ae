import { beforeEach, describe, expect, it } from 'vitest';

import { linesOfCall } from '../../static/lib/call-lines.js';
import { EnergyVad } from '../../static/lib/energy-vad.js';
import { Transcript } from '../../static/lib/transcript.js';

describe('the transcript', () => {
  let transcript;

  beforeEach(() => {
    transcript = new Transcript();
  });

  const parts = (aheadMs, index = 0) => {
    const { heard, sounding, pending } = transcript.progress(transcript.entries[index], aheadMs);
    return [heard, sounding, pending];
  };

  function say(...pieces) {
    transcript.beginTurn(0);
    for (const [text, durationMs] of pieces) transcript.addSpeech({ text, durationMs });
  }

  it('shows words as their sound gets to them', () => {
    say(['one two three four', 1000], [' five', 1000]);
    expect(parts(2000)).toEqual(['', '', 'one two three four five']);
    expect(parts(1400)).toEqual(['one two ', 'three ', 'four five']);
    expect(parts(400)).toEqual(['one two three four ', 'five', '']);
    expect(parts(0)).toEqual(['one two three four five', '', '']);
  });

  it('shows Chinese character by character', () => {
    say(['你好，世界', 1000]);
    expect(parts(500)).toEqual(['你好', '，', '世界']);
  });

  it('shows words without sound at once', () => {
    say(['silent', 0]);
    expect(parts(0)).toEqual(['silent', '', '']);
  });

  it('keeps what was heard of a turn that was cut, and knows the rest', () => {
    say(['one two', 1000], [' three four', 1000]);
    transcript.cut(1000);
    transcript.endTurn(true);
    expect(transcript.entries[0].state).toBe('interrupted');
    expect(parts(0)).toEqual(['one two', '', ' three four']);
  });

  it('shows which words of a cut turn the service remembers', () => {
    say(['one two', 1000], [' three four', 1000]);
    transcript.cut(500);
    transcript.endTurn(true);
    transcript.keep('one two three');
    expect(parts(0)).toEqual(['one two three', '', ' four']);
    transcript.keep('something else');
    expect(parts(0)).toEqual(['something else', '', '']);
  });

  it('goes on after a cut where the sound goes on', () => {
    say(['lost words', 1000]);
    transcript.cut(1000);
    transcript.endTurn(true);
    say(['new words', 1000]);
    expect(parts(1000, 0)).toEqual(['', '', 'lost words']);
    expect(parts(0, 1)).toEqual(['new words', '', '']);
  });

  it('marks also a finished turn whose end still sounded', () => {
    say(['all of it', 1000]);
    transcript.endTurn(false);
    expect(transcript.entries[0].state).toBe('done');
    transcript.cut(500);
    expect(transcript.entries[0].state).toBe('interrupted');
  });

  it('leaves alone what had been heard before a cut', () => {
    say(['first', 1000]);
    transcript.endTurn(false);
    say(['second', 1000]);
    transcript.cut(600);
    expect(transcript.entries.map(({ state }) => state)).toEqual(['done', 'interrupted']);
  });

  it('leaves a turn that was cut before as it is', () => {
    say(['one two three four', 4000]);
    transcript.cut(3000);
    transcript.endTurn(true);
    say(['five six seven eight', 4000]);
    transcript.cut(2000);
    transcript.endTurn(true);
    expect(parts(0, 0)).toEqual(['one two ', '', 'three four']);
    expect(parts(0, 1)).toEqual(['five six seven ', '', 'eight']);
  });

  it('knows which turn sounds', () => {
    say(['first', 1000]);
    transcript.endTurn(false);
    say(['second', 1000]);
    expect(transcript.sounding(1500).pieces[0].text).toBe('first');
    expect(transcript.sounding(500).pieces[0].text).toBe('second');
  });

  it('never invents the words of the visitor', () => {
    transcript.userSpoke({ startMs: 1000, endMs: 4200 });
    expect(transcript.entries[0]).toMatchObject({ role: 'user', text: null, durationMs: 3200 });
    transcript.userText('hello', 4000);
    expect(transcript.entries).toHaveLength(1);
    expect(transcript.entries[0].text).toBe('hello');
  });
});

describe('the voice detector', () => {
  const second = (...levels) => {
    const samples = new Float32Array(16_000);
    const each = samples.length / levels.length;
    samples.forEach((_, index) => {
      const noise = index % 2 === 0 ? 1 : -1;
      samples[index] = noise * levels[Math.floor(index / each)];
    });
    return samples;
  };

  function hear(...chunks) {
    const vad = new EnergyVad();
    const spans = [];
    vad.on('speech', (span) => spans.push(span));
    chunks.forEach((chunk, index) => vad.push(chunk, (index + 1) * 1000));
    return { vad, spans };
  }

  it('tells when somebody has spoken and for how long', () => {
    const { spans, vad } = hear(second(0.002, 0.2), second(0.2, 0.002), second(0.002));
    expect(spans).toEqual([{ startMs: 500, endMs: 1500 }]);
    expect(vad.lastSpeechMs).toBe(1500);
    expect(vad.speaking).toBe(false);
  });

  it('does not take a click or a short breath for speech, nor end at one', () => {
    const click = second(...Array.from({ length: 20 }, (_, index) => (index === 10 ? 0.2 : 0.002)));
    expect(hear(click, second(0.002)).spans).toEqual([]);
    const breath = second(0.002, 0.2, 0.2, 0.002, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2);
    expect(hear(breath, second(0.002)).spans).toHaveLength(1);
  });

  it('hears nothing in silence and in a steady hum', () => {
    expect(hear(second(0), second(0)).vad.lastSpeechMs).toBe(null);
    expect(hear(second(0.1), second(0.1), second(0.1)).vad.lastSpeechMs).toBe(null);
  });
});

describe('the lines of a call', () => {
  it('hold what was heard, with when, and what nobody wrote down', () => {
    const transcript = new Transcript();
    transcript.userSpoke({ startMs: 500, endMs: 2000 });
    transcript.beginTurn(3000);
    transcript.addSpeech({ text: 'Hello', durationMs: 1000 });
    transcript.addSpeech({ text: ' there', durationMs: 500 });
    transcript.endTurn(false);
    transcript.beginTurn(6000);
    transcript.addSpeech({ text: 'one two', durationMs: 1000 });
    transcript.addSpeech({ text: ' three', durationMs: 1000 });
    transcript.cut(1000);
    transcript.endTurn(true);
    const [spoke, whole, cut] = linesOfCall(transcript);
    expect(spoke).toMatchObject({ role: 'user', startMs: 500, endMs: 2000, text: null });
    expect(whole).toMatchObject({ startMs: 3000, endMs: 4500, text: 'Hello there', interrupted: false });
    expect(whole.pieces[1]).toEqual({ text: ' there', startMs: 4000, endMs: 4500 });
    expect(cut).toMatchObject({ startMs: 6000, endMs: 7000, text: 'one two', interrupted: true });
  });
});
