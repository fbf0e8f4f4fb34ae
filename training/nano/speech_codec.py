"""The two networks that listen to a recording: speech to codes, and the speaker; and two that only
their training needs, which read codes."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.nano.phones import N_CLASSES

N_DIGITS = 8  # of three values each: ids 0 to 6560, as published
FEATURE_BANDS, FILTER_BANKS, N_MELS = 128, 80, 80
WIDTH, DEPTH = 160, 4
SPEAKER_WIDTH, SPEAKER_HIDDEN = 192, 48
DECODER_WIDTH, DECODER_DEPTH = 192, 4


class ResidualConvolutions(nn.Module):
    """Convolutions without norms that begin as the identity."""

    def __init__(self, width: int, depth: int) -> None:
        super().__init__()
        self.wide = nn.ModuleList(nn.Conv1d(width, width, 5, padding=2) for _ in range(depth))
        self.narrow = nn.ModuleList(nn.Conv1d(width, width, 1) for _ in range(depth))
        for layer in self.narrow:
            assert isinstance(layer, nn.Conv1d)
            nn.init.zeros_(layer.weight)

    def forward(self, x: Tensor) -> Tensor:
        """``[B, C, T]`` to the same."""
        for wide, narrow in zip(self.wide, self.narrow, strict=True):
            x = x + narrow(functional.relu(wide(functional.relu(x))))
        return x


class SpeechTokenizer(nn.Module):
    """Features at 100 Hz to eight digits at 25 Hz (finite scalar quantisation,
    https://arxiv.org/abs/2309.15505)."""

    def __init__(self) -> None:
        super().__init__()
        self.halve = nn.Conv1d(FEATURE_BANDS, WIDTH, 3, stride=2, padding=1)
        self.quarter = nn.Conv1d(WIDTH, WIDTH, 3, stride=2, padding=1)
        self.blocks = ResidualConvolutions(WIDTH, DEPTH)
        self.digits = nn.Conv1d(WIDTH, N_DIGITS, 1)

    def forward(self, features: Tensor) -> Tensor:
        """``[B, 128, T]`` to values between -1 and 1 ``[B, 8, T / 4]``, which are rounded."""
        x = functional.relu(self.halve(features))
        x = self.blocks(self.quarter(x))
        return torch.tanh(self.digits(functional.relu(x)))

    def codes(self, features: Tensor) -> Tensor:
        """Ids int64 ``[B, T / 4]``."""
        return code_of(self(features).round())


class SpeakerEncoder(nn.Module):
    """Filter banks of a recording to one vector."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv1d(FILTER_BANKS, SPEAKER_HIDDEN, 5, padding=2)
        self.second = nn.Conv1d(SPEAKER_HIDDEN, SPEAKER_HIDDEN, 5, padding=2)
        self.embedding = nn.Linear(SPEAKER_HIDDEN, SPEAKER_WIDTH)

    def forward(self, banks: Tensor) -> Tensor:
        """``[B, m, 80]`` to ``[B, 192]``."""
        x = functional.relu(self.first(banks.transpose(1, 2)))
        return self.embedding(functional.relu(self.second(x)).mean(dim=2))


class MelDecoder(nn.Module):
    """Digits and the speaker back to mel frames: what codes have to keep."""

    def __init__(self) -> None:
        super().__init__()
        self.content = nn.Conv1d(N_DIGITS, DECODER_WIDTH, 5, padding=2)
        self.speaker = nn.Linear(SPEAKER_WIDTH, DECODER_WIDTH)
        self.slow = ResidualConvolutions(DECODER_WIDTH, DECODER_DEPTH)
        self.upsample = nn.ConvTranspose1d(DECODER_WIDTH, DECODER_WIDTH, 4, stride=2, padding=1)
        self.fast = ResidualConvolutions(DECODER_WIDTH, DECODER_DEPTH)
        self.mel = nn.Conv1d(DECODER_WIDTH, N_MELS, 1)

    def forward(self, digits: Tensor, speaker: Tensor) -> Tensor:
        """``[B, 8, T]`` and ``[B, 192]`` to ``[B, 2 T, 80]``."""
        unit = functional.normalize(speaker, dim=1)
        x = self.content(digits) + self.speaker(unit)[:, :, None]
        x = self.fast(self.upsample(self.slow(x)))
        return self.mel(functional.relu(x)).transpose(1, 2)


class PhoneReader(nn.Module):
    """Digits to the phones that they say, so that codes tell words apart and not just sounds
    (supervised semantic tokens, https://arxiv.org/abs/2407.05407)."""

    def __init__(self) -> None:
        super().__init__()
        self.content = nn.Conv1d(N_DIGITS, DECODER_WIDTH, 3, padding=1)
        self.classes = nn.Conv1d(DECODER_WIDTH, 2 * N_CLASSES, 1)

    def forward(self, digits: Tensor) -> Tensor:
        """``[B, 8, T]`` to scores ``[B, classes, 2 T]``."""
        scores = self.classes(functional.relu(self.content(digits)))
        return scores.unflatten(1, (N_CLASSES, 2)).transpose(2, 3).flatten(2)


class Reading(NamedTuple):
    """What codes give back: mel frames ``[B, 2 T, 80]`` and scores of phones ``[B, classes, 2 T]``;
    and the values before rounding ``[B, 8, T]``."""

    mel: Tensor
    phones: Tensor
    values: Tensor


class SpeechCodec(nn.Module):
    """All four, trained together."""

    def __init__(self) -> None:
        super().__init__()
        self.tokenizer = SpeechTokenizer()
        self.speaker = SpeakerEncoder()
        self.decoder = MelDecoder()
        self.phones = PhoneReader()

    def forward(self, features: Tensor, banks: Tensor) -> Reading:
        """``[B, 128, 4 T]`` and ``[B, m, 80]`` to codes, and back."""
        values = self.tokenizer(features)
        digits = values + (values.round() - values).detach()  # gradients pass the rounding by
        return Reading(self.decoder(digits, self.speaker(banks)), self.phones(digits), values)


def code_of(digits: Tensor) -> Tensor:
    """Digits -1, 0, 1 ``[B, 8, T]`` as ids; the first digit is the lowest."""
    places = 3 ** torch.arange(N_DIGITS, device=digits.device)
    return ((digits.long() + 1) * places[:, None]).sum(dim=1)


def digits_of(codes: Tensor) -> Tensor:
    """Ids ``[...]`` as digits -1, 0, 1 ``[..., 8]``, float32."""
    places = 3 ** torch.arange(N_DIGITS, device=codes.device)
    return (codes[..., None] // places % 3 - 1).float()
