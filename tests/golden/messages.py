"""Recorded message lists as the model's messages, and recorded options as ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from MiniCPMO45 import ChatMessage, PromptOptions
from MiniCPMO45.sessions.streaming import PieceOptions
from tests.golden.inputs import build_input

_RENAMED = {"stream_input": "chunk_audio", "merge_audio_from_same_content": "merge_audio"}
_PROMPT_FIELDS = {
    "omni_mode",
    "max_slice_nums",
    "use_image_id",
    "use_tts_template",
    "enable_thinking",
    "max_inp_length",
    "chunk_audio",
    "merge_audio",
}


def chat_message(recorded: Mapping[str, Any]) -> ChatMessage:
    """One message with its synthetic media built."""
    return ChatMessage(recorded["role"], build_input(recorded["content"]))


def piece_options(recorded: Mapping[str, Any]) -> PieceOptions:
    """The recorded options of an incremental piece."""
    named = {"is_live" if key == "stream_input" else key: recorded[key] for key in recorded}
    return PieceOptions(**named)


def prompt_options(recorded: Mapping[str, Any], **overrides: Any) -> PromptOptions:
    """The recorded options that shape a prompt."""
    named = {_RENAMED.get(key, key): value for key, value in recorded.items()}
    kept = {key: value for key, value in named.items() if key in _PROMPT_FIELDS}
    return PromptOptions(**{**kept, **overrides})
