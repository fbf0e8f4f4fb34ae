"""Full duplex: once a second the model hears (and sees), and decides to listen or to speak."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from MiniCPMO45.audio import offline_features
from MiniCPMO45.errors import SessionStateError
from MiniCPMO45.model import MiniCPMO
from MiniCPMO45.sessions.base import Session
from MiniCPMO45.sessions.duplex_decision import Decider, DuplexTokens
from MiniCPMO45.sessions.duplex_hearing import DuplexHearing
from MiniCPMO45.sessions.duplex_memory import DuplexMemory, UnitRecord
from MiniCPMO45.sessions.duplex_options import DuplexOptions
from MiniCPMO45.sessions.duplex_sight import DuplexSight
from MiniCPMO45.sessions.duplex_unit import DuplexState, Heard, OpenUnit, UnitCosts, UnitResult
from MiniCPMO45.sessions.duplex_voice import UNIT_SAMPLES, DuplexVoice
from MiniCPMO45.sessions.speech import Vocoder
from MiniCPMO45.speech_sampling import SpeechSampling

__all__ = ["DuplexSession", "DuplexState", "Heard", "UnitResult"]

UNIT_CHARACTERS = 28  # a token that brings the text of a unit to this length closes the unit
CLOSING_TOKENS = 3  # a turn's end that was forced, the unit's terminator, and its end mark


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
        self._sight = DuplexSight(model, self.inputs.image_settings, self._tokens)
        self._make_vocoder = make_vocoder if self.options.generate_audio else None

    @torch.inference_mode()
    def prepare(
        self,
        prefix: str | Sequence[int],
        suffix: str | Sequence[int],
        reference_audio: np.ndarray | None = None,
    ) -> int:
        """Start a conversation anew; returns the tokens of its system prompt.

        Args:
            prefix, suffix: prompt before and after the place of the voice sample: token ids, or
                text in which the names of special tokens count.
            reference_audio: float32 16 kHz waveform of the voice.

        Raises:
            PromptTooLongError: the prompt does not fit the cache.
        """
        self.slot.truncate(0)
        self.hearing = DuplexHearing(self.model, self.slot.index)
        self.decider = Decider(self.model.tokenizer, self.options, self.generator)
        self.voice = self._new_voice()
        self._n_units = self._n_audio_units = self._n_generated = 0
        self.turn_open = False
        prefix_ids, suffix_ids = self._ids(prefix), self._ids(suffix)
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
            rotary=self.model.language.rotary,
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
            PromptTooLongError: there is no room for the unit, and the window forgets nothing;
                nothing was read.
        """
        if self.state is DuplexState.STOPPED:
            return Heard(False, "the conversation was stopped")
        self._require(DuplexState.READY, DuplexState.PENDING)
        if audio is None and not frames:
            return Heard(False, "neither audio nor frames were given")
        is_first = self._is_first_audio
        pictures, n_slices = self._sight.see(frames, max_slice_nums)
        if not self.compat:
            self._make_room(sum(rows.shape[0] for rows in pictures))
        if audio is not None:
            self.hearing.add(audio, is_first=is_first)
        too_short = audio is not None and self.hearing.n_waiting < self.hearing.n_needed
        reason = f"{self.hearing.n_needed} samples are needed, {self.hearing.n_waiting} are there"
        if too_short and not self.compat:
            return Heard(False, reason)
        unit = OpenUnit(start=self.slot.length)
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

    def generate(self, *, force_listen: bool = False) -> UnitResult:
        """Decide and, when speaking, say what belongs to this unit.

        Args:
            force_listen: listen whatever the model wants, and end a turn that is open.
        """
        steps = self.steps(force_listen=force_listen)
        while True:
            try:
                next(steps)
            except StopIteration as end:
                return end.value

    @torch.inference_mode()
    def steps(self, *, force_listen: bool = False) -> Generator[None, None, UnitResult]:
        """What :meth:`generate` does, in short steps between which other work can be done."""
        if self.state is not DuplexState.PENDING:
            stopped = self.state is DuplexState.STOPPED
            return self._result(is_listen=True, end_of_turn=stopped)
        self.state = DuplexState.UNFINALIZED
        forced = self._n_generated < self.options.force_listen_count or force_listen
        self._n_generated += 1
        hidden = self._pending
        if force_listen and self.turn_open:
            hidden = self._cut_turn()
        unit, costs = self._unit, UnitCosts()
        end_of_turn = yield from costs.count_steps("llm", self._write(hidden, forced=forced))
        if unit.is_listen and (self.compat or not end_of_turn):
            return self._result(is_listen=True, n_tokens=len(unit.spoken), costs_s=costs)
        yield
        codes, waveform = yield from self._say(end_of_turn, costs)
        return self._result(
            is_listen=False,
            text=self._text(unit.spoken_ids),
            waveform=waveform,
            end_of_turn=end_of_turn,
            n_tokens=len(unit.spoken),
            n_speech_tokens=len(codes),
            costs_s=costs,
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
        length = self.slot.length - unit.start
        self.memory.add(UnitRecord(length, tuple(unit.spoken_ids), unit.is_listen))
        self.state = DuplexState.READY

    @torch.inference_mode()
    def abandon_unit(self) -> None:
        """Forget the unit under way, after a failure in it; its turn ends."""
        self.slot.truncate(self.memory.length)
        self.state = DuplexState.READY
        self.turn_open = False
        if self.voice is not None:
            self.voice.end_turn()

    def stop(self) -> None:
        """End the conversation; only :meth:`prepare` starts another."""
        self.state = DuplexState.STOPPED

    @property
    def n_units(self) -> int:
        """Units read so far."""
        return self._n_units

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

    def _write(self, hidden: Tensor, *, forced: bool) -> Generator[None, None, bool]:
        """Choose the tokens of this unit, one a step; whether it ends the turn."""
        unit, tokens = self._unit, self._tokens
        end_of_turn = False
        n_choices = max(2, self.options.max_new_speak_tokens_per_chunk)
        for step in range(n_choices):
            if step == n_choices - 1:
                unit.close(tokens.chunk_end)
                break
            token = tokens.listen if forced else self.decider.choose(self._choices(hidden, step))
            if not forced and token == tokens.listen and self.turn_open:
                if self.options.listen_in_open_turn == "continue":
                    token = tokens.speech_start  # an open turn does not fall silent
                elif unit.spoken:
                    end_of_turn, self.turn_open = True, False
                else:
                    hidden = self._cut_turn()
            unit.is_listen = token == tokens.listen
            if token in tokens.unit_terminators:
                unit.close(token)
                break
            self.turn_open = True
            is_spoken = step > 0 or (self.options.speak_first_token and token != tokens.speak)
            candidate = [*unit.spoken_ids, token]
            if step > 0 and len(self._text(candidate)) >= UNIT_CHARACTERS:
                if not self.options.penalize_cut_tokens:
                    self.decider.forget_last()
                unit.close(tokens.chunk_end)
                break
            unit.ids.append(token)
            hidden = self._feed(token)
            end_of_turn = token == tokens.turn_end
            if end_of_turn:
                self.turn_open = False
            if is_spoken:
                unit.spoken.append((token, hidden))
            yield
        return end_of_turn

    def _cut_turn(self) -> Tensor:
        """End the open turn before it is said; the hidden state after its end."""
        unit, turn_end = self._unit, self._tokens.turn_end
        unit.ids.append(turn_end)
        unit.interrupted = True
        self.turn_open = False
        if self.voice is not None:
            self.voice.interrupt()
        return self._feed(turn_end)

    def _choices(self, hidden: Tensor, step: int) -> Tensor:
        """Scores of the next token; a unit cannot begin with the end of a turn that is not open."""
        scores = self.scores(hidden)
        if step == 0 and not self.turn_open and not self.compat:
            scores[self._tokens.turn_end] = -torch.inf
        return scores

    def _say(
        self, end_of_turn: bool, costs: UnitCosts
    ) -> Generator[None, None, tuple[list[int], Tensor | None]]:
        """Speak this unit: its codes and its sound."""
        if self.voice is None:
            return [], None
        with costs.count("tts_prep"):
            rows = self._condition()
        with costs.count("tts"):
            codes = self.voice.speak(rows, end_of_turn=end_of_turn)
        yield
        with costs.count("token2wav"):
            waveform = self.voice.render(codes, end_of_turn=end_of_turn)
        return codes, waveform if waveform.numel() else None

    def _condition(self) -> Tensor:
        """What the speech of this unit is made from, ``[T, hidden]``."""
        tts, unit = self.model.tts, self._unit
        if unit.spoken:
            ids = torch.tensor(unit.spoken_ids, device=self.model.device)
            hidden = torch.stack([state for _, state in unit.spoken])
            rows = tts.condition(ids, hidden, normalise=True)
        else:
            rows = tts.emb_text.weight[:0]
        return tts.close_condition(rows, text_finished=False)

    def _make_room(self, n_picture_rows: int) -> None:
        """Make sure that a unit with all it may say will fit, by forgetting older ones."""
        needed = n_picture_rows + self.hearing.rows_per_unit + CLOSING_TOKENS + 1
        needed += self.options.max_new_speak_tokens_per_chunk
        self.memory.make_room(needed)
        self.slot.reserve(needed)

    def _result(self, *, waveform: Tensor | None = None, **fields: object) -> UnitResult:
        if waveform is None and self.compat:
            waveform = torch.zeros(UNIT_SAMPLES)  # published: silence stands for "nothing"
        interrupted = self.state is DuplexState.UNFINALIZED and self._unit.interrupted
        return UnitResult(
            waveform=waveform,
            n_units=self._n_units,
            interrupted=interrupted,
            **fields,  # pyright: ignore[reportArgumentType]
        )

    def _ids(self, prompt: str | Sequence[int]) -> list[int]:
        return self.model.tokenizer.encode(prompt) if isinstance(prompt, str) else list(prompt)

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
