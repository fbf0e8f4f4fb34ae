/** A waiting time from `/status`, for servers that send no queue messages of their own. */

const TYPICAL_TASK_S = 15;

/**
 * @param {{queue_length?: number, running_tasks?: {estimated_remaining_s?: number}[]}} status
 * @returns {number} whole seconds, at least 1
 */
export function estimateChatEta(status) {
  const tasks = status.running_tasks ?? [];
  const remaining = tasks.map((task) => task.estimated_remaining_s ?? TYPICAL_TASK_S);
  const mean =
    remaining.length === 0
      ? TYPICAL_TASK_S
      : remaining.reduce((sum, seconds) => sum + seconds, 0) / remaining.length;
  const ahead = (status.queue_length ?? 0) - 1;
  return Math.max(1, Math.round(mean + ahead * TYPICAL_TASK_S));
}
