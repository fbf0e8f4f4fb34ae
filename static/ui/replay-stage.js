/** Where a replay is seen and heard: the picture, and what is said as captions. */

import { element } from './dom.js';

export class ReplayStage {
  #frame = element('img', { class: 'replay-frame', alt: '' });
  #captions = element('p', { class: 'replay-captions', 'aria-hidden': 'true' });
  #track = null;
  #lines;
  #hasPictures;
  #isVideo = false;
  media = element('video', { class: 'replay-media', playsinline: true, preload: 'metadata' });

  /**
   * @param {{captionsUrl: ?string, hasPictures: boolean, lines: object[]}} parts lines as in
   *   lib/recorded-lines.js, shown where there are no captions
   */
  constructor({ captionsUrl, hasPictures, lines }) {
    [this.#lines, this.#hasPictures] = [lines, hasPictures];
    if (captionsUrl !== null) this.#addTrack(captionsUrl);
    this.element = element('div', { class: 'replay-stage' }, this.media, this.#frame, this.#captions);
    this.isVideo = false;
  }

  /** Whether the media has pictures of its own. */
  set isVideo(isVideo) {
    this.#isVideo = isVideo;
    this.media.hidden = !isVideo;
    this.#frame.hidden = isVideo || !this.#hasPictures;
    this.element.toggleAttribute('data-pictures', this.#hasPictures);
  }

  showCaptions(shown) {
    this.#captions.hidden = !shown;
  }

  /** @param {number} timeMs @param {?string} frameUrl what was seen then */
  show(timeMs, frameUrl) {
    if (!this.#isVideo && frameUrl !== null && this.#frame.getAttribute('src') !== frameUrl) {
      this.#frame.src = frameUrl;
    }
    const text = this.#track === null ? this.#textAt(timeMs) : this.#cueText();
    if (this.#captions.textContent !== text) this.#captions.textContent = text;
  }

  #addTrack(src) {
    const track = element('track', { kind: 'captions', src, default: true });
    this.media.append(track);
    track.track.mode = 'hidden'; // drawn here, in the same way for sound and for video
    this.#track = track.track;
  }

  #cueText() {
    const latest = [...(this.#track.activeCues ?? [])].at(-1); // one ends where the next begins
    return latest?.getCueAsHTML().textContent ?? '';
  }

  /** What has been said of the line that is spoken. */
  #textAt(timeMs) {
    const line = this.#lines.findLast(({ startMs, endMs }) => startMs <= timeMs && timeMs < endMs);
    const pieces = line?.pieces.filter(({ startMs }) => startMs <= timeMs) ?? [];
    return pieces.map(({ text }) => text).join('').trim();
  }
}
