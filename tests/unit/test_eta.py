"""Expected durations and the waits that follow from them."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from gateway_modules.eta import EtaTracker, simulate_waits
from gateway_modules.eta_file import restore_estimates, save_estimates
from gateway_modules.models import EtaConfig


def test_the_baseline_holds_until_enough_samples_exist() -> None:
    tracker = EtaTracker(EtaConfig(eta_chat_s=10))
    for _ in range(2):
        tracker.record_duration("chat", 5)
        assert tracker.get_eta("chat") == 10
    tracker.record_duration("chat", 5)
    assert 4 < tracker.get_eta("chat") < 10


def test_the_average_follows_the_newest_durations() -> None:
    tracker = EtaTracker(EtaConfig(), ema_alpha=0.5, ema_min_samples=1)
    for duration_s in (10, 20, 40):
        tracker.record_duration("chat", duration_s)
    assert tracker.get_eta("chat") == pytest.approx(27.5)


def test_the_first_sample_is_the_average() -> None:
    tracker = EtaTracker(EtaConfig())
    tracker.record_duration("chat", 5.0)
    status = tracker.get_status()
    assert (status.ema_chat_s, status.ema_chat_samples) == (5.0, 1)
    assert (status.ema_streaming_s, status.ema_streaming_samples) == (None, 0)


def test_half_duplex_reports_the_samples_of_voice_calls() -> None:
    tracker = EtaTracker(EtaConfig())
    tracker.record_duration("half_duplex_audio", 30)
    assert tracker.get_status().ema_half_duplex_samples == 1


@pytest.mark.parametrize(
    ("request_type", "eta_s"),
    [
        ("chat", 1),
        ("chat_ws", 1),
        ("streaming", 2),
        ("half_duplex_audio", 3),
        ("audio_duplex", 4),
        ("omni_duplex", 5),
        ("duplex", 6),
        ("something", 30),
    ],
)
def test_every_type_has_its_baseline(request_type: str, eta_s: float) -> None:
    config = EtaConfig(
        eta_chat_s=1,
        eta_streaming_s=2,
        eta_half_duplex_s=3,
        eta_audio_duplex_s=4,
        eta_omni_duplex_s=5,
        eta_duplex_s=6,
    )
    assert EtaTracker(config).get_eta(request_type) == eta_s


def test_streaming_falls_back_to_an_explicit_half_duplex_baseline() -> None:
    assert EtaTracker(EtaConfig(eta_half_duplex_s=30)).get_eta("streaming") == 30


def test_streaming_without_any_explicit_baseline_takes_20_s() -> None:
    assert EtaTracker(EtaConfig(eta_chat_s=3)).get_eta("streaming") == 20


def test_an_explicit_baseline_survives_later_updates() -> None:
    tracker = EtaTracker(EtaConfig(eta_streaming_s=30))
    tracker.update_config(EtaConfig(eta_chat_s=7))
    assert (tracker.get_eta("streaming"), tracker.get_eta("chat")) == (30, 7)


def test_an_update_changes_only_what_it_names() -> None:
    tracker = EtaTracker(EtaConfig(eta_chat_s=5, eta_omni_duplex_s=44), ema_alpha=0.2)
    tracker.update_config(EtaConfig(eta_chat_s=6, eta_duplex_s=120, ema_alpha=None))
    assert tracker.get_eta("chat") == 6
    assert tracker.get_eta("omni_duplex") == 44
    assert tracker.get_eta("duplex") == 120
    assert tracker.ema_alpha == 0.2
    tracker.update_config(EtaConfig(ema_alpha=0.9))
    assert tracker.get_status().ema_alpha == 0.9


def test_unknown_keys_are_tolerated() -> None:
    assert EtaConfig.model_validate({"eta_chat_s": 5, "eta_future_s": 1}).eta_chat_s == 5


def test_a_task_that_overran_its_estimate_keeps_the_floor() -> None:
    tracker = EtaTracker(EtaConfig(eta_chat_s=10))
    assert tracker.remaining_s("chat", 4) == 6
    assert tracker.remaining_s("chat", 11) == 15


def test_the_queue_is_played_forward_on_the_busy_slots() -> None:
    assert list(simulate_waits([15, 10], [20, 20, 20])) == [10, 15, 30]


def test_nobody_waits_when_nothing_runs() -> None:
    assert list(simulate_waits([], [20, 20])) == [0, 0]


@pytest.mark.parametrize("request_type", ["half_duplex_audio", "audio_duplex", "omni_duplex"])
def test_a_call_that_is_hung_up_at_once_tells_nothing(request_type: str) -> None:
    tracker = EtaTracker(EtaConfig(), ema_min_samples=1)
    expected_s = tracker.get_eta(request_type)
    tracker.record_duration(request_type, 0.4)
    assert tracker.get_eta(request_type) == expected_s


def test_a_quick_chat_counts() -> None:
    tracker = EtaTracker(EtaConfig(), ema_min_samples=1)
    tracker.record_duration("chat", 0.4)
    assert tracker.get_eta("chat") == pytest.approx(0.4)


def test_one_call_of_two_hours_does_not_spoil_the_estimate() -> None:
    tracker = EtaTracker(EtaConfig())
    for _ in range(20):
        tracker.record_duration("omni_duplex", 60)
    tracker.record_duration("omni_duplex", 7200)
    assert tracker.get_eta("omni_duplex") == pytest.approx(0.7 * 60 + 0.3 * 180)
    for _ in range(5):
        tracker.record_duration("omni_duplex", 60)
    assert tracker.get_eta("omni_duplex") < 70


def test_the_very_first_call_may_be_an_exception_too() -> None:
    tracker = EtaTracker(EtaConfig(eta_omni_duplex_s=90), ema_min_samples=1)
    tracker.record_duration("omni_duplex", 7200)
    assert tracker.get_eta("omni_duplex") == 270


def test_requests_that_really_take_longer_are_believed_soon() -> None:
    tracker = EtaTracker(EtaConfig(eta_chat_s=5))
    for _ in range(12):
        tracker.record_duration("chat", 60)
    assert tracker.get_eta("chat") == pytest.approx(60, rel=0.1)


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf")])
def test_an_expectation_is_a_positive_number(value: float) -> None:
    for name in EtaConfig.model_fields:
        with pytest.raises(ValidationError):
            EtaConfig.model_validate({name: value})


def test_what_was_learned_outlives_a_restart(tmp_path: Path) -> None:
    before = EtaTracker(EtaConfig())
    for _ in range(3):
        before.record_duration("omni_duplex", 44.0)
    save_estimates(before, tmp_path / "data" / "eta.json")
    after = EtaTracker(EtaConfig())
    restore_estimates(after, tmp_path / "data" / "eta.json")
    assert after.get_eta("omni_duplex") == pytest.approx(44)
    assert after.get_status().ema_omni_duplex_samples == 3


@pytest.mark.parametrize(
    "content", ["", "[1]", '{"chat": {"average_s": -1, "samples": 9}}', '{"chat": 1}']
)
def test_an_unreadable_file_of_averages_is_left_alone(tmp_path: Path, content: str) -> None:
    file = tmp_path / "eta.json"
    file.write_text(content)
    tracker = EtaTracker(EtaConfig())
    restore_estimates(tracker, file)
    assert tracker.learned == {}
    assert file.read_text() == content
