"""The tokenizer: byte-level BPE learnt on the conversations, with all special tokens."""

from __future__ import annotations

from itertools import islice
from random import Random

from tokenizers import Tokenizer

from MiniCPMO45.tiny.tokenizer import FRAME_WORDS, learn_merges, tokenizer_of
from training.nano.dialogues import SYSTEM_PROMPTS, training_dialogues
from training.nano.pictures import example
from training.nano.watching import said_of_camera

N_MERGES = 2000
N_DIALOGUES = 20_000
N_PICTURES = 300
WHOLE_WEIGHT = 400  # how often what must be one piece is repeated


def train_tokenizer() -> Tokenizer:
    """Learn the merges; every Chinese character of an answer is one piece, since speech allows no
    parts."""
    questions, answers = corpus()
    characters = sorted({c for line in answers for c in line if not c.isascii()})
    whole = [*FRAME_WORDS, *characters] * WHOLE_WEIGHT
    text = [*SYSTEM_PROMPTS, *questions, *answers]
    # sentences also stand after a blank, so that most words have one piece for either place
    lines = [*whole, *text, *(f" {line}" for line in text if line.isascii())]
    return tokenizer_of(learn_merges(lines, most=N_MERGES, min_frequency=2))


def corpus() -> tuple[list[str], list[str]]:
    """Questions and answers, as often as conversations hold them."""
    dialogues = islice(training_dialogues(seed=0), N_DIALOGUES)
    exchanges = [exchange for dialogue in dialogues for exchange in dialogue.exchanges]
    exchanges += [example(seed).exchange for seed in range(N_PICTURES)]
    exchanges += [part for seed in range(N_PICTURES) for part in said_of_camera(Random(seed))]
    return [exchange.user for exchange in exchanges], [exchange.answer for exchange in exchanges]
