"""How an answer becomes speech: its audio codes, and which of them belong to which of its words."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Protocol

import torch

from MiniCPMO45.mel import SAMPLE_RATE
from MiniCPMO45.model import VOCODER_FOLDER
from MiniCPMO45.sessions.duplex import UNIT_CHARACTERS
from MiniCPMO45.speech_tokens import CODES_PER_GROUP
from MiniCPMO45.token2wav.spectra import tokenizer_features
from training.nano.listening import Listener
from training.nano.rendering import Renderer
from training.nano.saying import as_said
from training.nano.speech import synthesise
from training.nano.voices import OWN_VOICE

LATE_CODES = 4  # codes by which a word may begin later than its place in the text says
EARLY_CODES = 5  # codes by which a unit of a call has its words earlier than they are said
UNIT_TOKENS = 16  # most words' tokens of a unit


class AnswerVoice(Protocol):
    """Gives the audio codes of an answer, always the same ones."""

    def codes(self, text: str) -> list[int]: ...


class OwnVoice:
    """The voice of the model, read by the speech tokenizer of a checkpoint."""

    def __init__(self, folder: Path) -> None:
        self._listener = Listener(folder / VOCODER_FOLDER)
        self.codes = lru_cache(maxsize=20_000)(self._codes)

    def _codes(self, text: str) -> list[int]:
        waveform = synthesise(as_said(text), OWN_VOICE)
        return self._listener.codes(tokenizer_features(torch.from_numpy(waveform)).numpy())


class PacedVoice:
    """Only how long an answer takes: its codes say nothing."""

    def __init__(self) -> None:
        self.codes = lru_cache(maxsize=20_000)(self._codes)

    def _codes(self, text: str) -> list[int]:
        n_samples = synthesise(as_said(text), OWN_VOICE).size
        return [0] * -(-n_samples * CODES_PER_GROUP // SAMPLE_RATE)


def codes_before(text: str, n_characters: int, n_codes: int) -> int:
    """How many of an answer's codes surely belong to the words that end within its first
    ``n_characters``; later ones are said when the next words are known."""
    if n_characters >= len(text):
        return n_codes
    start = _word_start(text, n_characters)
    return max(0, start * n_codes // len(text) - LATE_CODES) if start else 0


def paced(renderer: Renderer, text: str, n_codes: int) -> list[list[int]]:
    """The token ids of an answer dealt out over the units of a call that say it: words come a
    little before they are said, and none is torn apart."""
    units: list[list[int]] = [[]]
    n_characters = 0
    for word in words_of_tokens(renderer, text):
        words = renderer.tokenizer.decode(word)
        unit = max(0, n_characters * n_codes // max(1, len(text)) - EARLY_CODES) // CODES_PER_GROUP
        held = renderer.tokenizer.decode([*units[-1], *word])
        full = len(held) >= UNIT_CHARACTERS or len(units[-1]) + len(word) > UNIT_TOKENS
        if units[-1] and (full or unit > len(units) - 1):
            units.append([])
        units[-1] += word
        n_characters += len(words)
    return units


def words_of_tokens(renderer: Renderer, text: str) -> list[list[int]]:
    """The token ids of a text, those of a word and its marks together; of Chinese, those of a
    character."""
    words: list[list[int]] = []
    for token in renderer.tokenizer.encode_plain(text):
        piece = renderer.tokenizer.decode([token])
        begins = piece[:1] == " " or (not piece[:1].isascii() and piece[:1].isalnum())
        if words and not begins:
            words[-1].append(token)
        else:
            words.append([token])
    return words


def _word_start(text: str, n_characters: int) -> int:
    """Where the word begins that ``n_characters`` may tear apart."""
    if not text.isascii() or text[n_characters] == " ":
        return n_characters
    return text.rfind(" ", 0, n_characters) + 1
