"""Conversations as the ids that the service would read and write, in all its layouts."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from PIL import Image

from MiniCPMO45 import ChatMessage, PromptOptions
from MiniCPMO45.image import ImageSettings, ImageTensors
from MiniCPMO45.inputs import InputBuilder
from MiniCPMO45.prompts import PromptWriter, opening_text
from MiniCPMO45.tokenizer import Tokenizer
from training.nano.dialogues import Dialogue

SPEECH_END, TURN_END = "<|tts_eos|>", "<|im_end|>"
THINKING_SHARE = 0.03  # chats that leave it to the model to think; it answers at once


@dataclass
class Sequence:
    """Token ids of a conversation; ``learnt`` tells which of them the model is to predict.
    ``images`` fill its placeholders in turn."""

    ids: list[int] = field(default_factory=list)
    learnt: list[bool] = field(default_factory=list)
    images: list[ImageTensors] = field(default_factory=list)

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

    def some_layout(
        self, dialogue: Dialogue, rng: Random, picture: Image.Image | None = None
    ) -> Sequence:
        """One of the layouts at random; the first question may show a picture."""
        kind = rng.random()
        if kind < 0.4:
            return self.turns(dialogue, picture)
        thinking = rng.random() < THINKING_SHARE
        on_socket = kind < 0.65
        speech = rng.random() < (0.7 if on_socket else 0.3)
        options = {"on_socket": on_socket, "speech": speech, "thinking": thinking}
        return self.chat(dialogue, picture, **options)

    def chat(
        self,
        dialogue: Dialogue,
        picture: Image.Image | None = None,
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
            messages.append(_question(exchange.user, picture))
            messages.append(ChatMessage("assistant", exchange.answer))
            picture = None  # it is shown once
        options = PromptOptions(
            style="kv" if on_socket else "one_shot",
            use_tts_template=speech,
            enable_thinking=thinking,
            use_image_id=None if on_socket else False,
        )
        prompt = self.inputs.chat(messages[:-1], options)
        sequence = Sequence(images=prompt.images)
        sequence.read(prompt.ids)
        if on_socket:
            opening = opening_text(thinking=thinking, speech=speech)
            sequence.read(self.tokenizer.encode(opening))
        self._answer(sequence, dialogue.exchanges[-1].answer, speech=speech)
        return sequence

    def turns(self, dialogue: Dialogue, picture: Image.Image | None = None) -> Sequence:
        """Turn after turn on one cache, as streamed conversations go; all answers are learnt."""
        sequence = Sequence()
        writer = PromptWriter(self.tokenizer)
        if dialogue.system is not None:
            body = writer.body(ChatMessage("system", dialogue.system), "")
            rendered = self.tokenizer.render([{"role": "system", "content": body}])
            sequence.read(self._encoded(writer, rendered))
        closing = ""
        for exchange in dialogue.exchanges:
            question = PromptWriter(self.tokenizer)
            body = question.body(_question(exchange.user, picture), "")
            rendered = f"{closing}<|im_start|>user\n{body}"
            piece = self.inputs.finish(
                question, rendered, audio=None, max_slice_nums=1, use_image_id=False
            )
            sequence.read(piece.ids)
            sequence.images += piece.images
            picture = None
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


def _question(text: str, picture: Image.Image | None) -> ChatMessage:
    return ChatMessage("user", text if picture is None else [picture, text])
