// @vitest-environment happy-dom
import { beforeEach, expect, it, vi } from 'vitest';

import { translator } from '../../static/i18n/index.js';
import { showExamples } from '../../static/pages/examples-on-demand.js';
import { speakEnglish } from './fakes.js';

const toy = { defaults: Promise.resolve({ examples: { turnbased: ['Hello!', '你好'] } }) };
let welcome;

beforeEach(async () => {
  welcome = document.createElement('p');
  document.body.replaceChildren(welcome);
  await speakEnglish(translator);
});

it('an example that is pressed is handed over', async () => {
  const onChoose = vi.fn();
  expect(await showExamples(toy, 'turnbased', welcome, onChoose)).toBe(true);
  const [hello, chinese] = welcome.nextElementSibling.querySelectorAll('button');
  expect([hello.lang, chinese.lang]).toEqual(['en', 'zh-CN']);
  hello.click();
  expect(onChoose).toHaveBeenCalledExactlyOnceWith('Hello!');
});

it('examples for a call are only to be read', async () => {
  await showExamples(toy, 'turnbased', welcome);
  expect(document.querySelectorAll('button')).toHaveLength(0);
  expect(welcome.nextElementSibling.textContent).toContain('你好');
});

it.each([
  ['a model that needs no examples', { defaults: Promise.resolve({}) }],
  ['an app without some', toy, 'omni'],
])('%s has none on its page', async (_, shell, app = 'turnbased') => {
  expect(await showExamples(shell, app, welcome)).toBe(false);
  expect(welcome.nextElementSibling).toBeNull();
});
