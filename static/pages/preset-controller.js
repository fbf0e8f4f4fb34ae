/** Presets of a page: chosen, remembered, made, carried to files and back. */

import { translator } from '../i18n/index.js';
import { asFailure, Failure } from '../lib/failure.js';
import { MAX_FILE_BYTES, readPresetFile, writePresetFile } from '../lib/preset-file.js';
import { loadPresets, loadPresetVoices } from '../net/presets-api.js';
import { confirmInDialog } from '../ui/dialog.js';
import { saveFile } from '../ui/save-file.js';

const EDITED = '*'; // remembered in place of a preset: what is in use was written by the visitor
const KEEP_DELAY_MS = 300;
const FILE_NAME = 'presets.json';

export class PresetController {
  #parts;
  #key;
  #served = []; // by the service
  #own = [];
  #language = null;
  #listFailure = null;
  #chosen = null;
  #choice = 0;
  #bringing = null; // the voices of the preset that was chosen last
  #keepTimer = null;

  /**
   * @param {{mode: string, bar: import('../ui/preset-bar.js').PresetBar, target: object,
   *          storage: import('../state/storage.js').SafeStorage,
   *          db: import('../state/preset-db.js').PresetDb,
   *          onFailure: (failure: Failure) => void,
   *          api?: {loadPresets: Function, loadPresetVoices: Function},
   *          confirm?: typeof confirmInDialog, save?: (file: Blob, name: string) => void}} parts
   *        `target`: a ContentController or a PromptController; `onFailure` tells what keeps a
   *        remembered preset away while the settings are closed
   */
  constructor(parts) {
    const api = { loadPresets, loadPresetVoices };
    this.#parts = { api, confirm: confirmInDialog, save: saveFile, ...parts };
    this.#key = `${parts.mode}_preset`;
    const { bar, target } = parts;
    bar.on('choose', ({ id }) => this.#choose(id));
    bar.on('save', ({ name }) => this.#try(() => this.#save(name)));
    bar.on('rename', ({ name }) => this.#try(() => this.#rename(name)));
    bar.on('remove', () => this.#try(() => this.#remove()));
    bar.on('export', () => this.#export());
    bar.on('load', ({ file }) => this.#try(() => this.#import(file)));
    target.on('edit', () => this.#edited());
    addEventListener('pagehide', () => this.#keepNow());
  }

  /** What a session opens with; see the target. */
  get opening() {
    return this.#parts.target.opening;
  }

  /** Whether a voice that was chosen is still on its way. */
  get isBringing() {
    return this.#bringing !== null;
  }

  /** Resolves when nothing is on its way any more. */
  async ready() {
    await this.#bringing;
  }

  /** Brings back what was in use when the page was left. */
  async restore() {
    const { mode, storage, db, target, onFailure } = this.#parts;
    await this.#list();
    const remembered = storage.getText(this.#key);
    if (remembered === EDITED) {
      const draft = await db.draft(mode);
      if (draft !== null) target.draft = draft;
    } else if (this.#find(remembered) !== undefined) this.#choose(remembered);
    else if (remembered !== null && this.#listFailure !== null) onFailure(this.#listFailure);
  }

  /** The settings have been opened. */
  async opened() {
    this.#parts.target.offerVoices();
    if (this.#language !== translator.language) await this.#list();
  }

  /** No preset, nothing written. */
  clear() {
    const { storage, db, mode, target, bar } = this.#parts;
    this.#forgetChoice();
    storage.remove(this.#key);
    void db.keepDraft(mode, null);
    target.clear();
    bar.choose(null);
  }

  async #list() {
    const { mode, db, api, bar } = this.#parts;
    const { language } = translator;
    this.#own = await db.list(mode);
    try {
      this.#served = await api.loadPresets(mode, language);
      [this.#language, this.#listFailure] = [language, null];
    } catch (error) {
      this.#listFailure = asFailure(error); // the next opening of the settings tries again
      bar.failure(this.#listFailure);
    }
    this.#show();
  }

  #show() {
    const served = this.#served.map((preset) => ({ ...preset, isOwn: false }));
    const own = this.#own.map((preset) => ({ ...preset, isOwn: true }));
    this.#parts.bar.show([...served, ...own], this.#chosen);
  }

  #find(id) {
    return [...this.#served, ...this.#own].find((preset) => preset.id === id);
  }

  #choose(id) {
    const { bar, target, storage } = this.#parts;
    const preset = this.#find(id);
    this.#forgetChoice();
    this.#chosen = id;
    storage.setText(this.#key, id);
    bar.choose(id);
    target.showText(preset);
    const bringing = this.#bring(preset, this.#choice).finally(() => {
      if (bringing === this.#bringing) this.#bringing = null;
    });
    this.#bringing = bringing;
  }

  /** What comes late for a preset that is not chosen any more is dropped. */
  async #bring(preset, choice) {
    const { bar, target } = this.#parts;
    bar.loading = preset.name;
    let failure = null;
    try {
      const voices = await this.#voicesOf(preset);
      if (choice === this.#choice) target.showVoices(voices);
    } catch (error) {
      const { code, message } = asFailure(error);
      const detail = message === code ? '' : message;
      failure = new Failure('preset_voice', { message: detail, params: { name: preset.name } });
    }
    if (choice !== this.#choice) return;
    bar.loading = null;
    if (failure !== null) bar.failure(failure);
    if (this.#chosen === null) this.#keepSoon(); // edited meanwhile
  }

  async #voicesOf(preset) {
    const { mode, api } = this.#parts;
    const there = preset.ref_audio ? [preset.ref_audio] : voicesIn(preset.system_content);
    if (there.every(({ data }) => data)) return there;
    const voices = await api.loadPresetVoices(mode, preset.id, this.#language);
    if (voices.length < there.length || !voices.every(({ data }) => data)) {
      throw new Failure('preset_voice'); // its file is not on the server
    }
    return voices;
  }

  #forgetChoice() {
    clearTimeout(this.#keepTimer);
    this.#choice += 1;
    this.#parts.bar.loading = null;
    [this.#chosen, this.#bringing, this.#keepTimer] = [null, null, null];
  }

  /** What the visitor changes is no preset any more, but is remembered like one. */
  #edited() {
    const { storage, bar } = this.#parts;
    this.#chosen = null;
    storage.setText(this.#key, EDITED);
    bar.choose(null);
    this.#keepSoon();
  }

  #keepSoon() {
    clearTimeout(this.#keepTimer);
    this.#keepTimer = setTimeout(() => this.#keepNow(), KEEP_DELAY_MS);
  }

  #keepNow() {
    if (this.#keepTimer === null) return;
    clearTimeout(this.#keepTimer);
    this.#keepTimer = null;
    void this.#parts.db.keepDraft(this.#parts.mode, this.#parts.target.draft);
  }

  async #save(name) {
    const { mode, target, storage, bar } = this.#parts;
    const preset = ownPreset({ mode, name, description: '', ...target.parts });
    await this.#parts.db.keep(preset);
    this.#own.push(preset);
    this.#chosen = preset.id;
    storage.setText(this.#key, preset.id);
    this.#show();
    bar.news('preset.saved', { name });
  }

  async #rename(name) {
    const preset = { ...this.#find(this.#chosen), name };
    await this.#parts.db.keep(preset);
    this.#own = this.#own.map((other) => (other.id === preset.id ? preset : other));
    this.#show();
    this.#parts.bar.news('preset.saved', { name });
  }

  async #remove() {
    const { db, bar, confirm } = this.#parts;
    const { id, name } = this.#find(this.#chosen);
    const agreed = await confirm({
      titleKey: 'preset.remove_question',
      textKey: 'preset.remove_text',
      confirmKey: 'preset.remove',
    });
    if (!agreed) return;
    await db.remove(id);
    this.#own = this.#own.filter((preset) => preset.id !== id);
    this.#edited();
    this.#show();
    bar.news('preset.removed', { name });
  }

  #export() {
    const file = new Blob([writePresetFile(this.#own)], { type: 'application/json' });
    this.#parts.save(file, FILE_NAME);
  }

  async #import(file) {
    if (file.size > MAX_FILE_BYTES) throw new Failure('preset_file', { message: file.name });
    const presets = readPresetFile(await file.text()).map(ownPreset);
    for (const preset of presets) await this.#parts.db.keep(preset);
    this.#own = await this.#parts.db.list(this.#parts.mode);
    this.#show();
    this.#parts.bar.news('preset.imported', { count: presets.length });
  }

  async #try(act) {
    try {
      await act();
    } catch (error) {
      this.#parts.bar.failure(asFailure(error));
    }
  }
}

function ownPreset(preset, order = 0) {
  return { ...preset, id: `own:${crypto.randomUUID()}`, savedAt: Date.now() + order };
}

function voicesIn(content = []) {
  return content.filter(({ type }) => type === 'audio');
}
