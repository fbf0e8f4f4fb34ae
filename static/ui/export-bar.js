/** Buttons that copy or save what was said. */

import { t } from '../i18n/index.js';
import { SUBTITLE_FORMATS, writeSubtitles } from '../lib/subtitles.js';
import { copyText } from './clipboard.js';
import { element, icon } from './dom.js';
import { saveFile } from './save-file.js';

/**
 * @param {{lines: () => object[], title: () => string, fileName: string,
 *          toaster: import('./toast.js').Toaster}} parts lines as in lib/recorded-lines.js
 */
export function exportBar({ lines, title, fileName, toaster }) {
  const write = (format) => writeSubtitles(format, lines(), words(title()));
  const copy = async () => {
    const copied = await copyText(write('txt').content);
    toaster.news(copied ? 'action.copied' : 'action.not_copied');
  };
  const save = (format) => {
    const { content, type } = write(format);
    saveFile(new Blob([content], { type }), `${fileName}.${format}`);
  };
  const copyButton = element('button', { type: 'button', class: 'button', onclick: copy },
    icon('copy'), element('span', { i18n: 'export.copy' }));
  const saveButtons = SUBTITLE_FORMATS.map((format) =>
    element('button', {
      type: 'button', class: 'button', label: 'export.save', params: { format: format.toUpperCase() },
      text: format.toUpperCase(), onclick: () => save(format),
    }),
  );
  const group = { class: 'export-bar', role: 'group', named: 'export.title' };
  return element('div', group, copyButton, ...saveButtons);
}

function words(title) {
  return {
    title,
    user: t('chat.you'),
    model: 'MiniCPM-o',
    untold: t('export.untold'),
    interrupted: t('export.interrupted'),
  };
}
