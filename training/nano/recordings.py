"""Recordings that the speech stages learn from: sentences of the grammars in one voice each, and
what the model's parts read of them. From seeds, made by several processes."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import partial
from random import Random

import numpy as np
import torch
from torch import Tensor

from MiniCPMO45.token2wav.kaldi import filter_banks
from MiniCPMO45.token2wav.resampling import resample
from MiniCPMO45.token2wav.spectra import MEL_RATE, TOKENIZER_RATE, mel_frames, tokenizer_features
from training.nano.dialogues import training_dialogues
from training.nano.phones import NO_PHONES, Phones
from training.nano.pitch import pitch_hz
from training.nano.saying import as_said
from training.nano.speech import OWN_VOICE, VOICES, Waveform, spoken

N_MELS = 80
CODES_PER_SECOND = 25
FRAMES_PER_CODE = 2  # of mel, pitch and phones
FEATURES_PER_CODE = 4  # of what the speech tokenizer reads
OWN_SHARE = 0.75  # recordings of the voice that the model is to speak in
_NATURAL_SHARE = 0.2  # of the others, in the other voices that were made from people


@dataclass(frozen=True)
class Recordings:
    """``n`` recordings of equal length ``T`` codes.

    ``sound`` int16 ``[n, 960 T]`` at 24 kHz; ``mel`` ``[n, 2 T, 80]``; ``pitch`` Hz ``[n, 2 T]``, 0
    where there is none; ``phones`` int16 ``[n, 2 T]``, their classes; ``features`` of the speech
    tokenizer ``[n, 128, 4 T]``; ``banks`` of the speaker encoder ``[n, 4 T - 2, 80]``; ``own`` bool
    ``[n]``, in the voice that the model is to speak in. Those without a type are float16 where they
    wait.
    """

    sound: Tensor
    mel: Tensor
    pitch: Tensor
    phones: Tensor
    features: Tensor
    banks: Tensor
    own: Tensor

    @property
    def n_codes(self) -> int:
        return self.mel.shape[1] // FRAMES_PER_CODE

    def to(self, device: torch.device) -> Recordings:
        return Recordings(*(getattr(self, field.name).to(device) for field in fields(self)))

    def __len__(self) -> int:
        return self.sound.shape[0]


def recordings(seed: int, n_recordings: int, duration_s: int, n_processes: int) -> Recordings:
    """New recordings; the same for the same arguments but the last."""
    make = partial(_recording, duration_s=duration_s)
    seeds = [seed * 1_000_000 + index for index in range(n_recordings)]
    if n_processes == 1:
        return stacked([make(each) for each in seeds])
    # forked before anything has started threads; a fresh interpreter would load torch again
    context = multiprocessing.get_context("fork")
    with context.Pool(n_processes, torch.set_num_threads, (1,)) as pool:
        return stacked(pool.map(make, seeds, chunksize=8))


def read_recording(
    sound: Waveform, phones: Phones = NO_PHONES, *, own: bool = False
) -> tuple[np.ndarray, ...]:
    """The fields of `Recordings` for one recording, 24 kHz float32 of whole codes."""
    waveform = torch.from_numpy(sound)
    low = resample(waveform, MEL_RATE, TOKENIZER_RATE)
    mel, features, banks = (
        part.numpy().astype(np.float16)
        for part in (mel_frames(waveform, N_MELS), tokenizer_features(low), filter_banks(low))
    )
    samples = (sound * 32767).astype(np.int16)
    pitch = pitch_hz(sound).astype(np.float16)
    return samples, mel, pitch, phones.in_frames(len(mel)), features, banks, np.array(own)


def _recording(seed: int, duration_s: int) -> tuple[np.ndarray, ...]:
    """Sentences in one voice, with pauses, until the time is full."""
    rng = Random(f"recording {seed}")
    natural = [voice for voice in VOICES if voice.engine == "flite" and voice != OWN_VOICE]
    others = natural if rng.random() < _NATURAL_SHARE else VOICES
    voice = OWN_VOICE if rng.random() < OWN_SHARE else rng.choice(others)
    manner = None if rng.random() < 0.5 else rng.randrange(1 << 31)
    sound = np.zeros(duration_s * MEL_RATE, np.float32)
    phones: list[Phones] = []
    end = round(rng.uniform(0.0, 0.4) * MEL_RATE)
    for text in _texts(seed):
        if not text.isascii() and rng.random() < 0.5:
            continue
        speech = spoken(as_said(text), voice, manner, MEL_RATE)
        waveform = speech.waveform[: sound.size - end]
        sound[end : end + waveform.size] = waveform
        phones.append(speech.phones.later(end / MEL_RATE))
        end += waveform.size + round(rng.uniform(0.1, 0.7) * MEL_RATE)
        if end >= sound.size:
            break
    loud = sound * rng.uniform(0.5, 1.3)
    return read_recording(loud, Phones.joined(phones), own=voice == OWN_VOICE)


def _texts(seed: int) -> Iterator[str]:
    """What both sides say in conversations."""
    for dialogue in training_dialogues(seed):
        for exchange in dialogue.exchanges:
            yield exchange.answer
            if any(character.isalnum() for character in exchange.user):
                yield exchange.user


def stacked(parts: list[tuple[np.ndarray, ...]]) -> Recordings:
    """Fields of single recordings, `read_recording`, put together."""
    columns = zip(*parts, strict=True)
    return Recordings(*(torch.from_numpy(np.stack(column)) for column in columns))
