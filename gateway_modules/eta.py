"""How long a request will take and how long the queue will wait.

Durations are an exponential moving average per request type, with configured baselines until
enough requests were measured. Waits come from playing the queue forward on the busy slots.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from gateway_modules.models import EtaConfig, EtaStatus, Seconds

OVERRUN_FLOOR_S = 15.0
UNKNOWN_TYPE_ETA_S = 30.0
STREAMING_ETA_S = 20.0
SHORTEST_CALL_S = 1.0
LONGEST_SAMPLE = 3.0  # times the present estimate: what took longer counts as if it had not
CALLS = {"half_duplex_audio", "audio_duplex", "omni_duplex"}

_BASELINES = {
    "chat": "eta_chat_s",
    "chat_ws": "eta_chat_s",
    "half_duplex_audio": "eta_half_duplex_s",
    "audio_duplex": "eta_audio_duplex_s",
    "omni_duplex": "eta_omni_duplex_s",
}
_STATUS_TYPES = {
    "chat": "chat",
    "streaming": "streaming",
    "half_duplex": "half_duplex_audio",
    "audio_duplex": "audio_duplex",
    "omni_duplex": "omni_duplex",
}


@dataclass(frozen=True)
class LearnedDuration:
    """The moving average of the durations of one request type."""

    average_s: Seconds
    samples: int


class EtaTracker:
    """Expected seconds of each request type: a baseline, then the measured moving average."""

    def __init__(
        self,
        eta_config: EtaConfig | None = None,
        ema_alpha: float = 0.3,
        ema_min_samples: int = 3,
        overrun_floor_s: float = OVERRUN_FLOOR_S,
    ) -> None:
        self.config = EtaConfig()
        self.ema_alpha = ema_alpha
        self.ema_min_samples = ema_min_samples
        self.overrun_floor_s = overrun_floor_s
        self._learned: dict[str, LearnedDuration] = {}
        if eta_config is not None:
            self.update_config(eta_config)

    def update_config(self, config: EtaConfig) -> None:
        """Take over the fields that `config` sets explicitly; the others keep their values."""
        supplied = {name: getattr(config, name) for name in config.model_fields_set}
        if supplied.get("ema_alpha") is not None:
            self.ema_alpha = supplied["ema_alpha"]
        already_set = {name: getattr(self.config, name) for name in self.config.model_fields_set}
        self.config = EtaConfig(**(already_set | supplied))

    @property
    def learned(self) -> Mapping[str, LearnedDuration]:
        """What was measured, by request type."""
        return self._learned

    def restore(self, learned: Mapping[str, LearnedDuration]) -> None:
        """Go on from what was measured before."""
        self._learned = dict(learned)

    def record_duration(self, request_type: str, duration_s: float) -> None:
        """A request ended by itself.

        A call that was hung up at once tells nothing about calls, and one that went on for hours
        little about the next: it moves the average no more than `LONGEST_SAMPLE` estimates would.
        """
        if duration_s <= (SHORTEST_CALL_S if request_type in CALLS else 0):
            return
        duration_s = min(duration_s, LONGEST_SAMPLE * self.get_eta(request_type))
        known = self._learned.get(request_type)
        previous_s, samples = (known.average_s, known.samples) if known else (duration_s, 0)
        average_s = self.ema_alpha * duration_s + (1 - self.ema_alpha) * previous_s
        self._learned[request_type] = LearnedDuration(average_s=average_s, samples=samples + 1)

    def get_eta(self, request_type: str) -> float:
        """Expected seconds of one request from start to end."""
        known = self._learned.get(request_type)
        if known is not None and known.samples >= self.ema_min_samples:
            return known.average_s
        return self._baseline_s(request_type)

    def remaining_s(self, request_type: str, elapsed_s: float) -> float:
        """Seconds until a running request ends; one that overran its estimate gets the floor."""
        eta_s = self.get_eta(request_type)
        return eta_s - elapsed_s if elapsed_s < eta_s else self.overrun_floor_s

    def get_status(self) -> EtaStatus:
        measured: dict[str, float | int | None] = {}
        for name, request_type in _STATUS_TYPES.items():
            known = self._learned.get(request_type)
            measured[f"ema_{name}_s"] = known.average_s if known else None
            measured[f"ema_{name}_samples"] = known.samples if known else 0
        return EtaStatus.model_validate(
            {"config": self.config, "ema_alpha": self.ema_alpha} | measured
        )

    def _baseline_s(self, request_type: str) -> float:
        if request_type in _BASELINES:
            return getattr(self.config, _BASELINES[request_type])
        explicitly_set = self.config.model_fields_set
        if request_type == "streaming":
            for name in ("eta_streaming_s", "eta_half_duplex_s"):
                if name in explicitly_set:
                    return getattr(self.config, name)
            return STREAMING_ETA_S
        if request_type == "duplex" and self.config.eta_duplex_s is not None:
            return self.config.eta_duplex_s
        return UNKNOWN_TYPE_ETA_S


def simulate_waits(
    busy_remaining_s: Iterable[float], queued_etas_s: Iterable[float]
) -> Iterator[float]:
    """Yield the wait of each queued request, in order, when every slot takes the next in line.

    Args:
        busy_remaining_s: seconds until each busy slot is free; none means no wait at all.
        queued_etas_s: expected duration of each waiting request.
    """
    free_at_s = list(busy_remaining_s)
    heapq.heapify(free_at_s)
    for eta_s in queued_etas_s:
        if not free_at_s:
            yield 0.0
            continue
        start_s = free_at_s[0]
        heapq.heapreplace(free_at_s, start_s + eta_s)
        yield round(max(0.0, start_s), 1)
