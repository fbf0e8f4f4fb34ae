/** What the model is told and sounds like, on the elements of a page. Loaded when it is needed. */

import { translator } from '../i18n/index.js';
import { PresetDb } from '../state/preset-db.js';
import { PresetBar } from '../ui/preset-bar.js';
import { useStylesheet } from '../ui/stylesheet.js';
import { ContentController } from './content-controller.js';
import { PresetController } from './preset-controller.js';
import { PromptController } from './prompt-controller.js';
import { VoiceShelf } from './voice-shelf.js';

const WORDS = {
  en: () => import('../i18n/persona-en.js'),
  zh: () => import('../i18n/persona-zh.js'),
};
const byId = (id) => document.getElementById(id);

/**
 * @param {{mode: string, storage: import('../state/storage.js').SafeStorage, settings: object,
 *          onFailure: (failure: import('../lib/failure.js').Failure) => void}} page
 *        with #presets, and either #system-content and maybe #voice, or #prompt-voice and
 *        #speech-voice
 * @returns {Promise<PresetController>} with what was in use when the page was left
 */
export async function openPersona({ mode, storage, settings, onFailure }) {
  await Promise.all([translator.add(WORDS), useStylesheet('persona')]);
  const shelf = new VoiceShelf();
  const content = byId('system-content');
  const target =
    content === null
      ? new PromptController({
          settings,
          promptField: byId('prompt-voice'),
          speechField: byId('speech-voice'),
          shelf,
        })
      : new ContentController({ content, speechField: byId('voice'), shelf });
  const bar = new PresetBar(byId('presets'));
  const db = new PresetDb();
  const persona = new PresetController({ mode, bar, target, storage, db, onFailure });
  await persona.restore();
  return persona;
}
