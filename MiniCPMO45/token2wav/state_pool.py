"""States of streams that have ended, for those that begin."""

from __future__ import annotations

from collections import deque

from MiniCPMO45.token2wav.flow_state import FlowState

FRAMES_STEP = 64  # voices of about one length share states


def capacity_for(n_frames: int) -> int:
    """Mel frames that a state has room for where so many are wanted."""
    return -(-n_frames // FRAMES_STEP) * FRAMES_STEP


class StatePool:
    """Hands out states, of one thread. They may come back from any thread, at any time.

    So many states are kept for later that, with those in use, there are never more than were in use
    at once: one of a five-second voice takes a quarter of a gigabyte.
    """

    def __init__(self) -> None:
        self._returned: deque[FlowState] = deque()
        self._idle: deque[FlowState] = deque()
        self._n_used = 0
        self._most_used = 0

    def take(self, base: FlowState, n_frames: int) -> FlowState:
        """A copy of ``base`` with room for ``n_frames`` mel frames or a few more."""
        while self._returned:
            self._idle.append(self._returned.popleft())
            self._n_used -= 1
        self._n_used += 1
        self._most_used = max(self._most_used, self._n_used)
        capacity = capacity_for(n_frames)
        for _ in range(len(self._idle)):
            state = self._idle.popleft()
            if state.n_frames == capacity:
                state.copy_from(base)
                return state
            self._idle.append(state)
        while self._idle and self._n_used + len(self._idle) > self._most_used:
            self._idle.popleft()  # the one that was not needed for longest
        return base.resized(capacity)

    def give_back(self, state: FlowState) -> None:
        """Take in a state that nobody uses any more."""
        self._returned.append(state)
