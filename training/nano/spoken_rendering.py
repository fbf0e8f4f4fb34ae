"""Conversations with spoken questions as the service reads them: chat, and turns on one cache."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from MiniCPMO45 import ChatMessage, PromptOptions
from MiniCPMO45.audio import audio_placeholder
from MiniCPMO45.prompts import PromptWriter, opening_text
from MiniCPMO45.streaming_mel import StreamingMelSettings
from training.nano.hearing import Clip, pieces_of_turn, streamed_turn, whole_clip
from training.nano.mixed_rows import MixedSequence
from training.nano.rendering import Renderer

Waveform = NDArray[np.float32]


@dataclass(frozen=True)
class SpokenTurn:
    """A turn of both sides: the question as sound or text, and a text after it, if any.

    Args:
        said: what the sound says.
    """

    question: Waveform | str
    answer: str
    said: str | None = None
    instruction: str | None = None

    @property
    def message(self) -> ChatMessage:
        parts = [self.question, *([self.instruction] if self.instruction else [])]
        return ChatMessage("user", parts)


class SpokenRenderer(Renderer):
    """Renders what was said with the prompt code that serves."""

    def spoken_chat(
        self,
        system: ChatMessage | None,
        turns: Sequence[SpokenTurn],
        *,
        on_socket: bool = False,
        speech: bool = True,
    ) -> MixedSequence:
        """The conversation so far as one prompt, and its last answer, as `Renderer.chat`."""
        messages = [system] if system else []
        for turn in turns:
            messages += [turn.message, ChatMessage("assistant", turn.answer)]
        style = "kv" if on_socket else "one_shot"
        options = PromptOptions(style=style, use_tts_template=speech)
        prompt = self.inputs.chat(messages[:-1], options)
        clips = []
        if prompt.audio is not None:
            texts = _texts_of_sounds(system, turns)
            parts = zip(prompt.audio.mel, prompt.audio.lengths, texts, strict=True)
            clips = [Clip.of_mel("blocks", mel[:, :n], text) for mel, n, text in parts]
        sequence = MixedSequence()
        self._read(sequence, prompt.ids, clips)
        if on_socket:
            opening = opening_text(thinking=False, speech=speech)
            sequence.read(self.tokenizer.encode(opening))
        self._answer(sequence, turns[-1].answer, speech=speech)
        return sequence

    def spoken_turns(
        self, system: ChatMessage | None, turns: Sequence[SpokenTurn], *, live: bool = False
    ) -> MixedSequence:
        """Turn after turn on one cache, as `Renderer.turns`; all answers are learnt.

        Args:
            live: questions come second by second, else each as a whole.
        """
        sequence = MixedSequence()
        writer = PromptWriter(self.tokenizer)
        if system is not None:
            body = writer.body(system, "")
            rendered = self.tokenizer.render([{"role": "system", "content": body}])
            voices = [item for item in system.items if isinstance(item, np.ndarray)]
            clips = [whole_clip(voice, "whole") for voice in voices]
            placeholders = [audio_placeholder(voice.size) for voice in voices]
            self._read(sequence, self._ids(writer, rendered, placeholders), clips)
        closing = ""
        for turn in turns:
            self._question(sequence, closing, turn, live=live)
            sequence.read(self.tokenizer.encode(opening_text(thinking=False, speech=True)))
            self._answer(sequence, turn.answer, speech=True)
            closing = "\n"  # the rest of the closing has just been written
        return sequence

    def _question(
        self, sequence: MixedSequence, closing: str, turn: SpokenTurn, *, live: bool
    ) -> None:
        writer = PromptWriter(self.tokenizer)
        rendered = f"{closing}<|im_start|>user\n{writer.body(turn.message, '')}"
        if isinstance(turn.question, str):
            sequence.read(self._ids(writer, rendered, []))
            return
        if live:
            placeholder = "".join(
                audio_placeholder(piece.size) for piece in pieces_of_turn(turn.question)
            )
            clip = streamed_turn(turn.question, turn.said)
        else:
            missing = StreamingMelSettings().padded_first_samples - turn.question.size
            waveform = np.pad(turn.question, (max(0, missing), 0))
            placeholder = audio_placeholder(waveform.size)
            clip = whole_clip(waveform, "whole", turn.said)
        self._read(sequence, self._ids(writer, rendered, [placeholder]), [clip])

    def _read(self, sequence: MixedSequence, ids: list[int], clips: list[Clip]) -> None:
        """Read ids whose slots between audio tags the clips fill, in order."""
        start_id, end_id = self.tokenizer.ids_of(["<|audio_start|>", "<|audio_end|>"])
        slots: list[int] = []
        inside = False
        for place, index in enumerate(ids, start=len(sequence.ids)):
            inside = index != end_id and (inside or index == start_id)
            if inside and index != start_id:
                slots.append(place)
        sequence.read(ids)
        for clip in clips:
            clip.places, slots = slots[: clip.n_rows], slots[clip.n_rows :]
        sequence.clips += clips

    def _ids(self, writer: PromptWriter, rendered: str, placeholders: list[str]) -> list[int]:
        return writer.encode(rendered, image_text=str, audio_text=placeholders.__getitem__)


def _texts_of_sounds(system: ChatMessage | None, turns: Sequence[SpokenTurn]) -> list[str | None]:
    """What each sound of a conversation says, the voice samples' left open."""
    voices = [None for item in (system.items if system else []) if isinstance(item, np.ndarray)]
    return [*voices, *(turn.said for turn in turns if isinstance(turn.question, np.ndarray))]
