"""Listening to a reference recording: speech tokens, speaker embedding and mel frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import Tensor
from torch.nn import functional

from MiniCPMO45.errors import CheckpointError, MediaError
from MiniCPMO45.mel import as_waveform
from MiniCPMO45.token2wav.configuration import FlowConfig
from MiniCPMO45.token2wav.kaldi import filter_banks
from MiniCPMO45.token2wav.resampling import resample
from MiniCPMO45.token2wav.spectra import (
    MEL_RATE,
    TOKENIZER_RATE,
    mel_frames,
    tokenizer_features,
)
from MiniCPMO45.token2wav.voice import VoicePrompt

SPEECH_TOKENIZER = "speech_tokenizer_v2_25hz.onnx"
SPEAKER_ENCODER = "campplus.onnx"
SHORTEST_S = 0.5
LONGEST_S = 30.0  # the speech tokenizer takes no more at once
QUIETEST_PEAK = 1e-3  # -60 dB of full scale


class PromptEncoder:
    """The two ONNX graphs of a token2wav folder, run on the CPU."""

    def __init__(self, folder: Path, config: FlowConfig) -> None:
        """Open the graphs.

        Raises:
            CheckpointError: a file is missing or is no graph.
        """
        self._config = config
        self._tokenizer = _open(folder / SPEECH_TOKENIZER, n_threads=0)
        self._speaker_encoder = _open(folder / SPEAKER_ENCODER, n_threads=1)

    def encode(self, samples: np.ndarray | Tensor, sample_rate: int) -> VoicePrompt:
        """Features of a recording, on the CPU.

        Args:
            samples: floating point in -1..1, ``[n]`` or ``[channels, n]``; of several channels
                the tokens and the speaker are heard in the first, the mel frames in their mean.

        Raises:
            MediaError: silent, shorter than 0.5 s, longer than 30 s, or not usable as sound.
        """
        channels = checked_recording(samples, sample_rate)
        speech = resample(channels[0], sample_rate, TOKENIZER_RATE)
        tokens = self._tokens(speech)
        mel = mel_frames(
            resample(channels.mean(dim=0), sample_rate, MEL_RATE), self._config.output_size
        )
        n_frames = tokens.shape[1] * self._config.encoder.up_stride
        return VoicePrompt(tokens, self._speaker(speech), fit_frames(mel, n_frames)[None])

    def _tokens(self, speech: Tensor) -> Tensor:
        features = tokenizer_features(speech)[None]  # [1, 128, T]
        length = np.array([features.shape[2]], dtype=np.int32)
        ids = _run(self._tokenizer, features.numpy(), length)
        tokens = torch.from_numpy(ids.reshape(1, -1).astype(np.int64))
        if not tokens.numel():
            raise MediaError("no speech tokens were found in the reference recording")
        if int(tokens.min()) < 0 or int(tokens.max()) >= self._config.vocab_size:
            raise CheckpointError(
                f"{SPEECH_TOKENIZER} gave an id outside 0..{self._config.vocab_size - 1}"
            )
        return tokens

    def _speaker(self, speech: Tensor) -> Tensor:
        banks = filter_banks(speech)[None]  # [1, frames, 80]
        embedding = torch.from_numpy(_run(self._speaker_encoder, banks.numpy()).astype(np.float32))
        if embedding.shape != (1, self._config.spk_embed_dim):
            raise CheckpointError(
                f"{SPEAKER_ENCODER} gave shape {list(embedding.shape)}, "
                f"expected [1, {self._config.spk_embed_dim}]"
            )
        return embedding


def checked_recording(samples: np.ndarray | Tensor, sample_rate: int) -> Tensor:
    """A recording fit to be a reference, float32 ``[channels, n]``.

    Raises:
        MediaError: silent, shorter than 0.5 s, longer than 30 s, or not usable as sound.
    """
    channels = as_channels(samples)
    check_length(channels.shape[1], sample_rate)
    if float(channels.abs().max()) < QUIETEST_PEAK:
        raise MediaError("the reference recording is silent")
    return channels


def as_channels(samples: np.ndarray | Tensor) -> Tensor:
    """``samples`` as float32 ``[channels, n]``; raises MediaError where they are no sound."""
    waveform = torch.as_tensor(samples)
    if waveform.ndim == 1:
        return as_waveform(waveform)[None]
    if waveform.ndim != 2 or waveform.shape[0] == 0:
        raise MediaError(f"audio must be [n] or [channels, n], got {tuple(waveform.shape)}")
    return torch.stack([as_waveform(channel) for channel in waveform])


def check_length(n_samples: int, sample_rate: int) -> None:
    """Raises MediaError for a clip that is too short or too long."""
    if sample_rate <= 0:
        raise MediaError(f"the sample rate must be positive, got {sample_rate}")
    length_s = n_samples / sample_rate
    if length_s < SHORTEST_S:
        raise MediaError(
            f"the reference recording is {length_s:.2f} s long, it needs at least {SHORTEST_S} s"
        )
    if length_s > LONGEST_S:
        raise MediaError(
            f"the reference recording is {length_s:.1f} s long, at most {LONGEST_S:.0f} s are used"
        )


def fit_frames(mel: Tensor, n_frames: int) -> Tensor:
    """``[T, mels]`` cut to ``n_frames``, or continued by its last frame."""
    missing = n_frames - mel.shape[0]
    if missing <= 0:
        return mel[:n_frames]
    return functional.pad(mel.T[None], (0, missing), mode="replicate")[0].T


def _open(path: Path, n_threads: int) -> onnxruntime.InferenceSession:
    """A session on ``n_threads`` threads; 0 leaves their number to the runtime."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = n_threads
    try:
        return onnxruntime.InferenceSession(
            str(path), sess_options=options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # the runtime has no public base class for its errors
        raise CheckpointError(f"cannot open {path}: {error}") from error


def _run(session: onnxruntime.InferenceSession, *inputs: np.ndarray) -> np.ndarray:
    """The first output; inputs go by position, because exports differ in their names."""
    names = [node.name for node in session.get_inputs()]
    if len(names) != len(inputs):
        raise CheckpointError(f"an ONNX graph has inputs {names}, {len(inputs)} were expected")
    return np.asarray(session.run(None, dict(zip(names, inputs, strict=True)))[0])
