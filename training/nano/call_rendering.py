"""Calls as full duplex reads and writes them, unit by unit."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from MiniCPMO45.image import ImageTensors, preprocess_image
from MiniCPMO45.sessions.duplex_decision import DuplexTokens
from training.nano.calls import Call, SpokenUnit
from training.nano.hearing import streamed_call, whole_clip
from training.nano.mixed_rows import MixedSequence, SpokenStretch
from training.nano.rendering import Renderer
from training.nano.seeing import in_bytes
from training.nano.sounds import Waveform

CALL_PROMPTS = (
    "Streaming Omni Conversation.",
    "Streaming Omni Conversation.",
    "You are a helpful assistant.",
    "Replicate the tone and style from the input audio. Your task is to be a helpful assistant "
    "using this voice pattern. Please answer the user's questions seriously and in a high quality. "
    "Please chat with the user in a high naturalness style. You are in duplex mode, where you can "
    "listen and speak at the same time.",
    "扮演一个具有以上声音特征的助手。请认真、高质量地回复用户的问题。请用高自然度的方式和用户聊天。"
    "你处于双工模式，可以一边听、一边说。你是由面壁智能开发的人工智能助手：面壁小钢炮。",
    "Be brief and honest.",
)


class CallRenderer:
    """Renders calls with the ids that steer a `DuplexSession`."""

    def __init__(self, folder: Path) -> None:
        self.text = Renderer(folder)
        self.tokens = DuplexTokens(self.text.tokenizer)

    def prompt(self, system_prompt: str) -> tuple[list[int], list[int]]:
        """Ids before and after the place of the voice sample."""
        tokenizer = self.text.tokenizer
        start, audio_start, audio_end, end = tokenizer.ids_of(
            ["<|im_start|>", "<|audio_start|>", "<|audio_end|>", "<|im_end|>"]
        )
        prefix = [start, *tokenizer.encode_plain(f"system\n{system_prompt}\n"), audio_start]
        return prefix, [audio_end, end]

    def render(self, call: Call, system_prompt: str, voice: Waveform | None) -> MixedSequence:
        """The whole call; all that the model decides is learnt.

        Args:
            voice: the sample that gives the model its voice.
        """
        sequence = MixedSequence()
        prefix, suffix = self.prompt(system_prompt)
        sequence.read(prefix)
        if voice is not None:
            sequence.hear(whole_clip(voice, "blocks"))
        sequence.read(suffix)
        clip = streamed_call(call.waveform)
        rows_per_unit = clip.n_rows // call.n_units
        pictures: dict[int, ImageTensors] = {}
        for number in range(call.n_units):
            sequence.read([self.tokens.unit_start])
            frame = call.frames[number] if call.frames else None
            if frame is not None:
                self._see(sequence, frame, pictures)
            first = len(sequence.ids)
            clip.places += range(first, first + rows_per_unit)
            sequence.read([0] * rows_per_unit)
            unit = call.spoken.get(number)
            if unit is not None:
                self._speak(sequence, unit)
            elif number in call.unsure:
                sequence.read([self.tokens.listen])
            else:
                sequence.write([self.tokens.listen])
            sequence.read([self.tokens.unit_end])
        sequence.clips.append(clip)
        return sequence

    def _see(
        self, sequence: MixedSequence, frame: Image.Image, pictures: dict[int, ImageTensors]
    ) -> None:
        """Read a frame; ``pictures`` are those that were read before, by the frame's identity."""
        settings = self.text.inputs.image_settings
        if id(frame) not in pictures:
            pictures[id(frame)] = in_bytes(preprocess_image(frame, settings, 1))
        sequence.images.append(pictures[id(frame)])
        start, end = self.tokens.image
        places = [self.text.tokenizer.unk_id] * settings.image_feature_size
        sequence.read([start, *places, end])

    def _speak(self, sequence: MixedSequence, unit: SpokenUnit) -> None:
        tokens = self.tokens
        sequence.write([tokens.speak])
        first = len(sequence.ids)
        sequence.write(unit.token_ids)
        if unit.ends_turn:
            sequence.write([tokens.turn_end])
        places = list(range(first, len(sequence.ids)))
        sequence.write([tokens.chunk_end])
        stretch = SpokenStretch(places, unit.codes, text_finished=False, ends=unit.ends_turn)
        if unit.opens_turn:
            sequence.turns.append([])
        sequence.turns[-1].append(stretch)
