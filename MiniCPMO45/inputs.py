"""From chat messages to everything the model needs to read them: ids, media tensors, bounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from MiniCPMO45.audio import AudioFeatures, audio_placeholder, offline_features
from MiniCPMO45.errors import PromptError, PromptTooLongError
from MiniCPMO45.image import ImageSettings, ImageTensors, image_placeholder, preprocess_image
from MiniCPMO45.prompts import ChatMessage, PromptOptions, PromptWriter
from MiniCPMO45.tokenizer import Tokenizer

Bounds = list[tuple[int, int]]


@dataclass(frozen=True)
class PromptInput:
    """A tokenised prompt with the media that fill its placeholders.

    Bounds are half-open spans of ``ids``; image bounds are in tile order, overview first.
    """

    text: str
    ids: list[int]
    images: list[ImageTensors]
    image_bounds: Bounds
    audio: AudioFeatures | None
    audio_bounds: Bounds


@dataclass(frozen=True)
class InputBuilder:
    """Builds prompt inputs for one checkpoint. ``compat`` reproduces the published accidents."""

    tokenizer: Tokenizer
    image_settings: ImageSettings
    compat: bool = False

    def chat(self, messages: Sequence[ChatMessage], options: PromptOptions) -> PromptInput:
        """A whole conversation as one prompt.

        Raises:
            PromptError: no messages, or an item of an unknown kind.
            PromptTooLongError: more than ``options.max_inp_length`` tokens; with ``compat`` the
                prompt is cut there instead.
        """
        if not messages:
            raise PromptError("messages must not be empty")
        writer = PromptWriter(self.tokenizer, compat=self.compat)
        joiner = "" if options.omni_mode or options.chunk_audio else "\n"
        contents = writer.flatten(messages, joiner)
        if options.style == "one_shot":
            rendered = self.tokenizer.render(
                contents,
                add_generation_prompt=True,
                enable_thinking=bool(options.enable_thinking),
                use_tts_template=self._speech_opening(options, bool(writer.audios)),
            )
        else:
            rendered = self.tokenizer.render(contents)
        labels = [item.message_index for item in writer.audios]
        if not options.merge_audio:
            labels = list(range(len(labels)))
        return self.finish(
            writer,
            rendered,
            audio=offline_features(_waveforms(writer), labels) if writer.audios else None,
            max_slice_nums=options.max_slice_nums,
            use_image_id=options.use_image_id,
            chunk_audio=options.chunk_audio,
            limit=options.max_inp_length,
        )

    def finish(
        self,
        writer: PromptWriter,
        rendered: str,
        *,
        audio: AudioFeatures | None,
        max_slice_nums: int | None,
        use_image_id: bool | None = None,
        chunk_audio: bool = False,
        limit: int | None = None,
    ) -> PromptInput:
        """Preprocess the media of a rendered prompt, tokenise it and find the placeholders."""
        settings = self.image_settings
        images = [
            preprocess_image(item.value, settings, max_slice_nums)  # pyright: ignore[reportArgumentType]
            for item in writer.images
        ]
        numbered = settings.use_image_id if use_image_id is None else use_image_id
        sample_counts = [waveform.shape[0] for waveform in _waveforms(writer)]
        ids = writer.encode(
            rendered,
            image_text=lambda i: image_placeholder(
                images[i].grid, settings, i if numbered else None
            ),
            audio_text=lambda i: audio_placeholder(sample_counts[i], chunked=chunk_audio),
        )
        if limit is not None and len(ids) > limit:
            if not self.compat:
                raise PromptTooLongError(len(ids), limit)
            ids = ids[:limit]
        return PromptInput(
            text=writer.visible(rendered),
            ids=ids,
            images=images,
            image_bounds=self._bounds(ids, ["<image>", "<slice>"], ["</image>", "</slice>"]),
            audio=audio,
            audio_bounds=self._bounds(ids, ["<|audio_start|>"], ["<|audio_end|>"]),
        )

    def _speech_opening(self, options: PromptOptions, has_audio: bool) -> bool:
        if options.use_tts_template is None or self.compat:
            return bool(options.use_tts_template) or has_audio
        return options.use_tts_template

    def _bounds(self, ids: Sequence[int], starts: list[str], ends: list[str]) -> Bounds:
        start_ids = set(self.tokenizer.ids_of(starts))
        end_ids = set(self.tokenizer.ids_of(ends))
        opened = [position + 1 for position, index in enumerate(ids) if index in start_ids]
        closed = [position for position, index in enumerate(ids) if index in end_ids]
        if len(opened) != len(closed):
            raise PromptError(f"{starts[0]} and {ends[0]} do not pair up in the prompt")
        return list(zip(opened, closed, strict=True))


def _waveforms(writer: PromptWriter) -> list[np.ndarray]:
    return [item.value for item in writer.audios if isinstance(item.value, np.ndarray)]
