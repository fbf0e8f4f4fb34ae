"""What each way of talking to the model can do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum


class ProcessorMode(str, Enum):
    """The ways of talking to the model."""

    CHAT = "chat"
    STREAMING = "streaming"
    HALF_DUPLEX = "half_duplex"
    DUPLEX = "duplex"


@dataclass(frozen=True)
class ProcessorCapabilities:
    """The features of one mode."""

    mode: ProcessorMode
    text_input: bool = False
    image_input: bool = False
    audio_input: bool = False
    video_input: bool = False
    text_output: bool = False
    streamed_output: bool = False
    turn_reuse: bool = False


CHAT_CAPABILITIES = ProcessorCapabilities(
    mode=ProcessorMode.CHAT,
    text_input=True,
    image_input=True,
    audio_input=True,
    video_input=True,
    text_output=True,
    streamed_output=True,
)

STREAMING_CAPABILITIES = replace(CHAT_CAPABILITIES, mode=ProcessorMode.STREAMING, turn_reuse=True)

HALF_DUPLEX_CAPABILITIES = replace(
    STREAMING_CAPABILITIES,
    mode=ProcessorMode.HALF_DUPLEX,
    text_input=False,
    image_input=False,
    video_input=False,
)

DUPLEX_CAPABILITIES = ProcessorCapabilities(
    mode=ProcessorMode.DUPLEX,
    image_input=True,
    audio_input=True,
    text_output=True,
    streamed_output=True,
)

CAPABILITIES = {
    capabilities.mode: capabilities
    for capabilities in (
        CHAT_CAPABILITIES,
        STREAMING_CAPABILITIES,
        HALF_DUPLEX_CAPABILITIES,
        DUPLEX_CAPABILITIES,
    )
}


def get_capabilities(mode: ProcessorMode | str) -> ProcessorCapabilities:
    """The features of `mode`.

    Raises:
        KeyError: this build has no such mode.
    """
    return CAPABILITIES[ProcessorMode(mode)]


def supports_feature(mode: ProcessorMode | str, feature: str) -> bool:
    """Whether `mode` exists in this build and has `feature`, a field of `ProcessorCapabilities`."""
    capabilities = CAPABILITIES.get(ProcessorMode(mode))
    return bool(getattr(capabilities, feature, False))
