/** The gateway's queue arithmetic, second by second, for one kind of test: what does a client see? */

const BASELINES_S = { chat: 15, streaming: 15, audio: 120, omni: 90 };
const DEFAULT_BASELINE_S = 15;
const OVERDUE_FLOOR_S = 15;

export class QueueSimulator {
  /**
   * @param {{startedAt: number, type?: string}[]} workers all busy
   * @param {string[]} queue types of the waiting requests, first in line first
   */
  constructor(workers, queue) {
    this.workers = workers.map(({ startedAt, type = 'chat' }) => ({ startedAt, type }));
    this.queue = queue.map((type, index) => ({ type, id: index }));
  }

  /** What a waiting request is told. @returns {[number, number, number]} estimate, place, length */
  update(id, nowS) {
    const finishes = this.workers.map((worker) => remaining(worker, nowS));
    for (const [index, item] of this.queue.entries()) {
      finishes.sort((a, b) => a - b);
      const start = finishes.shift();
      if (item.id === id) {
        return [Math.round(Math.max(0, start) * 10) / 10, index + 1, this.queue.length];
      }
      finishes.push(start + baseline(item.type));
    }
    throw new Error(`request ${id} does not wait`);
  }

  /** A worker ends its task and takes the head of the queue. */
  finish(workerIndex, nowS) {
    const next = this.queue.shift();
    this.workers[workerIndex] = { startedAt: nowS, type: next.type };
  }

  status(nowS) {
    return {
      queue_length: this.queue.length,
      running_tasks: this.workers.map((worker) => ({
        estimated_remaining_s: Math.max(0, baseline(worker.type) - (nowS - worker.startedAt)),
      })),
    };
  }
}

function baseline(type) {
  return BASELINES_S[type] ?? DEFAULT_BASELINE_S;
}

function remaining({ startedAt, type }, nowS) {
  const left = baseline(type) - (nowS - startedAt);
  return left > 0 ? left : OVERDUE_FLOOR_S;
}
