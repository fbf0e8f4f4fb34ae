// @vitest-environment happy-dom
import { beforeEach, describe, expect, it } from 'vitest';

import { Emitter } from '../../static/lib/emitter.js';
import { followSpeaker } from '../../static/pages/call-parts.js';
import { CallControls } from '../../static/ui/call-controls.js';

document.body.innerHTML = `<main id="call">
  <button id="mute-speaker" aria-pressed="false"><svg><use></use></svg><span></span></button>
</main>`;
const button = document.getElementById('mute-speaker');
const machine = new Emitter();
const player = { muted: false };
followSpeaker({ machine, player, controls: new CallControls(document) });

const enter = (state) => machine.emit('state', { state });
const shown = () => [player.muted, button.getAttribute('aria-pressed')];
const symbol = () => button.querySelector('use').getAttribute('href').split('#')[1];

function press(key) {
  document.body.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
}

beforeEach(() => enter('opening'));

describe('the sound of the model', () => {
  it('goes off and on by button and by key, and the button shows it', () => {
    button.click();
    expect([...shown(), symbol()]).toEqual([true, 'true', 'speaker_off']);
    press('s');
    expect([...shown(), symbol()]).toEqual([false, 'false', 'speaker']);
  });

  it('stays off for the rest of the call, and is on again in the next one', () => {
    press('s');
    for (const state of ['pausing', 'paused', 'live', 'ended']) enter(state);
    expect(shown()).toEqual([true, 'true']);
    enter('opening');
    expect(shown()).toEqual([false, 'false']);
  });
});
