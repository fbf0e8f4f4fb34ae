"""What can go wrong inside the model package; the service maps these to its own errors."""

from __future__ import annotations


class ModelError(Exception):
    """Base of every error this package raises on purpose."""


class CheckpointError(ModelError):
    """The weights or their configuration cannot be found, read or matched to the model."""


class AttentionUnavailableError(ModelError):
    """An attention backend was asked for by name and cannot run here."""


class MediaError(ModelError):
    """An image or a waveform cannot be used as model input."""


class PromptError(ModelError):
    """A message list cannot be turned into a prompt."""


class PromptTooLongError(PromptError):
    """A prompt holds more tokens than the limit allows."""

    def __init__(self, n_tokens: int, limit: int) -> None:
        super().__init__(f"the prompt has {n_tokens} tokens, the limit is {limit}")
        self.n_tokens = n_tokens
        self.limit = limit


class NoFreeSlotError(ModelError):
    """All KV-cache slots of the model are taken by other sessions."""


class DeviceMemoryError(ModelError):
    """The memory of the device does not hold a conversation beside the weights."""


class NotFiniteError(ModelError):
    """What the model computed for a conversation is no number; the conversation is lost."""


class SessionStateError(ModelError):
    """A conversation was asked for something its state does not allow."""
