"""The limits of a half-duplex call, on a clock that the test turns."""

from __future__ import annotations

import pytest

from worker_modules import call_clock
from worker_modules.call_clock import CallClock


class Time:
    now_s = 1000.0

    def monotonic(self) -> float:
        return self.now_s


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    time = Time()
    monkeypatch.setattr(call_clock, "time", time)
    return time


def test_before_the_call_is_prepared_only_the_idle_limit_counts(time: Time) -> None:
    clock = CallClock(idle_s=120)
    time.now_s += 30
    assert clock.left_s == 90


def test_the_whole_call_counts_from_its_beginning(time: Time) -> None:
    clock = CallClock(idle_s=120)
    time.now_s += 100
    clock.start(max_s=300)
    for _ in range(3):
        time.now_s += 90
        clock.note_activity()
    assert clock.left_s == 30
    time.now_s += 31
    assert clock.left_s < 0
    timeout = clock.timeout()
    assert (timeout.reason, timeout.elapsed_s) == ("session_timeout", 301)


def test_silence_counts_from_the_last_word(time: Time) -> None:
    clock = CallClock(idle_s=120)
    clock.start(max_s=300)
    time.now_s += 100
    clock.note_activity()
    time.now_s += 50
    assert clock.left_s == 70
    time.now_s += 71
    timeout = clock.timeout()
    assert (timeout.reason, timeout.elapsed_s) == ("idle_timeout", 221)


def test_nobody_is_silent_while_an_answer_plays_unless_it_was_cut(time: Time) -> None:
    clock = CallClock(idle_s=20)
    clock.start(max_s=300)
    clock.note_activity(playing_s=60)
    time.now_s += 30
    assert clock.left_s == 50
    clock.note_activity()
    assert clock.left_s == 20
