/**
 * Presets of one's own as a JSON file.
 *
 * A preset is {mode, name, description} with either {system_prompt, ref_audio: ?voice} or
 * {system_content: items as in system-content.js}; a voice is {data, name, durationS}.
 */

import { base64ToBytes } from './base64.js';
import { Failure } from './failure.js';
import { SAMPLE_RATE } from './limits.js';
import { bytesToFloats } from './pcm.js';
import { MAX_CONTENT_CHARACTERS, MAX_CONTENT_ITEMS } from './system-content.js';

const FORMAT = 'minicpmo-presets';
const VERSION = 1;
const MODES_WITH_CONTENT = ['turnbased', 'half_duplex_audio'];
const MODES_WITH_PROMPT = ['omni', 'audio_duplex'];
const MAX_PRESETS = 100;
const MAX_VOICE_S = 30; // what the service takes

export const MAX_NAME_CHARACTERS = 60;
export const MAX_FILE_BYTES = 60_000_000;

/** @param {object[]} presets @returns {string} */
export function writePresetFile(presets) {
  return JSON.stringify({ format: FORMAT, version: VERSION, presets: presets.map(known) }, null, 1);
}

/** @param {string} text @returns {object[]} presets without ids @throws {Failure} naming the field */
export function readPresetFile(text) {
  const file = parse(text);
  check(file?.format === FORMAT, 'format');
  check(file.version === VERSION, 'version');
  check(Array.isArray(file.presets) && file.presets.length <= MAX_PRESETS, 'presets');
  return file.presets.map((preset, index) => read(preset, `presets[${index}]`));
}

/** A name as it is kept. @returns {?string} null when it is none */
export function presetName(text) {
  const name = text.trim();
  return name === '' || name.length > MAX_NAME_CHARACTERS ? null : name;
}

function known({ mode, name, description, system_prompt, ref_audio, system_content }) {
  return { mode, name, description, system_prompt, ref_audio, system_content };
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Failure('preset_file', { message: error.message, cause: error });
  }
}

function read(preset, field) {
  check(typeof preset === 'object' && preset !== null, field);
  const { mode, name, description = '' } = preset;
  check(typeof name === 'string' && presetName(name) !== null, `${field}.name`);
  check(isText(description), `${field}.description`);
  const kept = { mode, name: name.trim(), description };
  if (MODES_WITH_CONTENT.includes(mode)) {
    return { ...kept, system_content: readContent(preset.system_content, `${field}.system_content`) };
  }
  check(MODES_WITH_PROMPT.includes(mode), `${field}.mode`);
  check(isText(preset.system_prompt), `${field}.system_prompt`);
  const voice = preset.ref_audio ?? null;
  const ref_audio = voice && readVoice(voice, `${field}.ref_audio`);
  return { ...kept, system_prompt: preset.system_prompt, ref_audio };
}

function readContent(items, field) {
  check(Array.isArray(items) && items.length <= MAX_CONTENT_ITEMS, field);
  return items.map((item, index) => {
    const place = `${field}[${index}]`;
    if (item?.type === 'audio') return { type: 'audio', ...readVoice(item, place) };
    check(item?.type === 'text' && isText(item.text), place);
    return { type: 'text', text: item.text };
  });
}

function readVoice({ data, name }, field) {
  check(typeof name === 'string' && name.length <= MAX_CONTENT_CHARACTERS, `${field}.name`);
  const durationS = durationOf(data);
  check(durationS > 0 && durationS <= MAX_VOICE_S, `${field}.data`);
  return { data, name, durationS };
}

/** @returns {number} seconds; NaN for what is no sound */
function durationOf(data) {
  try {
    const samples = bytesToFloats(base64ToBytes(data));
    return samples.every(Number.isFinite) ? samples.length / SAMPLE_RATE : NaN;
  } catch {
    return NaN;
  }
}

function isText(value) {
  return typeof value === 'string' && value.length <= MAX_CONTENT_CHARACTERS;
}

function check(holds, field) {
  if (!holds) throw new Failure('preset_file', { field });
}
