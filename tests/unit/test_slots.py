"""How many conversations fit a device, from the bytes that are free on it."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
import torch

from MiniCPMO45 import MiniCPMO, slots
from MiniCPMO45.errors import DeviceMemoryError
from MiniCPMO45.model import DEFAULT_CAPACITY
from MiniCPMO45.slots import GIGABYTE, MARGIN_BYTES, SlotBytes, SlotPlan, plan_slots, slot_bytes
from tests.gpu.full_size import PUBLISHED

COST = SlotBytes(fixed=GIGABYTE, per_position=GIGABYTE // 8000)
LENGTH = 8000  # so that a slot of it takes two gigabytes


def plan(room_gb: float, wanted: int | None) -> SlotPlan:
    return plan_slots(int(room_gb * GIGABYTE), COST, wanted=wanted, max_length=LENGTH)


@pytest.mark.parametrize(
    ("room_gb", "wanted", "n_slots"),
    [(100, 1, 1), (100, 20, 20), (7.9, 20, 3), (2, 1, 1), (7.9, None, 3), (100, None, 16)],
)
def test_there_are_as_many_slots_as_wanted_and_as_fit(
    room_gb: float, wanted: int | None, n_slots: int
) -> None:
    assert plan(room_gb, wanted) == SlotPlan(n_slots, LENGTH)


def test_where_no_whole_slot_fits_there_is_a_shorter_one() -> None:
    assert plan(1.8, 4) == SlotPlan(1, 6400)


@pytest.mark.parametrize("room_gb", [1.5, 0.3, -4])
def test_a_conversation_too_short_to_be_had_is_refused_with_a_remedy(room_gb: float) -> None:
    with pytest.raises(DeviceMemoryError, match=r"lacks .* GB .* model\.quantization"):
        plan(room_gb, 1)


def test_the_cost_of_a_published_conversation_follows_from_its_shapes() -> None:
    with torch.device("meta"):
        model = MiniCPMO(PUBLISHED)
    cost = slot_bytes(model, torch.bfloat16)
    assert cost.per_position == 2 * 36 * 8 * 128 * 2
    tts, audio = PUBLISHED.tts_config, PUBLISHED.audio_config
    speech = 2 * 2 * tts.num_hidden_layers * tts.max_position_embeddings * tts.hidden_size
    hearing = 2 * 2 * audio.encoder_layers * audio.max_source_positions * audio.d_model
    assert cost.fixed == speech + hearing


def load(folder: Path, monkeypatch: pytest.MonkeyPatch, free_bytes: int, wanted: int | None):
    """A model on a device that has so much memory left."""
    monkeypatch.setattr(slots, "free_bytes", lambda device: free_bytes)
    return MiniCPMO.load(str(folder), n_slots=wanted)


def test_a_device_short_of_memory_serves_fewer_and_says_so(
    checkpoint_folder: Path, model: MiniCPMO, monkeypatch, caplog
) -> None:
    cost = slot_bytes(model, torch.float32).of(DEFAULT_CAPACITY)
    caplog.set_level(logging.INFO)
    small = load(checkpoint_folder, monkeypatch, MARGIN_BYTES + 2 * cost, 5)
    assert small.n_slots == small.speech.cache.n_slots == 2
    assert "event=fewer_slots asked=5 slots=2" in caplog.text
    caplog.clear()
    assert load(checkpoint_folder, monkeypatch, MARGIN_BYTES + 3 * cost, None).n_slots == 3
    assert "event=slots asked=auto slots=3" in caplog.text


def test_a_model_without_room_for_one_conversation_does_not_load(
    checkpoint_folder: Path, monkeypatch
) -> None:
    with pytest.raises(DeviceMemoryError, match="for one conversation"):
        load(checkpoint_folder, monkeypatch, MARGIN_BYTES, 1)


def test_all_wanted_slots_are_made_where_memory_is_not_asked(model: MiniCPMO) -> None:
    cost = slot_bytes(model, torch.float32)
    cpu = torch.device("cpu")
    assert slots.slots_on(cpu, cost, wanted=64, max_length=512) == SlotPlan(64, 512)
    assert slots.slots_on(cpu, cost, wanted=None, max_length=512) == SlotPlan(1, 512)
