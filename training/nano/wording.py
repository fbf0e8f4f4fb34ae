"""What people put around a question, and how they mistype it."""

from __future__ import annotations

from random import Random

from training.nano.phrasing import expand, normalised

_BEFORE_QUESTIONS = """
    [hey|hi|hello|ok|okay|so|well|now|and|please|um|uh|hmm|oh|listen|nano|hey nano|alright],
    [excuse me|sorry|one question|tell me|just curious|by the way|quick question|a question]:
    [I have a question|here is my question|another question|next question|let me ask you].
    [I was wondering|I am curious|we want to know|my child asks|somebody asked me],
"""
_AFTER_QUESTIONS = """
    , [please|nano|my friend|thanks|thank you|do you know|can you tell me|I wonder]
    [please|now|then|again|exactly]
"""
_BEFORE_OTHERS = """
    [hey|hi|hello|ok|okay|so|well|now|um|uh|hmm|oh|listen|nano|hey nano|alright],
"""
_BEFORE_ZH = "[请问|那|那么|嗯|哎|你好|小助手|纳诺|好的|对了|喂|我想问|告诉我]，"
_AFTER_ZH = "[呢|呀|啊|，谢谢|，纳诺|，请告诉我]"
_KEYS = "qwertyuiop asdfghjkl zxcvbnm"
SHORTEST_MISTYPED = 5  # letters; shorter words become other words too easily


def surrounded(rng: Random, text: str) -> str:
    """A sentence with what people say before and after it, mostly nothing."""
    if not text.isascii():
        before = expand(rng, _BEFORE_ZH) if rng.random() < 0.15 else ""
        after = expand(rng, _AFTER_ZH) if rng.random() < 0.1 and text[-1].isalpha() else ""
        return before + text + after
    is_question = text.endswith("?")
    if rng.random() < 0.2:
        openings = _BEFORE_QUESTIONS if is_question else _BEFORE_OTHERS
        text = f"{_line(rng, openings)} {text}"
    if is_question and rng.random() < 0.1:
        text = f"{text.rstrip('?')} {_line(rng, _AFTER_QUESTIONS)}?".replace(" ,", ",")
    return text


def mistyped(rng: Random, text: str, kept: str) -> str:
    """A sentence with a wrong key or two; words of ``kept`` stay readable."""
    words = text.split(" ")
    spared = set(normalised(kept).split())
    weak = [
        index
        for index, word in enumerate(words)
        if len(word) >= SHORTEST_MISTYPED
        and word.isascii()
        and word.isalpha()
        and word.lower() not in spared
    ]
    for index in rng.sample(weak, min(len(weak), rng.choice((1, 1, 2)))):
        words[index] = _slip(rng, words[index])
    return " ".join(words)


def _slip(rng: Random, word: str) -> str:
    place = rng.randrange(1, len(word) - 1)
    letter, following = word[place], word[place + 1]
    kind = rng.randrange(4)
    if kind == 0:
        return word[:place] + word[place + 1 :]
    if kind == 1:
        return word[:place] + letter + word[place:]
    if kind == 2:
        return word[:place] + following + letter + word[place + 2 :]
    return word[:place] + _neighbouring_key(rng, letter) + word[place + 1 :]


def _neighbouring_key(rng: Random, letter: str) -> str:
    place = _KEYS.find(letter)
    near = _KEYS[max(0, place - 1) : place + 2].replace(" ", "").replace(letter, "")
    return rng.choice(near) if place >= 0 else letter


def _line(rng: Random, templates: str) -> str:
    return expand(rng, rng.choice(templates.strip().splitlines()))
