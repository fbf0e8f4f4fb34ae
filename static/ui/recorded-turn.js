/** One turn of a recorded conversation: what was asked, what was answered, and how long it took. */

import { t } from '../i18n/index.js';
import { clockText } from '../lib/clock-text.js';
import { audioPill } from './audio-pill.js';
import { element, icon } from './dom.js';
import { markdownElements } from './markdown-view.js';

/**
 * @param {object} turn as in `recording.json`
 * @param {(path: string) => string} urlOf a file of the recording
 * @returns {HTMLElement[]} the question and the answer
 */
export function turnElements(turn, urlOf) {
  return [questionElement(turn, urlOf), answerElement(turn, urlOf)];
}

function questionElement({ input, request_ts_ms: askedMs }, urlOf) {
  const parts = [
    ...(input.images ?? []).map((path) => pictureElement(urlOf(path))),
    ...(input.videos ?? []).map((path) => videoElement(urlOf(path))),
    input.audio && audioPill(soundOf(input.audio, input.duration_ms, urlOf, 'replay.question_sound')),
    input.text && element('p', { class: 'question-text', text: input.text }),
  ].filter(Boolean);
  const bubble = element('div', { class: 'bubble' }, ...parts);
  const time = element('p', { class: 'turn-time', text: clockText(askedMs / 1000) });
  return element('article', { class: 'message question', named: 'chat.you' }, time, bubble);
}

function answerElement({ output, timing }, urlOf) {
  const body = element('div', { class: 'answer-body' }, ...markdownElements(output.text));
  if (output.text === '') body.append(element('p', { class: 'quiet', i18n: 'chat.empty_answer' }));
  const content = element('div', { class: 'answer-content' }, body);
  if (output.audio) {
    const sound = soundOf(output.audio, output.audio_duration_ms, urlOf, 'speech.sound');
    content.append(element('div', { class: 'answer-sound' }, audioPill(sound)));
  }
  const facts = factsOf(timing, output).map(([key, params]) => element('li', { i18n: key, params }));
  content.append(element('ul', { class: 'turn-facts' }, ...facts));
  return element('article', { class: 'message answer', 'aria-label': 'MiniCPM-o' }, icon('logo'), content);
}

function soundOf(path, durationMs, urlOf, nameKey) {
  const durationS = durationMs === undefined ? null : durationMs / 1000;
  return { url: urlOf(path), name: t(nameKey), durationS };
}

function pictureElement(url) {
  const image = element('img', { src: url, loading: 'lazy', alt: '' });
  const link = { href: url, target: '_blank', class: 'picture', named: 'replay.question_picture' };
  return element('a', link, image);
}

function videoElement(url) {
  const options = { class: 'clip', src: url, controls: true, playsinline: true, preload: 'metadata' };
  return element('video', { ...options, named: 'replay.question_video' });
}

/** What is known, in the order of the conversation. */
function factsOf(timing, output) {
  const counts = [
    ['chat.tokens_in', timing.input_tokens],
    ['chat.tokens_out', timing.tokens],
    ['replay.tokens_cached', timing.cached_tokens || undefined],
  ];
  const durations = [
    ['chat.total', timing.elapsed_ms],
    ['replay.spoken_for', timing.speech_input_ms],
    ['replay.answer_lasts', output.audio_duration_ms],
  ];
  return [
    ...durations
      .filter(([, durationMs]) => durationMs !== undefined)
      .map(([key, durationMs]) => [key, { seconds: Math.round(durationMs / 100) / 10 }]),
    ...counts
      .filter(([, count]) => Number.isInteger(count))
      .map(([key, count]) => [key, { count }]),
  ];
}
