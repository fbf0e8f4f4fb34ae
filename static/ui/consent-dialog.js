/** Asks whether conversations may be recorded. Loaded when there is no answer yet. */

import { askInDialog } from './dialog.js';

const QUESTION = {
  titleKey: 'consent.title',
  textKeys: ['consent.what', 'consent.where', 'consent.link', 'consent.later'],
  answers: [
    { value: 'no', key: 'consent.no' },
    { value: 'yes', key: 'consent.yes' },
  ],
};

/**
 * Closing the question is a no that is not kept.
 * @param {import('../state/consent.js').RecordingConsent} consent
 */
export async function askForConsent(consent) {
  const answer = await askInDialog(QUESTION);
  if (answer === '') consent.declineForNow();
  else consent.keep(answer === 'yes');
}
