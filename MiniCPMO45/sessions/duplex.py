"""Full duplex: once a second the model hears (and sees), and decides to listen or to speak."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from MiniCPMO45.audio import offline_features
from MiniCPMO45.errors import SessionStateError
from MiniCPMO45.image import preprocess_image
from MiniCPMO45.model import MiniCPMO
from MiniCPMO45.sessions.base import Session
from MiniCPMO45.sessions.duplex_decision import Decider, DuplexTokens
from MiniCPMO45.sessions.duplex_hearing import DuplexHearing
from MiniCPMO45.sessions.duplex_memory import DuplexMemory, UnitRecord
from MiniCPMO45.sessions.duplex_options import DuplexOptions
from MiniCPMO45.sessions.duplex_voice import UNIT_SAMPLES, DuplexVoice
from MiniCPMO45.sessions.speech import Vocoder
from MiniCPMO45.speech_sampling import SpeechSampling

UNIT_CHARACTERS = 28  # a token that brings the text of a unit to this length closes the unit


class DuplexState(Enum):
    """What a conversation waits for."""

    NEW = auto()
    READY = auto()
    PENDING = auto()
    UNFINALIZED = auto()
    STOPPED = auto()


@dataclass(frozen=True)
class Heard:
    """Outcome of one prefill. Nothing was read unless ``success``; ``reason`` says why not."""

    success: bool
    reason: str = ""
    n_slices: int = 0


@dataclass(frozen=True)
class UnitResult:
    """One decision. ``waveform`` is float32 ``[n]`` at 24 kHz, None when nothing was rendered."""

    is_listen: bool
    text: str = ""
    waveform: Tensor | None = None
    end_of_turn: bool = False
    n_units: int = 0
    n_tokens: int = 0
    n_speech_tokens: int = 0
    costs_s: dict[str, float] = field(default_factory=dict)


@dataclass
class _Unit:
    """The unit under way."""

    start: int
    terminator: int | None = None
    is_listen: bool = False
    spoken: list[tuple[int, Tensor]] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)


class DuplexSession(Session):
    """One call: :meth:`prepare`, then per second :meth:`prefill`, :meth:`generate`,
    :meth:`finalize`.

    Args:
        make_vocoder: gives a fresh vocoder for each turn; None makes text only.
    """

    def __init__(
        self,
        model: MiniCPMO,
        options: DuplexOptions | None = None,
        *,
        make_vocoder: Callable[[], Vocoder] | None = None,
        compat: bool = False,
        seed: int | None = None,
    ) -> None:
        super().__init__(model, compat=compat, seed=seed)
        self.options = options or DuplexOptions()
        self.state = DuplexState.NEW
        self._tokens = DuplexTokens(model.tokenizer)
        self._make_vocoder = make_vocoder if self.options.generate_audio else None

    @torch.inference_mode()
    def prepare(self, prefix: str, suffix: str, reference_audio: np.ndarray | None = None) -> int:
        """Start a conversation anew; returns the tokens of its system prompt.

        Args:
            prefix, suffix: prompt text before and after the place of the voice sample.
            reference_audio: float32 16 kHz waveform of the voice.
        """
        self.slot.truncate(0)
        self.hearing = DuplexHearing(self.model)
        self.decider = Decider(self.model.tokenizer, self.options, self.generator)
        self.voice = self._new_voice()
        self._n_units = self._n_audio_units = self._n_generated = 0
        self.turn_open = False
        encode = self.model.tokenizer.encode
        prefix_ids, suffix_ids = encode(prefix), encode(suffix)
        if prefix_ids:
            self.feed_ids(prefix_ids)
        if reference_audio is not None:
            features = offline_features([reference_audio])
            self.feed_embeddings(self.model.encode_audio(features, compat=self.compat))
        if suffix_ids[:1] == [self._tokens.audio_end] and not self.compat:
            self.feed_ids(suffix_ids[:1])  # remembered speech goes behind the voice sample
            suffix_ids = suffix_ids[1:]
        self.memory = DuplexMemory(
            slot=self.slot,
            rotary=self.model.rotary,
            tokenizer=self.model.tokenizer,
            window=self.options.window,
            feed=self.feed_ids,
            prefix_length=self.slot.length,
            suffix_ids=suffix_ids,
        )
        if suffix_ids:
            self.feed_ids(suffix_ids)
        self.state = DuplexState.READY
        return self.slot.length

    @torch.inference_mode()
    def prefill(
        self,
        audio: np.ndarray | None = None,
        frames: Sequence[Image.Image] = (),
        max_slice_nums: int | Sequence[int] = 1,
    ) -> Heard:
        """Read one unit: frames first, then a second of float32 16 kHz audio of any length.

        Raises:
            SessionStateError: before prepare, or while the last unit is not finalized.
            MediaError: the media cannot be used; nothing was read.
        """
        if self.state is DuplexState.STOPPED:
            return Heard(False, "the conversation was stopped")
        self._require(DuplexState.READY, DuplexState.PENDING)
        if audio is None and not frames:
            return Heard(False, "neither audio nor frames were given")
        is_first = self._is_first_audio
        pictures, n_slices = self._see(frames, max_slice_nums)
        if audio is not None:
            self.hearing.add(audio, is_first=is_first)
        too_short = audio is not None and self.hearing.n_waiting < self.hearing.n_needed
        reason = f"{self.hearing.n_needed} samples are needed, {self.hearing.n_waiting} are there"
        if too_short and not self.compat:
            return Heard(False, reason)
        unit = _Unit(start=self.slot.length)
        rows = [self._embed(self._tokens.unit_start), *pictures]
        if too_short:  # published: what came before the audio has been read all the same
            self.feed_embeddings(torch.cat(rows))
            self.state = DuplexState.READY
            return Heard(False, reason)
        if audio is not None:
            rows.append(self.hearing.take(is_first=is_first))
            self._n_audio_units += 1
        self._pending = self.feed_embeddings(torch.cat(rows))[-1]
        self._unit = unit
        self._n_units += 1
        self.state = DuplexState.PENDING
        return Heard(True, n_slices=n_slices)

    @torch.inference_mode()
    def generate(self, *, force_listen: bool = False) -> UnitResult:
        """Decide and, when speaking, say what belongs to this unit.

        Args:
            force_listen: listen whatever the model wants, and end a turn that is open.
        """
        started = time.perf_counter()
        if self.state is not DuplexState.PENDING:
            stopped = self.state is DuplexState.STOPPED
            return self._result(is_listen=True, end_of_turn=stopped)
        self.state = DuplexState.UNFINALIZED
        forced = self._n_generated < self.options.force_listen_count or force_listen
        self._n_generated += 1
        hidden = self._pending
        if force_listen and self.turn_open:
            self._unit.ids.append(self._tokens.turn_end)
            hidden = self._feed(self._tokens.turn_end)
            self.turn_open = False
            if self.voice is not None:
                self.voice.interrupt()
        end_of_turn = self._write(hidden, forced=forced)
        written = time.perf_counter()
        unit = self._unit
        finished_turn = unit.is_listen and end_of_turn and not self.compat
        if unit.is_listen and not finished_turn:
            return self._result(
                is_listen=True, n_tokens=len(unit.spoken), costs_s={"llm": written - started}
            )
        codes, waveform = self._say(end_of_turn)
        spoken = time.perf_counter()
        return self._result(
            is_listen=False,
            text=self._text([index for index, _ in unit.spoken]),
            waveform=waveform,
            end_of_turn=end_of_turn,
            n_tokens=len(unit.spoken),
            n_speech_tokens=len(codes),
            costs_s={"llm": written - started, "speech": spoken - written},
        )

    @torch.inference_mode()
    def finalize(self) -> None:
        """Close the unit in the cache and forget what the window no longer holds."""
        self._require(DuplexState.UNFINALIZED)
        unit = self._unit
        closing = [self._tokens.unit_end]
        if unit.terminator is not None:
            closing.insert(0, unit.terminator)
        self.feed_ids(closing)
        unit.ids.append(self._tokens.unit_end)
        spoken_ids = tuple(index for index, _ in unit.spoken)
        length = self.slot.length - unit.start
        self.memory.add(UnitRecord(length, spoken_ids, unit.is_listen))
        self.state = DuplexState.READY

    def stop(self) -> None:
        """End the conversation; only :meth:`prepare` starts another."""
        self.state = DuplexState.STOPPED

    @property
    def unit_ids(self) -> list[int]:
        """All ids of the last unit that were chosen or closed it."""
        return list(self._unit.ids)

    @property
    def pending_scores(self) -> Tensor:
        """Float32 scores the next decision starts from."""
        return self.scores(self._pending)

    @property
    def _is_first_audio(self) -> bool:
        # Published: a unit of frames alone counts, too, and the first audio then comes out short.
        return (self._n_units if self.compat else self._n_audio_units) == 0

    def _write(self, hidden: Tensor, *, forced: bool) -> bool:
        """Choose the tokens of this unit; whether it ends the turn."""
        unit, tokens = self._unit, self._tokens
        end_of_turn = False
        n_choices = self.options.max_new_speak_tokens_per_chunk
        for step in range(n_choices):
            if step == n_choices - 1:
                self._close(tokens.chunk_end)
                break
            token = tokens.listen if forced else self.decider.choose(self.scores(hidden))
            if not forced and token == tokens.listen and self.turn_open:
                if self.options.listen_in_open_turn == "continue":
                    token = tokens.speech_start  # an open turn does not fall silent
                else:
                    end_of_turn, self.turn_open = True, False
            unit.is_listen = token == tokens.listen
            if token in tokens.unit_terminators:
                self._close(token)
                break
            self.turn_open = True
            is_spoken = step > 0 or (self.options.speak_first_token and token != tokens.speak)
            candidate = [*(index for index, _ in unit.spoken), token]
            if step > 0 and len(self._text(candidate)) >= UNIT_CHARACTERS:
                if not self.options.penalize_cut_tokens:
                    self.decider.forget_last()
                self._close(tokens.chunk_end)
                break
            unit.ids.append(token)
            hidden = self._feed(token)
            end_of_turn = token == tokens.turn_end
            if end_of_turn:
                self.turn_open = False
            if is_spoken:
                unit.spoken.append((token, hidden))
        return end_of_turn

    def _close(self, terminator: int) -> None:
        self._unit.terminator = terminator
        self._unit.ids.append(terminator)

    def _say(self, end_of_turn: bool) -> tuple[list[int], Tensor | None]:
        if self.voice is None:
            return [], None
        tts = self.model.tts
        if self._unit.spoken:
            ids = torch.tensor([index for index, _ in self._unit.spoken], device=self.model.device)
            hidden = torch.stack([state for _, state in self._unit.spoken])
            rows = tts.condition(ids, hidden, normalise=True)
        else:
            rows = tts.emb_text.weight[:0]
        closed = tts.close_condition(rows, text_finished=False)
        codes, waveform = self.voice.speak(closed, end_of_turn=end_of_turn)
        return codes, waveform if waveform.numel() else None

    def _result(self, *, waveform: Tensor | None = None, **fields: object) -> UnitResult:
        if waveform is None and self.compat:
            waveform = torch.zeros(UNIT_SAMPLES)  # published: silence stands for "nothing"
        return UnitResult(waveform=waveform, n_units=self._n_units, **fields)  # pyright: ignore[reportArgumentType]

    def _see(
        self, frames: Sequence[Image.Image], max_slice_nums: int | Sequence[int]
    ) -> tuple[list[Tensor], int]:
        """Rows of all frames with their markers, and the number of tiles."""
        if not frames:
            return [], 0
        limits = (
            [max_slice_nums] * len(frames)
            if isinstance(max_slice_nums, int)
            else list(max_slice_nums)
        )
        settings = self.inputs.image_settings
        images = [
            preprocess_image(frame, settings, limit)
            for frame, limit in zip(frames, limits, strict=True)
        ]
        tiles = iter(
            self.model.encode_images(images).split(self.model.config.query_num)
        )  # each [query_num, hidden]
        rows: list[Tensor] = []
        for image in images:
            for position in range(len(image.pixels)):
                start, end = self._tokens.slice if position else self._tokens.image
                rows += [self._embed(start), next(tiles), self._embed(end)]
        return rows, sum(len(image.pixels) for image in images)

    def _embed(self, token_id: int) -> Tensor:
        return self.model.llm.embed(torch.tensor([token_id], device=self.model.device))

    def _feed(self, token_id: int) -> Tensor:
        return self.feed_token(torch.tensor(token_id, device=self.model.device))

    def _text(self, ids: list[int]) -> str:
        return self.model.tokenizer.decode(ids, skip_special_tokens=True)

    def _new_voice(self) -> DuplexVoice | None:
        if self._make_vocoder is None:
            return None
        sampling = SpeechSampling(
            temperature=self.options.tts_temperature,
            top_p=self.options.speech_top_p,
            top_k=self.options.speech_top_k or self.model.config.tts_config.num_audio_tokens,
        )
        decoder = self.speech_decoder(sampling)
        return DuplexVoice(decoder, self._make_vocoder, self.options, compat=self.compat)

    def _require(self, *allowed: DuplexState) -> None:
        if self.state not in allowed:
            names = " or ".join(state.name.lower() for state in allowed)
            raise SessionStateError(f"the conversation is {self.state.name.lower()}, not {names}")
