"""How many conversations the memory of a device holds, and how long they may get."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from MiniCPMO45.audio_cache import AudioCaches
from MiniCPMO45.errors import DeviceMemoryError
from MiniCPMO45.kv_cache import KVCache
from MiniCPMO45.token2wav import Token2Wav

if TYPE_CHECKING:
    from MiniCPMO45.model import MiniCPMO

logger = logging.getLogger(__name__)

GIGABYTE = 10**9
# Left free behind weights and slots: 1.2 GB for CUDA graphs and the workspaces of libraries, 0.8 GB
# for the activations of a long prompt or many pictures, 1 GB for voices that are kept ready.
MARGIN_BYTES = 3 * GIGABYTE
MOST_SLOTS = 16  # of a device whose memory decides alone
SHORTEST = 4096  # positions of a conversation that is still worth to be had
LENGTH_STEP = 64
VOICE_S = 10.0  # the reference voice in which every conversation can speak


@dataclass(frozen=True)
class SlotBytes:
    """What one conversation takes: in any case, and for each cached position."""

    fixed: int
    per_position: int

    def of(self, max_length: int) -> int:
        """A conversation of at most ``max_length`` positions."""
        return self.fixed + max_length * self.per_position


@dataclass(frozen=True)
class SlotPlan:
    n_slots: int
    max_length: int


def plan_slots(
    room_bytes: int, cost: SlotBytes, *, wanted: int | None, max_length: int
) -> SlotPlan:
    """As many of the ``wanted`` slots as there is room for; as many as there is room for, up to
    :data:`MOST_SLOTS`, where None are wanted.

    Slots have the full length. Only where not even one of these fits, there is one shorter slot.

    Raises:
        DeviceMemoryError: it would be shorter than :data:`SHORTEST`.
    """
    n_fitting = max(0, room_bytes) // cost.of(max_length)
    if n_fitting:
        return SlotPlan(min(wanted or MOST_SLOTS, n_fitting), max_length)
    length = (room_bytes - cost.fixed) // cost.per_position // LENGTH_STEP * LENGTH_STEP
    if length < SHORTEST:
        missing = cost.of(min(SHORTEST, max_length)) - room_bytes
        raise DeviceMemoryError(
            f"the device lacks {missing / GIGABYTE:.1f} GB of memory for one conversation; end "
            "other programs that use it, set model.quantization, or take a larger one"
        )
    return SlotPlan(1, length)


def slots_on(
    device: torch.device, cost: SlotBytes, *, wanted: int | None, max_length: int
) -> SlotPlan:
    """The slots that a device holds on which the weights lie already. Where its memory is not
    asked, as on the CPU, all that are wanted, or one.

    Raises:
        DeviceMemoryError: there is no room for one.
    """
    free = free_bytes(device)
    if free is None:
        return SlotPlan(wanted or 1, max_length)
    plan = plan_slots(free - MARGIN_BYTES, cost, wanted=wanted, max_length=max_length)
    is_less = plan.n_slots < (wanted or 1) or plan.max_length < max_length
    logger.log(
        logging.WARNING if is_less else logging.INFO,
        "event=%s asked=%s slots=%d positions=%d slot_gb=%.2f free_gb=%.2f margin_gb=%.2f",
        "fewer_slots" if is_less else "slots",
        wanted or "auto",
        plan.n_slots,
        plan.max_length,
        cost.of(plan.max_length) / GIGABYTE,
        free / GIGABYTE,
        MARGIN_BYTES / GIGABYTE,
    )
    return plan


def slot_bytes(model: MiniCPMO, dtype: torch.dtype) -> SlotBytes:
    """What a conversation takes, read off caches that have no memory behind them."""
    config, place = model.config, {"device": torch.device("meta"), "dtype": dtype}
    position = KVCache(model.llm.model.shape, n_slots=1, capacity=1, **place)
    fixed: list[object] = []
    if config.init_audio:
        fixed.append(AudioCaches(config.audio_config, 1, torch.empty(0, **place)))
    if config.init_tts:
        shape, capacity = model.tts.model.shape, config.tts_config.max_position_embeddings
        fixed.append(KVCache(shape, n_slots=1, capacity=capacity, **place))
    if isinstance(model.vocoder, Token2Wav):
        fixed.append(model.vocoder.new_state(VOICE_S))
    return SlotBytes(sum(tensor_bytes(each) for each in fixed), tensor_bytes(position))


def free_bytes(device: torch.device) -> int | None:
    """Memory of a GPU that can be had now; None elsewhere."""
    if device.type != "cuda":
        return None
    torch.cuda.empty_cache()
    return torch.cuda.mem_get_info(device)[0]


def tensor_bytes(holder: object) -> int:
    """Size of all tensors in an object, through its attributes."""
    if isinstance(holder, Tensor):
        return holder.nbytes
    return sum(tensor_bytes(value) for value in getattr(holder, "__dict__", {}).values())
