"""The original vocoder library behind the same calls as ours, to compare the two on a GPU.

The library holds one listener's state in its attributes and takes voices as files; here the state
belongs to the stream, and is put into the library for each call and copied out of it.
"""

from __future__ import annotations

import importlib
import tempfile
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from MiniCPMO45.batching import in_turn
from MiniCPMO45.errors import CheckpointError
from MiniCPMO45.token2wav.prompt import checked_recording

LIBRARY = "stepaudio2"
REMEDY = 'install requirements-stepaudio2.txt, or set audio.vocoder_backend to "native"'
FULL_SCALE = 32767


class Library(Protocol):
    """What is used of the library's `Token2wav`."""

    cache: Any
    stream_cache: Any
    hift_cache_dict: Any

    def set_stream_cache(self, prompt_wav: str) -> tuple[dict[str, Tensor], dict[str, Tensor]]: ...

    def stream(
        self,
        generated_speech_tokens: list[int],
        prompt_wav: str | None,
        last_chunk: bool = False,
        return_waveform: bool = False,
    ) -> Any: ...


@dataclass(frozen=True)
class LibraryVoice:
    """What the library remembers of a recording, and the state every turn begins with."""

    prompt: Any
    flow_state: dict[str, Tensor]
    vocoder_state: dict[str, Tensor]


class LibraryVocoder:
    """Voices and streams of the original library; see :class:`MiniCPMO45.token2wav.Token2Wav`."""

    def __init__(self, library: Library) -> None:
        self.library = library

    @classmethod
    def load(cls, folder: str | Path, *, device: torch.device, flow_steps: int) -> LibraryVocoder:
        """Load the published folder.

        Raises:
            CheckpointError: there is no GPU, or the library is not installed or refuses the folder.
        """
        if device.type != "cuda":
            raise CheckpointError(f"the vocoder backend {LIBRARY} needs a GPU; {REMEDY}")
        try:
            module = importlib.import_module(f"{LIBRARY}.token2wav")
        except ImportError as error:
            raise CheckpointError(
                f"the vocoder backend {LIBRARY} is not installed; {REMEDY}"
            ) from error
        try:
            return cls(module.Token2wav(str(folder), float16=False, n_timesteps=flow_steps))
        except (OSError, RuntimeError, KeyError) as error:
            raise CheckpointError(f"{LIBRARY} cannot read {folder}: {error}") from error

    @torch.inference_mode()
    def prepare_voice(self, samples: np.ndarray | Tensor, sample_rate: int) -> LibraryVoice:
        """Listen to a reference recording.

        Raises:
            MediaError: silent, shorter than 0.5 s, longer than 30 s, or not usable as sound.
        """
        recording = checked_recording(samples, sample_rate).mean(dim=0).numpy()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "voice.wav"
            _write_wav(path, recording, sample_rate)
            self.library.cache = None
            flow_state, vocoder_state = self.library.set_stream_cache(str(path))
        return LibraryVoice(self.library.cache, _copied(flow_state), _copied(vocoder_state))

    def stream(self, voice: LibraryVoice) -> LibraryStream:
        """Open a stream in ``voice``."""
        return LibraryStream(self.library, voice)


class LibraryStream:
    """One turn; several may be open at once."""

    def __init__(self, library: Library, voice: LibraryVoice) -> None:
        self._library = library
        self._prompt = voice.prompt
        self._flow_state = _copied(voice.flow_state)
        self._vocoder_state = _copied(voice.vocoder_state)

    def push(self, codes: Sequence[int], *, last: bool) -> Tensor:
        """Sound of ``codes``, float32 ``[n]`` at 24 kHz on the CPU.

        Unless ``last``, the final three codes are only looked at and must be given again.
        """
        return in_turn(lambda: self._push(codes, last))

    @torch.inference_mode()
    def _push(self, codes: Sequence[int], last: bool) -> Tensor:
        library = self._library
        library.cache = self._prompt
        library.stream_cache = self._flow_state
        library.hift_cache_dict = self._vocoder_state
        waveform = library.stream(list(codes), None, last_chunk=last, return_waveform=True)
        self._flow_state = _copied(library.stream_cache)
        self._vocoder_state = _copied(library.hift_cache_dict)
        return torch.as_tensor(waveform, dtype=torch.float32).reshape(-1).cpu()


def _copied(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The library writes into tensors it has handed out."""
    return {name: tensor.clone() for name, tensor in state.items()}


def _write_wav(path: Path, samples: np.ndarray, sample_rate: int) -> None:
    with wave.open(str(path), "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(sample_rate)
        writer.writeframes((samples.clip(-1, 1) * FULL_SCALE).astype("<i2").tobytes())
