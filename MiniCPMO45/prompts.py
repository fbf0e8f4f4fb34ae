"""From chat messages to the text the model reads, and from that text to ids."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from PIL import Image

from MiniCPMO45.errors import PromptError
from MiniCPMO45.tokenizer import Tokenizer

ContentItem = str | Image.Image | np.ndarray
PromptStyle = Literal["one_shot", "kv"]

# Private-use characters that hold a place in rendered text until it is tokenised.
_SHIELD = "\ue000"  # stands inside a user's spelling of a special token, or before a marker
_MARK = "\ue001"  # encloses the place of an image or audio
_MARKER = re.compile(f"{_MARK}([ia])([0-9]+){_MARK}")
_MARKER_TEXT = {"i": "<image>./</image>", "a": "<audio>./</audio>"}


@dataclass(frozen=True)
class ChatMessage:
    """One message. ``content`` is a string or a list of strings, RGB images and float32
    16 kHz mono waveforms, in the order the model sees them."""

    role: Literal["system", "user", "assistant"]
    content: str | Sequence[ContentItem]

    @property
    def items(self) -> list[ContentItem]:
        return [self.content] if isinstance(self.content, str) else list(self.content)


@dataclass(frozen=True)
class PromptOptions:
    """How messages become a prompt. ``None`` leaves a choice to the style.

    ``one_shot`` renders the whole prompt with its generation opening; ``kv`` renders the
    messages alone and feeds the opening when generation starts.
    """

    style: PromptStyle = "one_shot"
    omni_mode: bool = False
    max_slice_nums: int | None = None
    use_image_id: bool | None = None
    use_tts_template: bool | None = None
    enable_thinking: bool | None = None
    max_inp_length: int = 8192
    merge_audio: bool = True
    """Encode all audio of one message as one waveform."""
    chunk_audio: bool = False
    """Give every second of audio its own start and end tag."""


@dataclass(frozen=True)
class MediaItem:
    """An image or waveform met while flattening, and the message it came from."""

    value: Image.Image | np.ndarray
    message_index: int


class PromptWriter:
    """Flattens messages to template text and tokenises the result.

    Text from callers is read as ordinary characters: a spelling such as ``<|im_end|>`` in it is
    not a special token. With ``compat`` it is, as in the published model.
    """

    def __init__(self, tokenizer: Tokenizer, *, compat: bool = False) -> None:
        self._tokenizer = tokenizer
        self._compat = compat
        self.images: list[MediaItem] = []
        self.audios: list[MediaItem] = []
        added = sorted(tokenizer.added_strings, key=len, reverse=True)
        self._added = re.compile("(" + "|".join(map(re.escape, added)) + ")")
        self._reserved = re.compile(f"{self._added.pattern}|([{_SHIELD}{_MARK}])")

    def flatten(self, messages: Sequence[ChatMessage], joiner: str) -> list[dict[str, str]]:
        """Messages with string contents, media replaced by markers and remembered."""
        return [
            {"role": message.role, "content": self.body(message, joiner, index)}
            for index, message in enumerate(messages)
        ]

    def body(self, message: ChatMessage, joiner: str, message_index: int = 0) -> str:
        """The content of one message as template text."""
        parts = []
        for item in message.items:
            if isinstance(item, str):
                parts.append(self._shield(item, message.role))
            elif isinstance(item, Image.Image):
                parts.append(f"{_MARK}i{len(self.images)}{_MARK}")
                self.images.append(MediaItem(item, message_index))
            elif isinstance(item, np.ndarray):
                parts.append(f"{_MARK}a{len(self.audios)}{_MARK}")
                self.audios.append(MediaItem(item, message_index))
            else:
                raise PromptError(f"content item of type {type(item).__name__} is not supported")
        return joiner.join(parts)

    def visible(self, rendered: str) -> str:
        """Rendered text with media written as short tags; for people and records."""
        return self._unshield(_MARKER.sub(lambda m: _MARKER_TEXT[m[1]], rendered))

    def encode(
        self, rendered: str, image_text: Callable[[int], str], audio_text: Callable[[int], str]
    ) -> list[int]:
        """Ids of rendered text, with each marker expanded by the given function of its index.

        ``<|listen|>`` never enters a text-built prompt and is dropped.
        """
        expand = {"i": image_text, "a": audio_text}
        text = _MARKER.sub(lambda m: expand[m[1]](int(m[2])), rendered)
        if self._compat:
            ids = self._tokenizer.encode(text)
        else:
            ids = []
            for part in self._added.split(text):
                if self._added.fullmatch(part):
                    ids.append(self._tokenizer.id_of(part))
                elif part:
                    ids.extend(self._tokenizer.encode_plain(self._unshield(part)))
        listen = self._tokenizer.id_of("<|listen|>")
        return [index for index in ids if index != listen]

    def _shield(self, text: str, role: str) -> str:
        if self._compat:
            return text

        def shield(match: re.Match[str]) -> str:
            found = match[0]
            if found in (_SHIELD, _MARK):
                return _SHIELD + found
            if role == "assistant" and found in ("<think>", "</think>"):
                return found  # the template separates earlier reasoning by these
            return found[0] + _SHIELD + found[1:]

        return self._reserved.sub(shield, text)

    def _unshield(self, text: str) -> str:
        if self._compat:
            return text
        return re.sub(f"{_SHIELD}(.?)", r"\1", text, flags=re.DOTALL)


def opening_text(*, thinking: bool, speech: bool) -> str:
    """What is fed between a closed-off prompt and the first sampled token."""
    text = "<|im_end|>\n<|im_start|>assistant\n"
    if not thinking:
        text += "<think>\n\n</think>\n\n"
    if speech:
        text += "<|tts_bos|>"
    return text


@dataclass(frozen=True)
class VoicePrompt:
    """The words around a voice sample in a system message."""

    prefix: str
    suffix: str | None


_NO_SAMPLE = "Use the <reserved_53> voice."
_DEFAULT_SYSTEM = (
    "You are a helpful assistant. You can accept audio and text input and output voice and text."
)
_CLONE_ZH = "模仿音频样本的音色并生成新的内容。"
_VOICE_PROMPTS = {
    ("omni", "en"): VoicePrompt(
        "Clone the voice in the provided audio prompt.",
        "As an assistant, you will speak using this voice style.",
    ),
    ("omni", "zh"): VoicePrompt(
        _CLONE_ZH,
        "请用这种声音风格来为用户提供帮助。 请认真、高质量地回复用户的问题。 "
        "请用高自然度的方式和用户聊天。",
    ),
    ("audio_assistant", "en"): VoicePrompt(
        "Use the voice in the audio prompt to synthesize new content.",
        "You are a helpful assistant with the above voice style.",
    ),
    ("audio_assistant", "zh"): VoicePrompt(
        _CLONE_ZH,
        "你的任务是用这种声音模式来当一个助手。请认真、高质量地回复用户的问题。"
        "请用高自然度的方式和用户聊天。你是由面壁智能开发的人工智能助手：面壁小钢炮。",
    ),
    ("audio_roleplay", "en"): VoicePrompt(
        "Clone the voice in the provided audio prompt.",
        "Try to role-play the character based on the audio prompt above.",
    ),
    ("audio_roleplay", "zh"): VoicePrompt(
        "模仿输入音频中的声音特征。", "假装你是上述音频中的人物，与我进行对话。"
    ),
    ("voice_cloning", "en"): VoicePrompt("Clone the voice in the provided audio prompt.", None),
    ("voice_cloning", "zh"): VoicePrompt("模仿输入音频中的声音特征。", None),
}


def voice_system_message(
    mode: str, language: str, reference_audio: np.ndarray | None
) -> ChatMessage:
    """The system message that gives the assistant a voice.

    Args:
        mode: ``omni``, ``audio_assistant``, ``audio_roleplay``, ``voice_cloning``; anything else
            gives the plain default prompt, which takes no sample.
        language: ``zh`` for Chinese, anything else for English.
        reference_audio: float32 16 kHz mono waveform, or None.

    Raises:
        PromptError: ``voice_cloning`` without a sample.
    """
    prompt = _VOICE_PROMPTS.get((mode, "zh" if language == "zh" else "en"))
    content: list[Any]
    if prompt is None:
        content = [_DEFAULT_SYSTEM]
    elif reference_audio is not None:
        content = [prompt.prefix, reference_audio]
        content += [prompt.suffix] if prompt.suffix is not None else []
    elif mode == "omni":
        content = [""]
    elif prompt.suffix is not None:
        content = [_NO_SAMPLE, prompt.suffix]
    else:
        raise PromptError(f"mode {mode} needs a reference voice")
    return ChatMessage("system", content)
