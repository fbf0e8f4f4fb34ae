/** Shows a recorded call: its media, and a timeline of what the model decided and when. */

import { ReplayPlayer } from '../audio/replay-player.js';
import { stretches, wholeFile } from '../audio/segments.js';
import { PeakStore } from '../lib/peak-store.js';
import { costSummary, frameAt, unitAt, unitsOf } from '../lib/replay-units.js';
import { TimeWindow } from '../lib/time-window.js';
import { MergedSound, PieceSound } from '../net/recorded-sound.js';
import { element } from '../ui/dom.js';
import { LineList } from '../ui/line-list.js';
import { BUDGET_MS, ReplayCanvas } from '../ui/replay-canvas.js';
import { ReplayOverview } from '../ui/replay-overview.js';
import { ReplayStage } from '../ui/replay-stage.js';
import { keyHelp, ReplayTransport } from '../ui/replay-transport.js';
import { costText, timelineElements } from '../ui/timeline-elements.js';
import { UnitDetails } from '../ui/unit-details.js';
import { Thumbnails } from '../video/thumbnails.js';

const ZOOM_WIDE = 2;
const ZOOM_NARROW = 1;
const NARROW_PX = 700;
const DARK = '(prefers-color-scheme: dark)';

/**
 * @param {{container: HTMLElement, recording: object, lines: object[],
 *          urlOf: (path: string) => string, toaster: object}} parts
 */
export function openReplay(parts) {
  const units = unitsOf(parts.recording);
  if (units.length === 0) {
    parts.container.append(element('p', { class: 'quiet', i18n: 'replay.empty' }));
    return null;
  }
  return new CallReplay(parts, units);
}

class CallReplay {
  #units;
  #urlOf;
  #toaster;
  #window;
  #canvas;
  #overview;
  #sources;
  #player;
  #stage;
  #transport = new ReplayTransport();
  #details = new UnitDetails();
  #list;
  #drawing = false;

  constructor({ container, recording, lines, urlOf, toaster }, units) {
    [this.#units, this.#urlOf, this.#toaster] = [units, urlOf, toaster];
    const durationMs = units.at(-1).endMs;
    this.#window = new TimeWindow(durationMs, innerWidth < NARROW_PX ? ZOOM_NARROW : ZOOM_WIDE);
    const { merged_replay: sound, merged_replay_video: video, captions } = recording;
    const read = sound ? new MergedSound(urlOf(sound)) : new PieceSound(urlOf);
    this.#sources = [
      ...(video ? [{ segments: wholeFile(urlOf(video)), isVideo: true }] : []),
      ...(sound ? [{ segments: wholeFile(urlOf(sound)), isVideo: false }] : []),
      { segments: stretches(units, new PieceSound(urlOf)), isVideo: false },
    ];
    const hasPictures = units.some(({ frames }) => frames.length > 0);
    this.#stage = new ReplayStage({ captionsUrl: captions ? urlOf(captions) : null, hasPictures, lines });
    this.#player = new ReplayPlayer(this.#stage.media, durationMs / 1000);
    this.#list = new LineList(lines, (timeS) => this.#player.seek(timeS));
    this.#build(container, hasPictures, read);
    this.#listen();
    this.#useNextSource();
    this.#show();
  }

  #build(container, hasPictures, read) {
    const { element: timeline, canvas, overview, legend } = timelineElements(hasPictures);
    const drawSoon = () => this.#drawSoon();
    const shared = { legend, units: this.#units, window: this.#window };
    this.#canvas = new ReplayCanvas({
      ...shared,
      canvas,
      hasPictures,
      peaks: new PeakStore(read, drawSoon),
      thumbnails: new Thumbnails(this.#urlOf, drawSoon),
    });
    this.#overview = new ReplayOverview({ ...shared, canvas: overview });
    const durationMs = this.#units.at(-1).endMs;
    this.#seekByPointer(canvas, (x, width) => this.#window.timeAt(x, width));
    this.#seekByPointer(overview, (x, width) => (x / width) * durationMs);
    new ResizeObserver(drawSoon).observe(canvas);
    new MutationObserver(drawSoon).observe(document.documentElement, {
      attributeFilter: ['data-theme', 'lang'],
    });
    matchMedia(DARK).addEventListener('change', drawSoon);
    timeline.append(costText(costSummary(this.#units, BUDGET_MS)), keyHelp());
    const [stage, transport, details] = [this.#stage, this.#transport, this.#details];
    const parts = [stage.element, transport.element, timeline, this.#list.element, details.element];
    container.append(element('div', { class: 'replay-call' }, ...parts));
  }

  #listen() {
    const [player, transport] = [this.#player, this.#transport];
    player.on('time', () => this.#drawSoon());
    player.on('state', (playing) => {
      transport.showPlaying(playing);
      this.#drawSoon();
    });
    player.on('failure', (failure) => this.#fail(failure));
    transport.on('toggle', () => player.toggle());
    transport.on('seek', (timeS) => player.seek(timeS));
    transport.on('step', (count) => this.#goTo(this.#unit.index + count));
    transport.on('end', (side) => this.#goTo(side < 0 ? 0 : this.#units.length - 1));
    transport.on('speed', (speed) => {
      player.rate = speed;
    });
    transport.on('captions', (shown) => this.#stage.showCaptions(shown));
    transport.on('zoom', (step) => {
      this.#window.zoom(step, player.timeS * 1000);
      this.#drawSoon();
    });
    document.addEventListener('keydown', (event) => transport.press(event));
  }

  get #unit() {
    return this.#units[unitAt(this.#units, this.#player.timeS * 1000)];
  }

  #goTo(index) {
    const place = Math.max(0, Math.min(index, this.#units.length - 1));
    this.#player.seek(this.#units[place].startMs / 1000);
  }

  #seekByPointer(canvas, timeAt) {
    const seek = (event) => this.#player.seek(timeAt(event.offsetX, canvas.clientWidth) / 1000);
    canvas.addEventListener('pointerdown', (event) => {
      canvas.setPointerCapture(event.pointerId);
      seek(event);
    });
    canvas.addEventListener('pointermove', (event) => {
      if (event.buttons === 1) seek(event);
    });
  }

  #fail(failure) {
    if (this.#sources.length > 0) this.#useNextSource();
    else this.#toaster.failure(failure);
  }

  /** What this browser cannot play is there in simpler forms. */
  #useNextSource() {
    const { segments, isVideo } = this.#sources.shift();
    this.#stage.isVideo = isVideo;
    this.#player.use(segments);
  }

  #drawSoon() {
    if (this.#drawing) return;
    this.#drawing = true;
    requestAnimationFrame(() => {
      this.#drawing = false;
      this.#show();
      if (this.#player.playing) this.#drawSoon();
    });
  }

  #show() {
    const { timeS, durationS } = this.#player;
    const [timeMs, unit] = [timeS * 1000, this.#unit];
    this.#window.follow(timeMs);
    this.#canvas.draw(timeMs);
    this.#overview.draw(timeMs);
    this.#transport.showPlace({ timeS, durationS, unit });
    this.#transport.showZoom(this.#window);
    this.#details.show(unit, this.#units.length);
    this.#list.show(timeMs);
    const frame = frameAt(this.#units, timeMs);
    this.#stage.show(timeMs, frame && this.#urlOf(frame));
  }
}
