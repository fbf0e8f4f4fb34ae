"""The tokenizer: byte-level BPE learnt on the conversations, with all special tokens."""

from __future__ import annotations

from itertools import islice

from tokenizers import Tokenizer

from MiniCPMO45.tiny.tokenizer import FRAME_WORDS, learn_merges, tokenizer_of
from training.nano.dialogues import SYSTEM_PROMPTS, training_dialogues
from training.nano.pictures import example

N_MERGES = 2000
N_DIALOGUES = 20_000
N_PICTURES = 300
WHOLE_WEIGHT = 100  # how often what must be one piece is repeated


def train_tokenizer() -> Tokenizer:
    """Learn the merges; every Chinese character is one piece, since speech allows no parts."""
    text = list(corpus())
    characters = sorted({c for line in text for c in line if not c.isascii()})
    whole = [*FRAME_WORDS, *characters] * WHOLE_WEIGHT
    # sentences also stand after a blank, so that most words have one piece for either place
    lines = [*whole, *text, *(f" {line}" for line in text if line.isascii())]
    return tokenizer_of(learn_merges(lines, most=N_MERGES, min_frequency=2))


def corpus() -> list[str]:
    """Sentences of both sides, as often as conversations hold them."""
    lines: list[str] = [*SYSTEM_PROMPTS]
    for dialogue in islice(training_dialogues(seed=0), N_DIALOGUES):
        lines += [text for e in dialogue.exchanges for text in (e.user, e.answer)]
    for seed in range(N_PICTURES):
        exchange = example(seed).exchange
        lines += [exchange.user, exchange.answer]
    return lines
