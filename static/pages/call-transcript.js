/** Opens what was said in the last call, here or before, to be searched and taken along. */

import { t, translator } from '../i18n/index.js';
import { linesOfCall } from '../lib/call-lines.js';
import { LastTranscript } from '../state/last-transcript.js';
import { exportBar } from '../ui/export-bar.js';
import { showTranscript } from '../ui/transcript-dialog.js';

const WORDS = {
  en: () => import('../i18n/export-en.js'),
  zh: () => import('../i18n/export-zh.js'),
};

/** @param {object} parts as in call-panels.js */
export async function openTranscript({ page, storage, call, toaster }) {
  await translator.add(WORDS);
  const heard = call() === null ? [] : linesOfCall(call().transcript);
  const lines = heard.length > 0 ? heard : new LastTranscript(page.name, storage).lines;
  const title = () => t(document.querySelector('title').dataset.i18n);
  showTranscript(lines, exportBar({ lines: () => lines, title, fileName: page.name, toaster }));
}
