"""States of streams that have ended, for those that begin."""

from __future__ import annotations

from collections import deque

from MiniCPMO45.token2wav.flow_state import FlowState

IDLE_STATES = 4  # one of a five-second voice takes a quarter of a gigabyte
FRAMES_STEP = 128  # voices of about one length share states


class StatePool:
    """Hands out states. They may come back from any thread, at any time."""

    def __init__(self) -> None:
        self._idle: deque[FlowState] = deque(maxlen=IDLE_STATES)

    def take(self, base: FlowState, n_frames: int) -> FlowState:
        """A copy of ``base`` with room for ``n_frames`` mel frames or a few more."""
        capacity = -(-n_frames // FRAMES_STEP) * FRAMES_STEP
        for _ in range(len(self._idle)):
            state = self._idle.popleft()
            if state.n_frames == capacity:
                state.copy_from(base)
                return state
            self._idle.append(state)
        return base.resized(capacity)

    def give_back(self, state: FlowState) -> None:
        """Take in a state that nobody uses any more."""
        self._idle.append(state)
