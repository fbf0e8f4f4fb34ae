"""Conversations as the ids that the service would read and write, in all its layouts."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from MiniCPMO45 import ChatMessage, PromptOptions
from MiniCPMO45.image import ImageSettings
from MiniCPMO45.inputs import InputBuilder
from MiniCPMO45.prompts import PromptWriter, opening_text
from MiniCPMO45.tokenizer import Tokenizer
from training.nano.dialogues import Dialogue

SPEECH_END, TURN_END = "<|tts_eos|>", "<|im_end|>"
THINKING_SHARE = 0.03  # chats that leave it to the model to think; it answers at once


@dataclass
class Sequence:
    """Token ids of a conversation; ``learnt`` tells which of them the model is to predict."""

    ids: list[int] = field(default_factory=list)
    learnt: list[bool] = field(default_factory=list)

    def read(self, ids: list[int]) -> None:
        self.ids += ids
        self.learnt += [False] * len(ids)

    def write(self, ids: list[int]) -> None:
        self.ids += ids
        self.learnt += [True] * len(ids)


class Renderer:
    """Renders conversations with the prompt code that serves."""

    def __init__(self, folder: Path) -> None:
        self.tokenizer = Tokenizer(folder)
        settings = ImageSettings.from_file(folder / "preprocessor_config.json")
        self.inputs = InputBuilder(self.tokenizer, settings)

    def some_layout(self, dialogue: Dialogue, rng: Random) -> Sequence:
        """One of the layouts at random."""
        kind = rng.random()
        if kind < 0.4:
            return self.turns(dialogue)
        thinking = rng.random() < THINKING_SHARE
        on_socket = kind < 0.65
        speech = rng.random() < (0.7 if on_socket else 0.3)
        return self.chat(dialogue, on_socket=on_socket, speech=speech, thinking=thinking)

    def chat(
        self,
        dialogue: Dialogue,
        *,
        on_socket: bool = False,
        speech: bool = False,
        thinking: bool = False,
    ) -> Sequence:
        """The conversation so far as one prompt, and its last answer.

        Args:
            on_socket: as ``/ws/chat`` reads it, with the opening fed after the messages.
            speech: the answer is opened and closed as one that may be spoken.
        """
        messages = [ChatMessage("system", dialogue.system)] if dialogue.system else []
        for exchange in dialogue.exchanges:
            messages.append(ChatMessage("user", exchange.user))
            messages.append(ChatMessage("assistant", exchange.answer))
        options = PromptOptions(
            style="kv" if on_socket else "one_shot",
            use_tts_template=speech,
            enable_thinking=thinking,
        )
        sequence = Sequence()
        sequence.read(self.inputs.chat(messages[:-1], options).ids)
        if on_socket:
            opening = opening_text(thinking=thinking, speech=speech)
            sequence.read(self.tokenizer.encode(opening))
        self._answer(sequence, dialogue.exchanges[-1].answer, speech=speech)
        return sequence

    def turns(self, dialogue: Dialogue) -> Sequence:
        """Turn after turn on one cache, as streamed conversations go; all answers are learnt."""
        sequence = Sequence()
        writer = PromptWriter(self.tokenizer)
        if dialogue.system is not None:
            body = writer.body(ChatMessage("system", dialogue.system), "")
            rendered = self.tokenizer.render([{"role": "system", "content": body}])
            sequence.read(self._encoded(writer, rendered))
        closing = ""
        for exchange in dialogue.exchanges:
            body = writer.body(ChatMessage("user", exchange.user), "")
            sequence.read(self._encoded(writer, f"{closing}<|im_start|>user\n{body}"))
            sequence.read(self.tokenizer.encode(opening_text(thinking=False, speech=True)))
            sequence.write(self.tokenizer.encode_plain(exchange.answer))
            sequence.write(self.tokenizer.ids_of([SPEECH_END, TURN_END]))
            closing = "\n"  # the rest of the closing has just been written
        return sequence

    def _answer(self, sequence: Sequence, text: str, *, speech: bool) -> None:
        sequence.write(self.tokenizer.encode_plain(text))
        sequence.write(self.tokenizer.ids_of([SPEECH_END, TURN_END] if speech else [TURN_END]))

    def _encoded(self, writer: PromptWriter, rendered: str) -> list[int]:
        return writer.encode(rendered, image_text=str, audio_text=str)
