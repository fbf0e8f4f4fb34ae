"""Speech tokens to mel frames: whole utterances, prompts, and chunks of a stream."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from MiniCPMO45.token2wav.flow import Flow, Schedule
from MiniCPMO45.token2wav.flow_state import FlowState
from MiniCPMO45.token2wav.graphs import FlowChunk, FlowGraphs
from MiniCPMO45.token2wav.noise import FlowNoise
from MiniCPMO45.token2wav.options import Token2WavOptions
from MiniCPMO45.token2wav.trimming import RECENT_FRAMES
from MiniCPMO45.token2wav.voice import Voice, VoicePrompt
from MiniCPMO45.transfer import to_device

WINDOW_CODES = 28  # most codes of one chunk: a second and the lookahead


@dataclass(frozen=True)
class Chunk:
    """The next codes of a stream, at most ``WINDOW_CODES``; unless ``last`` the final ``lookahead``
    are only looked at."""

    state: FlowState
    voice: Voice
    codes: Sequence[int]
    last: bool

    @property
    def n_past(self) -> int:
        """Mel frames that the chunk hears before it."""
        return min(self.state.estimator.length, self.voice.prompt.n_frames + RECENT_FRAMES)


class MelSynthesizer:
    """The flow with its solver schedule and noise; holds nothing that changes.

    ``graphs``, once captured, do the ordinary chunks of streams.
    """

    def __init__(
        self, flow: Flow, schedule: Schedule, noise: FlowNoise, options: Token2WavOptions
    ) -> None:
        self.flow = flow
        self.options = options
        self.schedule = schedule
        self.graphs: FlowGraphs | None = None
        self._noise = noise

    @property
    def lookahead(self) -> int:
        """Codes at the end of a chunk that are only looked at."""
        return self.flow.config.encoder.pre_lookahead_len

    @property
    def rate(self) -> int:
        """Mel frames a code."""
        return self.flow.config.encoder.up_stride

    def check_chunk(self, codes: Sequence[int], *, last: bool) -> None:
        """Raises ValueError for codes that cannot be a chunk."""
        if not last and len(codes) <= self.lookahead:
            raise ValueError(
                f"{len(codes)} codes are too few: the last {self.lookahead} are only looked at"
            )
        if len(codes) > WINDOW_CODES:
            raise ValueError(f"{len(codes)} codes at once, the most is {WINDOW_CODES}")
        self.check_codes(codes)

    def check_codes(self, codes: Sequence[int]) -> None:
        """Raises ValueError for an id that has no embedding, such as the end of speech."""
        vocab_size = self.flow.config.vocab_size
        wrong = [code for code in codes if not 0 <= code < vocab_size]
        if wrong:
            raise ValueError(f"speech code {wrong[0]} is not in 0..{vocab_size - 1}")

    def voice(self, key: str, prompt: VoicePrompt) -> Voice:
        """Run the prompt through the networks once, for all streams to begin behind it."""
        prompt = prompt.to(self.flow.device)
        n_frames = prompt.n_frames
        most_frames = n_frames + RECENT_FRAMES + self.rate * WINDOW_CODES
        speaker = self.flow.project_speaker(prompt.speaker)
        noise = self._noise_rows(0, most_frames)
        state = self.flow.new_state(self.options.flow_steps, n_frames)

        ahead = prompt.tokens.new_full((1, self.lookahead), self.options.lookahead_code)
        tokens = torch.cat([prompt.tokens, ahead], dim=1)
        n_tokens = prompt.tokens.shape[1]
        positions = self.flow.encoder.positions(n_tokens, n_tokens)
        mu = self.flow.encode(tokens, positions, state.encoder, last=False)
        self.flow.solve(
            noise[:, :n_frames], mu, speaker, prompt.mel, self.schedule, state.estimator
        )
        return Voice(
            key=key,
            prompt=prompt,
            speaker=speaker,
            noise=noise,
            positions=self.flow.encoder.positions(WINDOW_CODES, most_frames // self.rate),
            base=state,
        )

    def is_captured(self, chunk: Chunk) -> bool:
        """Whether such a chunk is computed by a graph."""
        graphs = self.graphs
        return graphs is not None and graphs.fits(chunk.n_past, self._n_tokens(chunk))

    def forget(self, chunks: Sequence[Chunk]) -> None:
        """Let the streams of chunks forget what lies too far back, if they have not yet.

        Done before a chunk and not after it, so that what was appended can be taken back.
        """
        for chunk in chunks:
            chunk.state.trim(
                chunk.voice.prompt.n_frames,
                encoder=self.options.encoder_trim,
                estimator=self.options.estimator_trim,
            )

    def chunks(self, chunks: Sequence[Chunk]) -> list[Tensor]:
        """Move streams on by a chunk each, once they have forgotten what they should; its mel
        frames, float32 ``[1, mels, frames]``."""
        mels: dict[int, Tensor] = {}
        captured: dict[int, FlowChunk] = {}
        for index, chunk in enumerate(chunks):
            state, voice = chunk.state, chunk.voice
            n_tokens = self._n_tokens(chunk)
            # The noise is chosen by what is cached, which stops growing: not by time.
            first = state.estimator.length
            noise = voice.noise[:, first : first + self.rate * n_tokens]
            if self.is_captured(chunk):
                captured[index] = FlowChunk(state, chunk.codes, n_tokens, noise, voice.speaker)
            else:
                mels[index] = self._plain_chunk(chunk, noise)
        if self.graphs is not None:
            results = self.graphs.run(list(captured.values()))
            mels.update(zip(captured, results, strict=True))
        return [mels[index].transpose(1, 2) for index in range(len(chunks))]

    def _n_tokens(self, chunk: Chunk) -> int:
        """Codes of a chunk that are not only looked at."""
        return len(chunk.codes) - (0 if chunk.last else self.lookahead)

    def _plain_chunk(self, chunk: Chunk, noise: Tensor) -> Tensor:
        state, voice = chunk.state, chunk.voice
        tokens = to_device(chunk.codes, self.flow.device)[None]
        mu = self.flow.encode(tokens, voice.positions, state.encoder, last=chunk.last)
        known = voice.prompt.mel[:, :0]
        return self.flow.solve(noise, mu, voice.speaker, known, self.schedule, state.estimator)

    def whole(self, codes: Sequence[int], voice: Voice) -> Tensor:
        """Mel frames of a whole utterance at once, float32 ``[1, mels, frames]``."""
        prompt = voice.prompt
        tokens = torch.cat([prompt.tokens, prompt.tokens.new_tensor([list(codes)])], dim=1)
        n_tokens = tokens.shape[1]
        positions = self.flow.encoder.positions(n_tokens, n_tokens)
        mu = self.flow.encode(tokens, positions, None, last=True)
        noise = self._noise_rows(0, mu.shape[1])
        mel = self.flow.solve(noise, mu, voice.speaker, prompt.mel, self.schedule, None)
        return mel[:, prompt.n_frames :].transpose(1, 2)

    def new_state(self, n_prompt_frames: int) -> FlowState:
        """An empty state for a stream behind a prompt of so many mel frames."""
        n_frames = n_prompt_frames + RECENT_FRAMES + self.rate * WINDOW_CODES
        return self.flow.new_state(self.options.flow_steps, n_frames)

    def stream_frames(self, voice: Voice) -> int:
        """Mel frames a stream has to have room for."""
        return voice.noise.shape[1]

    def _noise_rows(self, first: int, count: int) -> Tensor:
        rows = self._noise.frames(first, count).transpose(1, 2)
        return rows.to(self.flow.device, torch.float32)
