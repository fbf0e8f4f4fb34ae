"""What people put around a question, how they shorten it, and how they mistype it."""

from __future__ import annotations

import re
from random import Random

from training.nano.phrasing import expand, normalised

_BEFORE_QUESTIONS = """
    [hey|hi|hello|ok|okay|so|well|now|and|please|um|uh|hmm|oh|listen|nano|hey nano|alright],
    [excuse me|sorry|one question|tell me|just curious|by the way|quick question|a question]:
    [I have a question|here is my question|another question|next question|let me ask you].
    [I was wondering|I am curious|we want to know|my child asks|somebody asked me],
    [okay so|well then|oh and|right|hey there|hmm okay|let me think|erm|also|um so|you know|anyway],
    [one more|one more thing|something else|last one|easy one|a silly question|help me out],
    [good morning|good evening|hello nano|hi again|thanks|great|cool|nice|I see|oh okay].
    [if you do not mind|if I may ask|for my daughter|just to check|between us|be honest],
"""
_AFTER_QUESTIONS = """
    , [please|nano|my friend|thanks|thank you|do you know|can you tell me|I wonder]
    [please|now|then|again|exactly]
    , [any idea|any guess|would you say|do you think|in your opinion|buddy|dear|if you know]
    [by the way|for me|once more|though|really|actually|right now|thank you]
"""
_BEFORE_OTHERS = """
    [hey|hi|hello|ok|okay|so|well|now|um|uh|hmm|oh|listen|nano|hey nano|alright],
    [erm|oh well|okay then|right|hey there|anyway|you know|yes|alright then|hmm okay],
"""
_AFTER_OTHERS = ", [you know|my friend|buddy|dear|okay|all right|haha]"
_BEFORE_ZH = (
    "[请问|那|那么|嗯|哎|你好|小助手|纳诺|好的|对了|喂|我想问|告诉我|请问一下|问一下|我想知道"
    "|哎呀|好吧|谢谢|还有|另外|不好意思|麻烦问一下|你说|你看|那请问|嘿|我问你]，"
)
_AFTER_ZH = "[呢|呀|啊|，谢谢|，纳诺|，请告诉我|，你知道吗|，好吗|，拜托了|，麻烦了|，能说说吗|哦]"

_SHORT_FORMS = {
    "I am": "I'm",
    "I have been": "I've been",
    "I have got": "I've got",
    "you have": "you've",
    "we have": "we've",
    "I will": "I'll",
    "you will": "you'll",
    "I would": "I'd",
    "you are": "you're",
    "we are": "we're",
    "it is": "it's",
    "that is": "that's",
    "there is": "there's",
    "what is": "what's",
    "what are": "what're",
    "how is": "how's",
    "where is": "where's",
    "who is": "who's",
    "today is": "today's",
    "tomorrow is": "tomorrow's",
    "name is": "name's",
    "day is": "day's",
    "color is": "color's",
    "number is": "number's",
    "let us": "let's",
    "do not": "don't",
    "does not": "doesn't",
    "did not": "didn't",
    "is not": "isn't",
    "are not": "aren't",
    "was not": "wasn't",
    "have not": "haven't",
    "will not": "won't",
    "cannot": "can't",
}
_SHORTENED = re.compile(rf"\b({'|'.join(_SHORT_FORMS)})(?= \w)")
CONTRACTED_SHARE = 0.4

_LETTERS_FOR_WORDS = {
    "you": "u",
    "are": "r",
    "your": "ur",
    "please": "pls",
    "thanks": "thx",
    "okay": "ok",
    "want to": "wanna",
    "going to": "gonna",
    "kind of": "kinda",
    "do not know": "dunno",
    "going": "goin",
    "what is": "wats",
}
_SUM = re.compile(r"\d+ ?[-+x] ?\d+")
_KEYS = "qwertyuiop asdfghjkl zxcvbnm"
SHORTEST_MISTYPED = 5  # letters; shorter words become other words too easily


def surrounded(rng: Random, text: str) -> str:
    """A sentence with what people say before and after it, mostly nothing."""
    if not text.isascii():
        before = expand(rng, _BEFORE_ZH) if rng.random() < 0.2 else ""
        after = expand(rng, _AFTER_ZH) if rng.random() < 0.15 and text[-1].isalpha() else ""
        return before + text + after
    is_question = text.endswith("?")
    if rng.random() < 0.2:
        openings = _BEFORE_QUESTIONS if is_question else _BEFORE_OTHERS
        text = f"{_line(rng, openings)} {text}"
    if is_question and rng.random() < 0.1:
        text = f"{text.rstrip('?')} {_line(rng, _AFTER_QUESTIONS)}?".replace(" ,", ",")
    elif text[-1].isalnum() and rng.random() < 0.05:
        text += expand(rng, _AFTER_OTHERS)
    return text


def contracted(rng: Random, text: str) -> str:
    """A sentence as it is said quickly, now and then: "I'm" for "I am"."""
    if rng.random() >= CONTRACTED_SHARE:
        return text
    return _SHORTENED.sub(lambda match: _SHORT_FORMS[match[1]], text)


def hastily(rng: Random, text: str) -> str:
    """A sentence as people type it who do not look twice, mostly unchanged."""
    if not text.isascii():
        return text
    if rng.random() < 0.1:
        words = rng.sample(sorted(_LETTERS_FOR_WORDS), 5)
        for word in words:
            text = re.sub(rf"\b{word}\b", _LETTERS_FOR_WORDS[word], text, flags=re.IGNORECASE)
    if rng.random() < 0.3:
        text = text.lower().rstrip("?.!")
        text = text.replace("'", "") if rng.random() < 0.5 else text
    if _SUM.fullmatch(text.rstrip("?")) and rng.random() < 0.3:
        text = text.rstrip("?") + rng.choice(("=", " =", "=?", " = ?"))
    elif rng.random() < 0.08:
        text += rng.choice(("?", "!", "!!", "...", " :)", " ?")) if text[-1] != "." else ".."
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
