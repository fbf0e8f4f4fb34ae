/** Deleting a recording, for those who may. */

import { asFailure } from '../lib/failure.js';
import { deleteRecording } from '../net/admin-api.js';
import { loadLogin } from '../net/login-api.js';
import { RecentSessions } from '../state/recent.js';
import { confirmInDialog } from '../ui/dialog.js';

/** @returns {Promise<boolean>} whether this visitor may delete recordings */
export async function mayRemove() {
  const { admin } = await loadLogin().catch(() => ({ admin: false })); // then nothing is offered
  return admin;
}

/** @param {string} id @param {{storage: object, toaster: object}} shell */
export async function removeSession(id, { storage, toaster }) {
  const agreed = await confirmInDialog({
    titleKey: 'replay.delete_question',
    textKey: 'replay.delete_text',
    confirmKey: 'replay.delete',
  });
  if (!agreed) return;
  try {
    await deleteRecording(id);
  } catch (error) {
    toaster.failure(asFailure(error));
    return;
  }
  new RecentSessions(storage).remove(id);
  location.assign('/');
}
