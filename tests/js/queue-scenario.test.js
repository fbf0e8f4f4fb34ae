import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { estimateChatEta } from '../../static/lib/chat-eta-estimator.js';
import { CountdownTimer } from '../../static/lib/countdown-timer.js';
import { QueueSimulator } from './queue-simulator.js';

let timer;
let nowS;

beforeEach(() => {
  vi.useFakeTimers();
  timer = new CountdownTimer(() => {});
  nowS = 0;
});

afterEach(() => {
  timer.stop();
  vi.useRealTimers();
});

function waitUntil(seconds) {
  vi.advanceTimersByTime((seconds - nowS) * 1000);
  nowS = seconds;
}

function poll(simulator, id) {
  timer.update(...simulator.update(id, nowS));
}

const chats = (count) => Array(count).fill('chat');
const workersStartedAt = (...starts) => starts.map((startedAt) => ({ startedAt }));

it('one worker, first in line: polls agree with the countdown until our turn', () => {
  const simulator = new QueueSimulator(workersStartedAt(-5), chats(1));
  poll(simulator, 0);
  expect(timer.remaining).toBe(10);
  for (const [at, left] of [[3, 7], [6, 4]]) {
    waitUntil(at);
    expect(simulator.update(0, nowS)[0]).toBe(left);
    poll(simulator, 0);
    expect(timer.remaining).toBe(left);
  }
  waitUntil(8);
  timer.stop();
  expect(timer.remaining).toBe(2);
});

it('two workers, third in line: each worker that finishes brings us one place forward', () => {
  const simulator = new QueueSimulator(workersStartedAt(-10, -3), chats(3));
  poll(simulator, 2);
  expect(timer.remaining).toBe(20);
  waitUntil(3);
  poll(simulator, 2);
  expect(timer.remaining).toBe(17);
  waitUntil(5);
  simulator.finish(0, nowS);
  poll(simulator, 2);
  expect(timer).toMatchObject({ remaining: 15, position: 2 });
  waitUntil(8);
  poll(simulator, 2);
  expect(timer.remaining).toBe(12);
  waitUntil(12);
  simulator.finish(1, nowS);
  poll(simulator, 2);
  expect(timer).toMatchObject({ remaining: 8, position: 1 });
  waitUntil(20);
  expect(timer.remaining).toBe(0);
});

it('a worker that runs far over its time: overtime grows although the server says 15', () => {
  const simulator = new QueueSimulator(workersStartedAt(0), chats(1));
  waitUntil(0);
  poll(simulator, 0);
  const seen = [12, 15, 27, 35].map((at) => {
    waitUntil(at);
    poll(simulator, 0);
    return timer.remaining;
  });
  expect(seen).toEqual([3, 0, -12, -20]);
});

it('the estimate from /status is within a second for one worker and one waiting', () => {
  const simulator = new QueueSimulator(workersStartedAt(0), chats(1));
  for (const at of [0, 3, 6, 9, 12]) {
    const [exact] = simulator.update(0, at);
    expect(Math.abs(estimateChatEta(simulator.status(at)) - exact)).toBeLessThanOrEqual(1);
  }
});

it('the estimate from /status stays in range for two workers and two waiting', () => {
  const simulator = new QueueSimulator(workersStartedAt(-3, -8), chats(2));
  const [exact] = simulator.update(1, 0);
  const estimate = estimateChatEta(simulator.status(0));
  expect(exact).toBeGreaterThan(0);
  expect(estimate).toBeGreaterThan(0);
  expect(Math.abs(estimate - exact)).toBeLessThan(30);
});

it('three workers, fifth in line: all the way to the front', () => {
  const simulator = new QueueSimulator(workersStartedAt(-10, -5, -2), chats(5));
  poll(simulator, 4);
  expect(timer).toMatchObject({ remaining: 25, position: 5 });
  const steps = [
    { at: 5, worker: 0, remaining: 20, position: 4 },
    { at: 10, worker: 1, remaining: 15, position: 3 },
    { at: 13, worker: 2, remaining: 12, position: 2 },
    { at: 20, worker: 0, remaining: 5, position: 1, queueLength: 1 },
  ];
  for (const { at, worker, ...expected } of steps) {
    waitUntil(at);
    simulator.finish(worker, nowS);
    poll(simulator, 4);
    expect(timer).toMatchObject(expected);
  }
  waitUntil(25);
  expect(timer.remaining).toBe(0);
});
