"""Conversations that wait for their next turn with their cache filled."""

from __future__ import annotations

from collections import OrderedDict

from core.processors import Conversation


class KeptConversations:
    """Conversations between two of their turns, the one used longest ago first."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Conversation] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def keep(self, key: str, conversation: Conversation) -> Conversation | None:
        """Keep it under `key`; what was kept there before has to be closed."""
        displaced = self._kept.pop(key, None)
        self._kept[key] = conversation
        return displaced

    def get(self, key: str) -> Conversation | None:
        """What is kept under `key`, which goes on to be kept."""
        return self._kept.get(key)

    def take(self, key: str) -> Conversation | None:
        """Hand out what is kept under `key`; it is not kept any longer."""
        return self._kept.pop(key, None)

    def take_oldest(self) -> Conversation:
        """Hand out the one used longest ago."""
        return self._kept.popitem(last=False)[1]
