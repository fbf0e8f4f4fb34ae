"""How well spoken questions are answered: held-out phrasings in voices training never hears."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from training.nano.dialogues import Dialogue
from training.nano.scores import Scores
from training.nano.sounds import Waveform
from training.nano.spoken_data import heard_question

SOUND_SEED = 1_000_000_000
"""Seeds of training sounds stay below."""


def hearing_scores(
    answer: Callable[[list[dict[str, Any]]], str], dialogues: Iterable[Dialogue]
) -> Scores:
    """Conversations whose earlier answers are given, with all questions spoken.

    Args:
        answer: sends messages to the service; gives what the model says.
    """
    scores = Scores()
    for number, dialogue in enumerate(dialogues):
        said = answer(spoken_messages(dialogue, number))
        scores.note(dialogue.skill, dialogue.exchanges, said)
    return scores


def spoken_messages(dialogue: Dialogue, number: int) -> list[dict[str, Any]]:
    """The messages up to the last question, in voices drawn from ``number``."""
    draws = np.random.default_rng([SOUND_SEED, number])
    messages: list[dict[str, Any]] = []
    for exchange in dialogue.exchanges:
        spoken = heard_question(draws, exchange.user, held_out=True)
        content = [{"type": "audio", "data": encoded(spoken)}]
        messages.append({"role": "user", "content": content})
        messages.append({"role": "assistant", "content": exchange.answer})
    return messages[:-1]


def encoded(waveform: Waveform) -> str:
    """Base64 of float32 samples."""
    return base64.b64encode(waveform.astype("<f4").tobytes()).decode()
