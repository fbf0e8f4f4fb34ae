// @vitest-environment happy-dom
import { beforeEach, describe, expect, it } from 'vitest';

import { translator } from '../../static/i18n/index.js';
import { Transcript } from '../../static/lib/transcript.js';
import { CallLog } from '../../static/ui/call-log.js';
import { speakEnglish } from './fakes.js';

const ENTRY_PX = 50;
const SEEN_PX = 400;
const WORDS = { en: () => import('../../static/i18n/call-en.js') };

describe('the log of a call', () => {
  let log;
  let scroller;
  let announcer;
  let jump;
  let transcript;
  let callLog;

  beforeEach(async () => {
    await speakEnglish(translator);
    await translator.add(WORDS);
    [log, announcer] = [document.createElement('div'), document.createElement('p')];
    [scroller, jump] = [document.createElement('div'), document.createElement('button')];
    Object.defineProperties(scroller, {
      scrollTop: { value: 0, writable: true },
      clientHeight: { value: SEEN_PX },
      scrollHeight: { get: () => ENTRY_PX * log.childElementCount },
    });
    transcript = new Transcript();
    callLog = new CallLog({ log, scroller, announcer, jump });
    callLog.follow(transcript);
  });

  const shown = () => [...log.children].map((article) => article.querySelector('.heard').textContent);
  const said = (from, to) =>
    Array.from({ length: to - from }, (_, index) => `Turn ${from + index}.`);

  function say(count) {
    for (let index = 0; index < count; index += 1) {
      transcript.beginTurn(0);
      transcript.addSpeech({ text: `Turn ${transcript.entries.length - 1}.`, durationMs: 1000 });
      transcript.endTurn(false);
      callLog.refresh(0);
    }
  }

  function scrollTo(topPx) {
    scroller.scrollTop = topPx;
    scroller.dispatchEvent(new Event('scroll'));
  }

  it('holds the newest entries of a long call, which the transcript has all of', () => {
    say(100);
    expect(shown()).toEqual(said(0, 100));
    say(60);
    expect(shown()).toEqual(said(60, 160));
    expect(transcript.entries).toHaveLength(160);
  });

  it('brings earlier entries back to who scrolls up, page by page, and holds what is seen', () => {
    say(160);
    scrollTo(20);
    expect(shown()).toEqual(said(10, 160));
    expect(scroller.scrollTop).toBe(20 + 50 * ENTRY_PX);
    scrollTo(0);
    expect(shown()).toEqual(said(0, 160));
    expect(scroller.scrollTop).toBe(10 * ENTRY_PX);
    scrollTo(0);
    expect(shown()).toEqual(said(0, 160));
  });

  it('takes nothing from under the eyes of who has scrolled up', () => {
    say(100);
    scrollTo(1000);
    say(20);
    expect(shown()).toEqual(said(0, 120));
    expect(jump.hidden).toBe(false);
    jump.click();
    expect(shown()).toEqual(said(20, 120));
    expect(jump.hidden).toBe(true);
  });

  it('brings entries back as they were left: interrupted, and of the visitor', () => {
    transcript.userSpoke({ startMs: 0, endMs: 2000 });
    transcript.userText('hello', 0);
    transcript.beginTurn(0);
    transcript.addSpeech({ text: 'one two three four', durationMs: 1000 });
    transcript.cut(500);
    transcript.endTurn(true);
    callLog.refresh(0);
    say(100);
    scrollTo(0);
    const [user, model] = log.children;
    expect(user.querySelector('.entry-words').textContent).toBe('hello');
    expect(model.querySelector('.pending').textContent).toBe('four');
    expect(model.dataset.interrupted).toBe('true');
  });

  it('keeps entries until their words have been heard', () => {
    transcript.beginTurn(0);
    transcript.addSpeech({ text: 'Long ago', durationMs: 1000 });
    for (let index = 0; index < 120; index += 1) {
      transcript.userSpoke({ startMs: 0, endMs: 1000 });
      callLog.refresh(1000);
    }
    expect(log.children).toHaveLength(121);
    transcript.endTurn(false);
    callLog.refresh(0);
    expect(log.children).toHaveLength(100);
    expect(announcer.textContent).toContain('Long ago');
  });

  it('leaves to screen readers what was said last, and says nothing twice', () => {
    say(160);
    scrollTo(0);
    callLog.refresh(0);
    expect([...announcer.children].map(({ textContent }) => textContent.trim()))
      .toEqual(said(140, 160));
  });

  it('begins anew with a new call', () => {
    say(160);
    transcript = new Transcript();
    callLog.follow(transcript);
    say(3);
    expect(shown()).toEqual(said(0, 3));
  });
});
