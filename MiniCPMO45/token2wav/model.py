"""Token2Wav: speech codes, 25 a second, to sound at 24 kHz in the voice of a recording."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from MiniCPMO45.errors import CheckpointError
from MiniCPMO45.token2wav.flow import Flow
from MiniCPMO45.token2wav.flow_state import FlowState, all_or_nothing
from MiniCPMO45.token2wav.flow_yaml import read_flow_yaml
from MiniCPMO45.token2wav.graphs import FlowGraphs, Recorder, VocoderGraphs
from MiniCPMO45.token2wav.hift import HiFT
from MiniCPMO45.token2wav.loading import load_flow, load_hift
from MiniCPMO45.token2wav.noise import (
    ExcitationNoise,
    FlowNoise,
    SeededExcitation,
    SeededFlowNoise,
)
from MiniCPMO45.token2wav.options import Token2WavOptions
from MiniCPMO45.token2wav.overlap import Renderer, VocoderOverlap, render
from MiniCPMO45.token2wav.precision import full_precision
from MiniCPMO45.token2wav.prompt import PromptEncoder
from MiniCPMO45.token2wav.state_pool import StatePool
from MiniCPMO45.token2wav.stream import Push, VocoderStream
from MiniCPMO45.token2wav.synthesis import WINDOW_CODES, Chunk, MelSynthesizer
from MiniCPMO45.token2wav.voice import Voice, VoicePrompt, content_key

CODES_PER_SECOND = 25


class Token2Wav:
    """Weights only: voices and streams hold everything that is said.

    ``flow`` weights may be in a lower precision; the vocoder's are always float32.
    """

    def __init__(
        self,
        flow: Flow,
        hift: HiFT,
        prompt_encoder: PromptEncoder | None = None,
        *,
        dtype: torch.dtype = torch.float32,
        options: Token2WavOptions | None = None,
        flow_noise: FlowNoise | None = None,
    ) -> None:
        """Take loaded float32 modules; ``flow`` is cast to ``dtype``.

        Args:
            prompt_encoder: without one, voices can only be made from ready features.
        """
        options = options or Token2WavOptions()
        vocab_size = flow.config.vocab_size
        if not 0 <= options.lookahead_code < vocab_size:
            raise CheckpointError(
                f"lookahead code {options.lookahead_code} is not in 0..{vocab_size - 1}"
            )
        noise = flow_noise or SeededFlowNoise(options.seed, flow.config.output_size)
        with torch.inference_mode():
            schedule = flow.schedule(options.flow_steps, dtype)
        flow.to(dtype).arrange_weights()
        flow.tensor_cores = options.tensor_cores
        self.hift = hift
        self._prompt_encoder = prompt_encoder
        self.synthesizer = MelSynthesizer(flow, schedule, noise, options)
        self._render: Renderer = lambda pieces: [render(hift, piece) for piece in pieces]
        self._states = StatePool()

    @classmethod
    def load(
        cls,
        folder: str | Path,
        *,
        device: str | torch.device = "cpu",
        dtype: torch.dtype = torch.float32,
        options: Token2WavOptions | None = None,
        flow_noise: FlowNoise | None = None,
    ) -> Token2Wav:
        """Load a token2wav folder in the published layout: ``flow.yaml``, ``flow.pt``,
        ``hift.pt``, ``campplus.onnx`` and ``speech_tokenizer_v2_25hz.onnx``.

        Args:
            flow_noise: replaces the table drawn from ``options.seed``.

        Raises:
            CheckpointError: a file is missing, damaged, or does not fit the configuration.
        """
        folder, device = Path(folder), torch.device(device)
        flow_config, hift_config = read_flow_yaml(folder / "flow.yaml")
        model = cls(
            load_flow(folder, flow_config, device),
            load_hift(folder, hift_config, device),
            PromptEncoder(folder, flow_config),
            dtype=dtype,
            options=options,
            flow_noise=flow_noise,
        )
        model.synthesizer.flow.estimator.drop_modulation()
        return model

    def capture(self, *, side_by_side: bool = False) -> Iterator[float]:
        """Run chunks of up to a second as CUDA graphs from now on, those of very long recordings
        and the sound of shorter ones as before; yields the fraction captured.

        Where there is no CUDA the same work is done piece by piece.

        Args:
            side_by_side: also several streams at once, which takes more memory.
        """
        synthesizer, recorder = self.synthesizer, Recorder(self.device)
        flow = FlowGraphs(
            synthesizer.flow, synthesizer.schedule, WINDOW_CODES, side_by_side=side_by_side
        )
        vocoder = VocoderGraphs(self.hift, flow.n_frames, side_by_side=side_by_side)
        for done, _ in enumerate(chain(flow.capture(recorder), vocoder.capture(recorder)), 1):
            yield done / (len(flow) + len(vocoder))
        synthesizer.graphs, self._render = flow, vocoder

    @property
    def device(self) -> torch.device:
        return self.synthesizer.flow.device

    @property
    def sample_rate(self) -> int:
        return self.hift.config.sampling_rate

    @torch.inference_mode()
    def prepare_voice(self, samples: np.ndarray | Tensor, sample_rate: int) -> Voice:
        """Listen to a reference recording. The result may be cached under ``content_key``.

        Args:
            samples: floating point in -1..1, ``[n]`` or ``[channels, n]``.

        Raises:
            MediaError: silent, shorter than 0.5 s, longer than 30 s, or not usable as sound.
        """
        assert self._prompt_encoder is not None, "this model was built without its ears"
        prompt = self._prompt_encoder.encode(samples, sample_rate)
        return self.voice_of(prompt, content_key(samples, sample_rate))

    @full_precision()
    @torch.inference_mode()
    def voice_of(self, prompt: VoicePrompt, key: str) -> Voice:
        """A voice from features that were computed elsewhere."""
        return self.synthesizer.voice(key, prompt)

    @full_precision()
    @torch.inference_mode()
    def offline(
        self, tokens: Sequence[int], voice: Voice, noise: ExcitationNoise | None = None
    ) -> Tensor:
        """A whole utterance at once, float32 ``[960 * len(tokens)]`` at 24 kHz on the CPU.

        It sounds a little different from the same codes in a stream: here every frame hears what
        comes after it.

        Args:
            tokens: negative ids count as 0.
            noise: replaces the draws from the seed.

        Raises:
            ValueError: no codes, or one that stands for no sound.
        """
        codes = [max(token, 0) for token in tokens]
        if not codes:
            raise ValueError("there are no codes to speak")
        self.synthesizer.check_codes(codes)
        mel = self.synthesizer.whole(codes, voice)
        config = self.hift.config
        n_samples = mel.shape[2] * config.samples_per_frame
        draws = (noise or self._excitation(None)).draw(n_samples, config.nb_harmonics + 1)
        source = self.hift.source(mel, draws.to(mel.device))
        return self.hift.decode(mel, source)[0].cpu()

    @torch.inference_mode()
    def stream(
        self, voice: Voice, *, seed: int | None = None, noise: ExcitationNoise | None = None
    ) -> VocoderStream:
        """Open a stream in ``voice``. The same codes, seed and voice give the same sound.

        Args:
            seed: of the excitation; the one of the options by default.
            noise: replaces the draws from the seed.
        """
        excitation = noise or self._excitation(seed)
        state = self._states.take(voice.base, self.synthesizer.stream_frames(voice))
        return VocoderStream(self, self.hift, voice, self._states, state, excitation)

    @full_precision()
    @torch.inference_mode()
    def speak(self, pushes: Sequence[Push]) -> list[Tensor]:
        """See :class:`Voices`."""
        for push in pushes:
            if push.stream.finished:
                raise RuntimeError("the turn has ended; restart() begins another one")
            self.synthesizer.check_chunk(push.codes, last=push.last)
        chunks = [_chunk(push) for push in pushes if push.codes]
        self.synthesizer.forget(chunks)
        with all_or_nothing(chunk.state for chunk in chunks):
            mels = iter(self.synthesizer.chunks(chunks))
            spoken = self._vocode([(push, next(mels) if push.codes else None) for push in pushes])
        for push, (_, overlap) in zip(pushes, spoken, strict=True):
            push.stream.overlap, push.stream.finished = overlap, push.last
        return [sound for sound, _ in spoken]

    def can_share(self, push: Push) -> bool:
        """Ordinary chunks are computed side by side; the others only one after another, since the
        vocoder does not do several of them at once."""
        is_ordinary = len(push.codes) == WINDOW_CODES and not push.last
        return is_ordinary and self.synthesizer.is_captured(_chunk(push))

    def _vocode(
        self, pushes: Sequence[tuple[Push, Tensor | None]]
    ) -> list[tuple[Tensor, VocoderOverlap]]:
        """Sound of mel frames, where there are any, on the CPU, and what is remembered then."""
        pieces = [push.stream.overlap.piece(mel) for push, mel in pushes if mel is not None]
        renderings = iter(self._render(pieces))
        spoken = []
        for push, mel in pushes:
            overlap = push.stream.overlap
            if mel is None:
                spoken.append((overlap.flush().cpu(), overlap))
            else:
                rendering = next(renderings)
                sound = overlap.sound(rendering, last=push.last)
                spoken.append((sound.cpu(), overlap.after(rendering)))
        return spoken

    def new_state(self, voice_s: float) -> FlowState:
        """An empty state of a stream in a voice of so many seconds, as large as such a stream's."""
        return self.synthesizer.new_state(round(voice_s * CODES_PER_SECOND) * self.synthesizer.rate)

    def _excitation(self, seed: int | None) -> ExcitationNoise:
        seed = self.synthesizer.options.seed if seed is None else seed
        return SeededExcitation(seed, self.device)


def _chunk(push: Push) -> Chunk:
    return Chunk(push.stream.state, push.stream.voice, push.codes, push.last)
