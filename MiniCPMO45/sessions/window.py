"""Which turns a conversation may forget when its cache grows long."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class ContextWindow:
    """Above ``high`` cached tokens the oldest turns go until at most ``low`` are left."""

    high: int = 8000
    low: int = 6000


@dataclass
class TurnLog:
    """Cache positions at which turns begin.

    Whatever comes before the first turn is never forgotten, nor is the turn that is still open.
    A turn is its user pieces, the generation opening, the answer and what closes it.
    """

    starts: list[int] = field(default_factory=list)

    def begin(self, position: int) -> None:
        """A turn starts at ``position``."""
        self.starts.append(position)

    def excess(self, length: int, window: ContextWindow) -> int:
        """Tokens after the first turn's start that must go; whole turns only."""
        if length <= window.high:
            return 0
        for start in self.starts[1:]:
            dropped = start - self.starts[0]
            if length - dropped <= window.low:
                return dropped
        return self.starts[-1] - self.starts[0] if self.starts else 0

    def forget(self, count: int) -> None:
        """The first ``count`` tokens of turns were dropped."""
        first = self.starts[0]
        kept = [start for start in self.starts if start >= first + count]
        self.starts = [start - count for start in kept]
