// @vitest-environment happy-dom
import { beforeEach, describe, expect, it } from 'vitest';

import { Emitter } from '../../static/lib/emitter.js';
import { Transcript } from '../../static/lib/transcript.js';
import { keepTranscript } from '../../static/pages/transcript-keeper.js';
import { LastTranscript } from '../../static/state/last-transcript.js';
import { SafeStorage } from '../../static/state/storage.js';
import { MemoryStorage } from './fakes.js';

describe('the words of a call', () => {
  let memory;
  let machine;
  let view;
  let recording;

  const after = () => new LastTranscript('omni', new SafeStorage(() => memory)).lines;
  const enter = (state, previous) => machine.emit('state', { state, previous });
  const say = (text) => {
    view.transcript.beginTurn(0);
    view.transcript.addSpeech({ text, durationMs: 1000 });
    view.transcript.endTurn(false);
    machine.emit('turnEnd', {});
  };

  beforeEach(() => {
    document.body.innerHTML = '<main id="call"></main>';
    memory = new MemoryStorage();
    machine = new Emitter();
    view = { transcript: new Transcript() };
    recording = { values: { on: true } };
    const shell = { storage: new SafeStorage(() => memory) };
    keepTranscript({ machine, view, name: 'omni', tools: { recording }, shell });
    enter('live', 'preparing');
  });

  it('are there after every turn, should the page be gone', () => {
    expect(after()).toEqual([]);
    say('Once upon a time');
    expect(after()).toMatchObject([{ role: 'model', text: 'Once upon a time', endMs: 1000 }]);
    say('there was a fox.');
    expect(after()).toHaveLength(2);
  });

  it('make room for those of the next call once it has begun', () => {
    say('Once upon a time');
    view.transcript = new Transcript();
    enter('ended', 'live');
    expect(after()).toHaveLength(1);
    enter('live', 'preparing');
    expect(after()).toEqual([]);
    expect(document.querySelector('[data-transcript]')).toBe(null);
  });

  it('stay on the page where calls are not recorded', () => {
    recording.values.on = false;
    say('Once upon a time');
    expect(after()).toEqual([]);
    expect(document.querySelector('[data-transcript]')).not.toBe(null);
  });

  it.each(['{}', '[null, {"text": 1}]', 'no JSON'])('are none where %s is kept', (kept) => {
    memory.setItem('omni_transcript', kept);
    expect(after()).toEqual([]);
  });
});
