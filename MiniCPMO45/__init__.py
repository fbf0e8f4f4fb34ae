"""MiniCPM-o 4.5: text, images and audio in; text (and speech) out."""

from MiniCPMO45.errors import (
    AttentionUnavailableError,
    CheckpointError,
    MediaError,
    ModelError,
    NoFreeSlotError,
    NotFiniteError,
    PromptError,
    PromptTooLongError,
)
from MiniCPMO45.model import MiniCPMO
from MiniCPMO45.prompts import ChatMessage, PromptOptions, voice_system_message
from MiniCPMO45.sampling import GenerationOptions
from MiniCPMO45.sessions.chat import Answer, ChatSession, Prompt, TextDelta
from MiniCPMO45.sessions.streaming import StreamingSession

__all__ = [
    "Answer",
    "AttentionUnavailableError",
    "ChatMessage",
    "ChatSession",
    "CheckpointError",
    "GenerationOptions",
    "MediaError",
    "MiniCPMO",
    "ModelError",
    "NoFreeSlotError",
    "NotFiniteError",
    "Prompt",
    "PromptError",
    "PromptOptions",
    "PromptTooLongError",
    "StreamingSession",
    "TextDelta",
    "voice_system_message",
]
