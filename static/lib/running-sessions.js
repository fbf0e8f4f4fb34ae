/** Sessions that go on, with how long each takes, from the two lists that the service keeps. */

/**
 * @param {?object[]} sessions of `GET /sessions`; null where one may not ask for them
 * @param {object[]} tasks `running_tasks` of `GET /api/queue`
 * @returns {object[]} {key, session_id, worker_id, request_type, since, elapsed_s, remaining_s,
 *          kept}; `kept` ones are conversations that a worker remembers between two turns
 */
export function runningSessions(sessions, tasks) {
  const running = tasks.map((task) => rowOf(task, sessionOf(task, sessions ?? [])));
  const kept = (sessions ?? []).filter(({ active }) => !active);
  return [...running, ...kept.map(keptRow)];
}

function sessionOf(task, sessions) {
  return sessions.find(
    ({ active, worker_id: workerId, last_active: since }) =>
      active && workerId === task.worker_id && since === task.started_at,
  );
}

function rowOf(task, session) {
  return {
    key: `${task.worker_id} ${task.started_at}`,
    session_id: session?.session_id ?? '',
    worker_id: task.worker_id,
    request_type: task.request_type,
    since: task.started_at,
    elapsed_s: task.elapsed_s,
    remaining_s: task.estimated_remaining_s,
    kept: false,
  };
}

function keptRow(session) {
  return {
    key: `kept ${session.worker_id}`,
    session_id: session.session_id,
    worker_id: session.worker_id,
    request_type: session.request_type,
    since: session.last_active,
    elapsed_s: null,
    remaining_s: null,
    kept: true,
  };
}
