"""Conversations to learn from and conversations to be tested on, from seeds.

The evaluation's sentences come from held-out templates, and a sentence that both sets could make is
taken out of the training data. So is every sentence of the blind questions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from random import Random

from training.nano.blind import blind_sentences
from training.nano.exchange import Exchange
from training.nano.phrasing import normalised
from training.nano.pictures import questions_of_test
from training.nano.saying import transcript
from training.nano.topics import SKILLS
from training.nano.wording import contracted, hastily, mistyped, surrounded

EVALUATION_SEED = 20_000
EVALUATIONS_PER_SKILL = 40
LONGEST = 4  # skills in one conversation
HARD = {"arithmetic": 6, "repeat after me": 5, "refusal of topics": 5, "refusal of tasks": 6}
HARD |= {"counting": 3, "name": 2, "name recall": 5, "what did I say": 6}
HARD |= {"arithmetic follow-up": 3, "number neighbours": 2, "opposites": 2, "name zh": 2}
HARD |= {"arithmetic zh": 4, "refusal zh": 3, "opposites zh": 2, "repeat after me zh": 2}
HARD |= {"sums in words": 4, "story problems": 4, "checked sums": 2, "user facts": 4}
HARD |= {"subtraction follow-up": 2, "animals by sound": 2, "colours of things": 2}
HARD |= {"story problems zh": 2, "user facts zh": 2, "what did I say zh": 2}
"""How much more often than the others these skills are trained."""

NOTHING_BEFORE = {"name untold", "nothing said", "user facts untold"}
"""Skills that can only begin a conversation."""

NAMING = {"name", "name recall", "name zh"}
"""Skills that a conversation holds one of, because a user has one name."""

VERBATIM = {"repeat after me", "repeat after me zh", "what did I say", "what did I say zh"}
"""Skills whose sentences are given back word by word, so that nothing is put around them."""

MISTYPED_SHARE = 0.15
"""Of the sentences in conversations that are written and not spoken."""

BETWEEN = ("arithmetic", "greeting", "days", "animal sounds", "colours of things")

SYSTEM_PROMPTS = (
    "You are a helpful assistant.",
    "You are a helpful assistant. You can accept audio and text input and output voice and text.",
    "You are a friendly assistant. Answer in short sentences.",
    "You are Nano.",
    "Be brief and honest.",
    "Answer the user's questions.",
    "Streaming Omni Conversation.",
    "你是一个友好的助手。",
    "请认真、高质量地回复用户的问题。",
)


@dataclass(frozen=True)
class Dialogue:
    """Turns of one conversation; the last is the one that ``skill`` names."""

    skill: str
    exchanges: tuple[Exchange, ...]
    system: str | None = None

    @property
    def sentences(self) -> list[str]:
        """What the user says, as it sounds: with words for numbers and signs."""
        return [transcript(exchange.user) for exchange in self.exchanges]


def training_dialogues(seed: int) -> Iterator[Dialogue]:
    """Endless conversations of one to four skills in a row; none holds a sentence that is asked in
    a test."""
    rng = Random(seed)
    names = list(SKILLS)
    weights = [HARD.get(name, 1) for name in names]
    while True:
        chosen = rng.choices(names, weights, k=rng.choice((1, 1, 2, 2, 3, LONGEST)))
        exchanges = _joined(rng, chosen)
        if exchanges is None:
            continue
        system = rng.choice(SYSTEM_PROMPTS) if rng.random() < 0.3 else None
        dialogue = Dialogue(chosen[-1], tuple(exchanges), system)
        if barred_sentences().isdisjoint(dialogue.sentences):
            yield dialogue


def written_dialogues(seed: int) -> Iterator[Dialogue]:
    """The training conversations with the haste and the slips of people who type."""
    rng = Random(f"typing {seed}")
    for dialogue in training_dialogues(seed):
        answers = " ".join(exchange.answer for exchange in dialogue.exchanges)
        exchanges = tuple(_typed(rng, exchange, answers) for exchange in dialogue.exchanges)
        written = replace(dialogue, exchanges=exchanges)
        if barred_sentences().isdisjoint(written.sentences):
            yield written


def evaluation_dialogues(per_skill: int = EVALUATIONS_PER_SKILL) -> list[Dialogue]:
    """The fixed test: up to ``per_skill`` different conversations of every skill."""
    dialogues = []
    for name, make in SKILLS.items():
        rng = Random(f"{EVALUATION_SEED} {name}")
        made: dict[tuple[str, ...], Dialogue] = {}
        for _ in range(EVALUATIONS_PER_SKILL):
            exchanges = tuple(dressed(rng, part) for part in make(rng, "held_out"))
            dialogue = Dialogue(name, exchanges)
            made.setdefault(tuple(dialogue.sentences), dialogue)
        dialogues += list(made.values())[:per_skill]
    return dialogues


@lru_cache(maxsize=1)
def evaluation_sentences() -> frozenset[str]:
    """Everything the user says in the fixed test, as it sounds."""
    return frozenset(
        sentence for dialogue in evaluation_dialogues() for sentence in dialogue.sentences
    )


@lru_cache(maxsize=1)
def barred_sentences() -> frozenset[str]:
    """Everything that is asked in the fixed test, in the blind one and in that of pictures, as it
    sounds."""
    about_pictures = map(transcript, questions_of_test())
    return evaluation_sentences() | blind_sentences() | frozenset(about_pictures)


def dressed(rng: Random, exchange: Exchange) -> Exchange:
    """The same with the capitals and marks of another writer. Questions in Chinese stay."""
    text = exchange.user
    if not text.isascii():
        return exchange
    style = rng.random()
    if style < 0.3:
        text = text.rstrip("?")
    elif style < 0.35:
        text = text.rstrip("?").lower()
    elif style < 0.8:
        text = text[:1].upper() + text[1:]
        text += "" if text[-1] in "?." else rng.choice((".", "", "!"))
    return replace(exchange, user=text)


def _joined(rng: Random, skills: list[str]) -> list[Exchange] | None:
    """The exchanges of several skills in a row; None where one would make another wrong."""
    exchanges: list[Exchange] = []
    for position, skill in enumerate(skills):
        if skill in NOTHING_BEFORE and position:
            return None
        if skill in NAMING and NAMING.intersection(skills[:position]):
            return None
        exchanges += _said(rng, skill)
    return _with_distance(rng, skills, exchanges)


def _with_distance(rng: Random, skills: list[str], exchanges: list[Exchange]) -> list[Exchange]:
    """Sometimes other talk lies between a name and the question for it."""
    if skills[-1] == "name recall" and rng.random() < 0.5:
        return [*exchanges[:-1], *_said(rng, rng.choice(BETWEEN)), exchanges[-1]]
    return exchanges


def _said(rng: Random, skill: str) -> list[Exchange]:
    """The exchanges of a skill as one of many people would write them."""
    exchanges = SKILLS[skill](rng, "seen")
    if skill not in VERBATIM:
        exchanges = [
            replace(part, user=contracted(rng, surrounded(rng, part.user))) for part in exchanges
        ]
    return [dressed(rng, exchange) for exchange in exchanges]


def _typed(rng: Random, exchange: Exchange, kept: str) -> Exchange:
    """The exchange as it is written down; words of ``kept`` stay readable."""
    is_repeated = normalised(exchange.answer) in normalised(exchange.user)
    text = exchange.user if is_repeated else hastily(rng, exchange.user)
    if rng.random() < MISTYPED_SHARE:
        text = mistyped(rng, text, kept)
    return replace(exchange, user=text)
