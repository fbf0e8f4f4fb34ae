/** A picture or a video as large as the window. Loaded when one is looked at. */

import { closeOnBackdrop } from './dialog.js';
import { element, iconButton } from './dom.js';

/** @param {object} item an image or a video of lib/conversation.js */
export function showPreview({ type, url, name }) {
  const picture =
    type === 'image'
      ? element('img', { src: url, alt: name })
      : element('video', { src: url, controls: true, autoplay: true, playsinline: true });
  const close = iconButton('close', 'action.close', () => dialog.close());
  const dialog = element('dialog', { class: 'preview', 'aria-label': name }, picture, close);
  closeOnBackdrop(dialog);
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
