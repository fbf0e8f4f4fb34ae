"""What the parity tests of the training share: noted feeds, rows as training makes them, sounds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain

import numpy as np
import pytest
import torch
from torch import Tensor

from MiniCPMO45 import MiniCPMO
from MiniCPMO45.sessions.base import Session
from MiniCPMO45.speech_tokens import SpeechDecoder
from training.nano.mixed_rows import MixedSequence, batch_of, embedded
from training.nano.phones import Phones
from training.nano.sounds import Waveform
from training.nano.speech import Speech
from training.nano.speech_rows import packed_plans, plan_of, speech_inputs

CPU = torch.device("cpu")


def sound(seconds: float, seed: int = 0) -> Waveform:
    """Noise that changes its loudness ten times a second."""
    draws = np.random.default_rng(seed)
    loudness = np.repeat(draws.uniform(0.001, 0.3, int(seconds * 10) + 1), 1600)
    n_samples = int(seconds * 16000)
    return (draws.standard_normal(n_samples) * loudness[:n_samples]).astype(np.float32)


def spoken_as_noise(text: str, *_: object) -> Waveform:
    """In place of the sound of speech: noise as long as a sentence takes."""
    return sound(0.3 + len(text) / 14, seed=len(text))


def noise_for_speech(text: str, *_: object) -> Speech:
    """In place of speech: `spoken_as_noise`, each letter being a phone."""
    waveform = spoken_as_noise(text)
    return Speech(waveform, Phones.of((0.1 + n / 14, letter) for n, letter in enumerate(text)))


class Feeds(list[Tensor]):
    """Rows that were fed, and in ``states`` what became of them."""

    def __init__(self) -> None:
        self.states: list[Tensor] = []

    @property
    def rows(self) -> Tensor:
        return torch.cat(list(self))

    @property
    def hidden(self) -> Tensor:
        return torch.cat(self.states)


def assert_same_rows(actual: Tensor, expected: Tensor) -> None:
    """They are alike as far as features in half precision allow."""
    torch.testing.assert_close(actual, expected, atol=1e-2, rtol=1e-2)


@contextmanager
def noted_feeds(monkeypatch: pytest.MonkeyPatch) -> Iterator[Feeds]:
    """All rows that sessions feed to the language model, in order."""
    feeds = Feeds()
    feed = Session.feed_embeddings

    def note_and_feed(session: Session, embeddings: Tensor) -> Tensor:
        feeds.append(embeddings.clone())
        feeds.states.append(feed(session, embeddings))
        return feeds.states[-1]

    with monkeypatch.context() as patch:
        patch.setattr(Session, "feed_embeddings", note_and_feed)
        yield feeds


@contextmanager
def noted_speech(
    monkeypatch: pytest.MonkeyPatch, codes: Sequence[int]
) -> Iterator[list[list[Tensor]]]:
    """Speech draws these codes; its feeds, a list for each time that it begins anew."""
    turns: list[list[Tensor]] = []
    following = iter(codes)
    feed = SpeechDecoder.feed

    def note_and_feed(decoder: SpeechDecoder, rows: Tensor) -> Tensor:
        assert decoder.position == decoder.slot.length
        if decoder.position == 0:
            turns.append([])
        turns[-1].append(rows.clone())
        return feed(decoder, rows)

    def next_code(*_: object) -> Tensor:
        return torch.tensor(next(following))

    with monkeypatch.context() as patch:
        patch.setattr(SpeechDecoder, "feed", note_and_feed)
        patch.setattr("MiniCPMO45.speech_tokens.draw_code", next_code)
        yield turns
    assert next(following, None) is None


@torch.no_grad()
def trained_rows(model: MiniCPMO, sequence: MixedSequence) -> Tensor:
    """Input rows of a sequence, as training makes them beside another one."""
    other = MixedSequence()
    other.read([3] * 7)
    n_tokens = len(sequence.ids)
    batch = batch_of([[other, sequence], [sequence]], n_tokens + 20, CPU)
    rows, _ = embedded(model, batch)
    assert_same_rows(rows[0, 7 : 7 + n_tokens], rows[1, :n_tokens])
    return rows[1, :n_tokens]


@torch.no_grad()
def trained_speech(model: MiniCPMO, sequence: MixedSequence, hidden: Tensor) -> list[Tensor]:
    """Input rows of every turn of speech of a sequence with these final hidden states."""
    config, turns = model.config.tts_config, []
    for turn in sequence.turns:
        plan = plan_of(sequence, turn, config)
        rows = packed_plans([plan], 2048)
        inputs = speech_inputs(model.tts, rows, hidden[plan.tokens])
        turns.append(inputs[0][rows.segments[0] == 1])
    return turns


def assert_same_speech(trained: list[Tensor], turns: list[list[Tensor]]) -> None:
    """Each turn was fed as it is learnt."""
    assert len(trained) == len(turns)
    for rows, fed in zip(trained, turns, strict=True):
        torch.testing.assert_close(rows, torch.cat(fed), atol=1e-4, rtol=1e-4)


def drawn_codes(model: MiniCPMO, sequence: MixedSequence) -> list[int]:
    """What speech has to draw to say what a sequence says; where a stretch goes on beyond its
    codes, one more is drawn that nobody hears."""
    end_id = model.config.tts_config.num_audio_tokens - 1
    stretches = chain.from_iterable(sequence.turns)
    return [
        code for stretch in stretches for code in (*stretch.codes, end_id if stretch.ends else 7)
    ]


class SilentVocoder:
    """Takes codes and makes no sound."""

    def push(self, codes: Sequence[int], *, last: bool) -> Tensor:
        return torch.zeros(0)
