/** Shows a recorded conversation turn by turn, a page of turns at a time. */

import { element } from '../ui/dom.js';
import { turnElements } from '../ui/recorded-turn.js';

const TURNS_AT_ONCE = 50;

/** @param {{container: HTMLElement, recording: object, urlOf: (path: string) => string}} parts */
export function openReplay({ container, recording: { turns }, urlOf }) {
  const log = element('div', { class: 'transcript' });
  const more = element('button', { type: 'button', class: 'button', i18n: 'replay.more_turns' });
  let shown = 0;
  const showMore = () => {
    const next = turns.slice(shown, shown + TURNS_AT_ONCE);
    shown += next.length;
    log.append(...next.flatMap((turn) => turnElements(turn, urlOf)));
    more.hidden = shown >= turns.length;
  };
  more.addEventListener('click', showMore);
  container.append(log, more);
  if (turns.length === 0) container.append(element('p', { class: 'quiet', i18n: 'replay.empty' }));
  showMore();
}
