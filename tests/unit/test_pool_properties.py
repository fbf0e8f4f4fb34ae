"""Whatever clients, workers and operators do in whatever order: no slot is lost or used twice."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from gateway_modules.worker_choice import REQUEST_TYPES, STREAMING
from tests.unit.pool_world import HEALTH, FakeClient, FakeWorker, PoolWorld
from tests.unit.virtual_time import VirtualTimeLoop

MAX_QUEUE_SIZE = 8
DELAYS_S = st.sampled_from((0.0, 3.5))  # of health answers
LONG_ENOUGH_S = 4 * HEALTH.period_s


class PoolMachine(RuleBasedStateMachine):
    """Random histories of a pool; every step runs until nobody has anything left to do."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = VirtualTimeLoop()
        self.line: list[str] = []

    @initialize(slots=st.lists(st.integers(1, 3), min_size=1, max_size=3), delay_s=DELAYS_S)
    def open(self, slots: list[int], delay_s: float) -> None:
        self.world = PoolWorld(slots, MAX_QUEUE_SIZE)
        self.loop.run_until_complete(self.world.start())
        for fake in self.world.fakes:
            fake.answer_delay_s = delay_s

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.loop.run_until_complete(self.world.end())
        self.loop.close()

    def let_time_pass(self, duration_s: float) -> None:
        self.loop.run_until_complete(self.world.let_time_pass(duration_s))

    def settle(self) -> None:
        self.loop.run_until_complete(self.world.settle())

    # -- clients ---------------------------------------------------------------------------------

    @rule(
        request_type=st.sampled_from(REQUEST_TYPES),
        history_hash=st.sampled_from((None, "a", "b")),
        answers_at_once=st.booleans(),
    )
    def arrive(self, request_type: str, history_hash: str | None, answers_at_once: bool) -> None:
        pool = self.world.pool
        caching = {
            worker.worker_id
            for worker in pool.workers.values()
            if worker.is_idle and history_hash and worker.cached_hash == history_hash
        }
        had_room = not pool.queue_full
        has_idle = pool.idle_count > 0

        client = self.loop.run_until_complete(self.world.arrive(request_type, history_hash))
        client.has_begun_answer = answers_at_once

        assert has_idle or had_room or client.outcome == "queue_full"
        assert not (has_idle or had_room) or client.outcome != "queue_full"
        if caching and request_type == STREAMING and client.worker is not None:
            assert client.has_moved or client.worker.worker_id in caching

    @precondition(lambda self: self.world.holders)
    @rule(data=st.data())
    def complete(self, data: st.DataObject) -> None:
        self._one_of(data, self.world.holders).complete()
        self.settle()

    @precondition(lambda self: self.world.live_clients)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        self._one_of(data, self.world.live_clients).leave()
        self.settle()

    @precondition(lambda self: self.world.pool.queue_length)
    @rule(data=st.data())
    def cancel_ticket(self, data: st.DataObject) -> None:
        ticket_id = data.draw(st.sampled_from(list(self.world.pool._queue)))
        client = next(c for c in self.world.live_clients if c.ticket_id == ticket_id)

        assert self.world.pool.cancel(ticket_id)
        self.settle()

        assert client.outcome == "cancelled"

    @rule(n_steps=st.integers(1, 6))
    def come_and_go(self, n_steps: int) -> None:
        self.loop.run_until_complete(self.world.come_and_go(n_steps))

    # -- workers ---------------------------------------------------------------------------------

    @rule(data=st.data())
    def worker_dies(self, data: st.DataObject) -> None:
        self._some_worker(data).die()
        self.settle()

    @rule(data=st.data(), n_slots=st.integers(1, 3))
    def worker_starts_again(self, data: st.DataObject, n_slots: int) -> None:
        fake = self._some_worker(data)
        fake.die()
        fake.start(n_slots)
        self.settle()

    @rule(data=st.data(), state=st.sampled_from(("well", "hangs", "loads")), delay_s=DELAYS_S)
    def worker_changes(self, data: st.DataObject, state: str, delay_s: float) -> None:
        fake = self._some_worker(data)
        fake.hangs, fake.is_loading = state == "hangs", state == "loads"
        fake.answer_delay_s = delay_s

    @rule(data=st.data())
    def worker_comes_to_rest(self, data: st.DataObject) -> None:
        self._some_worker(data).n_leftovers = 0

    @rule(data=st.data(), n_foreign=st.integers(0, 2))
    def somebody_else_uses_a_worker(self, data: st.DataObject, n_foreign: int) -> None:
        self._some_worker(data).n_foreign = n_foreign

    @rule(data=st.data(), what=st.sampled_from(("drain", "end drain", "remove")))
    def membership_changes(self, data: st.DataObject, what: str) -> None:
        fake, pool = self._some_worker(data), self.world.pool
        worker = self.world.known(fake)
        if worker is None:
            pool.add_worker("localhost", fake.port)
        elif what == "drain":
            pool.drain_worker(worker)
        elif what == "end drain":
            pool.end_drain(worker)
        else:
            assert pool.remove_worker(worker.worker_id)
        self.settle()

    @rule(duration_s=st.sampled_from((1.0, 4.0, 20.0)))
    def time_passes(self, duration_s: float) -> None:
        self.let_time_pass(duration_s)

    @rule()
    def all_gets_well_and_everybody_is_served(self) -> None:
        world, pool = self.world, self.world.pool
        for fake in world.fakes:
            fake.die()
            fake.start(fake.n_slots)
            fake.answer_delay_s = 0.0
        if not pool.workers:
            pool.add_worker("localhost", world.fakes[0].port)
        self.let_time_pass(LONG_ENOUGH_S)
        while world.live_clients:
            assert world.holders, "somebody waits and nobody is served"
            for client in world.holders:
                client.complete()
            self.settle()
        assert pool.queue_length == 0
        assert not any(worker.busy_slots for worker in pool.workers.values())

    # -- what always holds -----------------------------------------------------------------------

    @invariant()
    def every_lease_has_one_slot_and_every_slot_its_lease(self) -> None:
        held = sorted(client.ticket_id or "" for client in self.world.holders)
        workers = {*self.world.pool.workers.values()} | {c.worker for c in self.world.holders}
        slots = [slot for worker in workers if worker for slot in worker.slots]
        assert sorted(slot.ticket_id for slot in slots if slot.ticket_id) == held
        assert self.world.wrongs == []

    @invariant()
    def everybody_who_waits_has_a_ticket(self) -> None:
        waiting = {c.ticket_id for c in self.world.live_clients if c.worker is None}
        assert waiting == set(self.world.pool._queue)

    @invariant()
    def nobody_waits_beside_an_idle_worker(self) -> None:
        assert not (self.world.pool.queue_length and self.world.pool.idle_count)

    @invariant()
    def positions_count_from_one_and_waits_never_shrink_down_the_line(self) -> None:
        tickets = [entry.ticket for entry in self.world.pool._queue.values()]
        self.world.pool._recalc_positions_and_eta()
        assert [ticket.position for ticket in tickets] == list(range(1, len(tickets) + 1))
        waits_s = [ticket.estimated_wait_s for ticket in tickets]
        if self.world.pool.degraded_reason is not None:
            assert waits_s == [None] * len(tickets)
        else:
            assert waits_s == sorted(waits_s, key=lambda wait_s: wait_s or 0.0)

    @invariant()
    def nobody_is_overtaken(self) -> None:
        line, before = list(self.world.pool._queue), self.line
        self.line = line
        kept = [ticket_id for ticket_id in before if ticket_id in line]
        assert [ticket_id for ticket_id in line if ticket_id in before] == kept
        served = [t for t in before if t in self.world.served_tickets]
        assert not served or not kept or before.index(served[-1]) < before.index(kept[0])
        moved = {client.ticket_id for client in self.world.live_clients if client.has_moved}
        came = [ticket_id for ticket_id in line if ticket_id not in before]
        ahead = line[: line.index(kept[0])] if kept else []
        assert not kept or ahead == [ticket_id for ticket_id in came if ticket_id in moved]

    # -- helpers ---------------------------------------------------------------------------------

    def _one_of(self, data: st.DataObject, clients: list[FakeClient]) -> FakeClient:
        return clients[data.draw(st.integers(0, len(clients) - 1))]

    def _some_worker(self, data: st.DataObject) -> FakeWorker:
        return self.world.fakes[data.draw(st.integers(0, len(self.world.fakes) - 1))]


PoolMachine.TestCase.settings = settings(
    max_examples=400,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    database=None,
    report_multiple_bugs=False,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestPool = PoolMachine.TestCase
