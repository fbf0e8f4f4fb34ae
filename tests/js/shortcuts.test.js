// @vitest-environment happy-dom
import { beforeEach, describe, expect, it } from 'vitest';

import { Shortcuts } from '../../static/ui/shortcuts.js';

const shortcuts = new Shortcuts(document);
let events;
shortcuts.on('action', ({ name }) => events.push(name));
shortcuts.on('talk', ({ held }) => events.push(held ? 'talk' : 'silent'));

beforeEach(() => {
  document.body.replaceChildren();
  shortcuts.talks = false;
  events = [];
});

function add(tag) {
  const element = document.createElement(tag);
  document.body.append(element);
  return element;
}

function press(key, target = document.body, more = {}) {
  const event = new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...more });
  target.dispatchEvent(event);
  return event;
}

const release = (key) => document.body.dispatchEvent(new KeyboardEvent('keyup', { key, bubbles: true }));

describe('the keys of a call', () => {
  it.each([
    ['m', 'mute'],
    ['S', 'mute-speaker'],
    ['P', 'pause'],
    ['f', 'force-listen'],
    ['c', 'toggle-captions'],
    ['d', 'open-metrics'],
    ['Escape', 'escape'],
    ['?', 'help'],
  ])('%s does %s', (key, name) => {
    press(key);
    expect(events).toEqual([name]);
  });

  it.each(['input', 'textarea', 'select'])('rest while one types in %s', (tag) => {
    shortcuts.talks = true;
    const field = add(tag);
    for (const key of ['m', 'f', '?', ' ']) press(key, field);
    expect(events).toEqual([]);
    press('Escape', field);
    expect(events).toEqual(['escape']);
  });

  it('rest while a dialog is open, and with modifiers', () => {
    press('m', document.body, { ctrlKey: true });
    add('dialog').setAttribute('open', '');
    press('m');
    press('Escape');
    expect(events).toEqual([]);
  });

  it('do their work once, however long they are held', () => {
    press('m');
    press('m', document.body, { repeat: true });
    expect(events).toEqual(['mute']);
  });
});

describe('Space', () => {
  it('talks while it is held, and does not scroll', () => {
    shortcuts.talks = true;
    expect(press(' ').defaultPrevented).toBe(true);
    expect(press(' ', document.body, { repeat: true }).defaultPrevented).toBe(true);
    release(' ');
    expect(events).toEqual(['talk', 'silent']);
  });

  it('is let go when the window loses the keyboard', () => {
    shortcuts.talks = true;
    press(' ');
    window.dispatchEvent(new Event('blur'));
    release(' ');
    expect(events).toEqual(['talk', 'silent']);
  });

  it.each(['button', 'a', 'summary'])('presses a %s that has the focus', (tag) => {
    shortcuts.talks = true;
    expect(press(' ', add(tag)).defaultPrevented).toBe(false);
    expect(events).toEqual([]);
  });

  it('is left alone where there is nothing to talk to', () => {
    expect(press(' ').defaultPrevented).toBe(false);
    expect(events).toEqual([]);
  });
});
