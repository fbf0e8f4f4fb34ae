/**
 * Plays a recording through a media element, as one file or in segments that are made on the way.
 *
 * Segments are {at: (timeS) => Promise<{url, startS, endS}>, release: (segment) => void}; a segment
 * whose `endS` is null is the whole recording, which lasts as long as its file.
 *
 * Events: `time` (seconds), `state` (whether it plays), `failure` (a Failure).
 */

import { Emitter } from '../lib/emitter.js';
import { asFailure, Failure } from '../lib/failure.js';

const LAST_MOMENT_S = 0.05; // so much before the end of a segment, the next one is meant
const SETTLE_MS = 150; // nothing is fetched for places that are only passed on the way

export class ReplayPlayer extends Emitter {
  #media;
  #segments = null;
  #segment = null;
  #target = 0; // where to go, until the media is there; else null
  #turn = 0; // counts the targets, of which only the last one counts
  #timer = null;
  #wanted = false;
  #rate = 1;
  #durationS;

  /** @param {HTMLMediaElement} media @param {number} durationS */
  constructor(media, durationS) {
    super();
    [this.#media, this.#durationS] = [media, durationS];
    media.addEventListener('timeupdate', () => this.#moved());
    media.addEventListener('ended', () => this.#segmentEnded());
    media.addEventListener('pause', () => this.#paused());
    media.addEventListener('error', () => this.#failed());
    media.addEventListener('loadedmetadata', () => this.#learnDuration());
  }

  get playing() {
    return this.#wanted;
  }

  get durationS() {
    return this.#durationS;
  }

  get timeS() {
    const timeS = this.#target ?? this.#segment.startS + this.#media.currentTime;
    return Math.max(0, Math.min(timeS, this.#durationS));
  }

  set rate(rate) {
    this.#rate = rate;
    this.#media.playbackRate = rate;
  }

  /** Plays this from now on; where it stood and whether it played stay. */
  use(segments) {
    this.#target = this.timeS;
    this.#segments?.release(this.#segment);
    [this.#segments, this.#segment] = [segments, null];
    void this.#open();
  }

  toggle() {
    if (this.#wanted) this.pause();
    else this.play();
  }

  /** Call it in a click. */
  play() {
    this.#want(true);
    if (this.timeS >= this.#durationS - LAST_MOMENT_S) this.seek(0);
    else if (this.#target === null) this.#start();
  }

  pause() {
    this.#want(false);
    this.#media.pause();
  }

  /** @param {number} timeS places outside are the nearest inside */
  seek(timeS) {
    this.#target = Math.max(0, Math.min(timeS, this.#durationS));
    this.#turn += 1;
    this.emit('time', this.#target);
    clearTimeout(this.#timer);
    if (covers(this.#segment, this.#target)) this.#arrive();
    else this.#timer = setTimeout(() => this.#open(), SETTLE_MS);
  }

  async #open() {
    this.#turn += 1;
    const turn = this.#turn;
    let segment;
    try {
      segment = await this.#segments.at(this.#target);
    } catch (error) {
      if (turn === this.#turn) this.emit('failure', asFailure(error));
      return;
    }
    if (turn !== this.#turn) {
      this.#segments.release(segment);
      return;
    }
    this.#segments.release(this.#segment);
    this.#segment = segment;
    this.#media.src = segment.url;
    this.#media.playbackRate = this.#rate;
    this.#arrive();
  }

  #arrive() {
    this.#media.currentTime = this.#target - this.#segment.startS;
    this.#target = null;
    if (this.#wanted) this.#start();
  }

  #start() {
    this.#media.play().catch((error) => {
      if (error.name === 'NotAllowedError') this.pause(); // a click is needed
    });
  }

  #moved() {
    if (this.#target === null && !this.#media.seeking) this.emit('time', this.timeS);
  }

  #segmentEnded() {
    const { endS } = this.#segment;
    if (endS !== null && endS < this.#durationS - LAST_MOMENT_S) {
      this.#target = endS;
      void this.#open();
      return;
    }
    this.#want(false);
    this.emit('time', this.timeS);
  }

  /** By the system, or by headphones that were unplugged. */
  #paused() {
    if (!this.#media.ended && this.#media.readyState > 0 && this.#target === null) this.#want(false);
  }

  #learnDuration() {
    const { duration } = this.#media;
    if (this.#segment.endS === null && Number.isFinite(duration)) this.#durationS = duration;
    this.emit('time', this.timeS);
  }

  #failed() {
    const { error } = this.#media;
    if (this.#segment === null || error === null) return;
    this.emit('failure', new Failure('unplayable', { message: error.message }));
  }

  #want(playing) {
    if (this.#wanted === playing) return;
    this.#wanted = playing;
    this.emit('state', playing);
  }
}

function covers(segment, timeS) {
  if (segment === null) return false;
  return segment.endS === null || (timeS >= segment.startS && timeS < segment.endS - LAST_MOMENT_S);
}
