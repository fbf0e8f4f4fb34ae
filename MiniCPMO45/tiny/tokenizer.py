"""A small byte-level BPE in the manner of the published tokenizer, and its files."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.trainers import BpeTrainer

from MiniCPMO45.tiny.added_tokens import AFTER_BASE, DECLARED, UNKNOWN, is_special
from MiniCPMO45.tiny.corpus import characters_beyond_ascii, paragraphs

SPLIT_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"  # English contractions
    r"|[^\r\n\p{L}\p{N}]?\p{L}+"  # letters, with one leading mark or blank
    r"|\p{N}"  # single digits
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*"  # marks
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"  # blanks
)
FRAME_WORDS = ["user\n", "system\n", "assistant\n", "a\n\n"]
"""Made whole pieces because every prompt holds them."""

BAD_CHARACTERS = frozenset("()（）\n\r\N{REPLACEMENT CHARACTER}")
"""Speech-producing loops never say a piece that holds one of these."""


def train_tokenizer() -> Tokenizer:
    """Train on the corpus until every one of its English words and characters is one piece."""
    return tokenizer_of(_learn_merges())


def tokenizer_of(merges: list[list[str]]) -> Tokenizer:
    """A tokenizer of the bytes, the given merges in order, and the added tokens."""
    base = [*sorted(ByteLevel.alphabet()), UNKNOWN]
    base += dict.fromkeys(left + right for left, right in merges)
    vocabulary = {piece: index for index, piece in enumerate(base)}
    return _tokenizer(vocabulary, merges, [UNKNOWN, *AFTER_BASE])


def token_id(tokenizer: Tokenizer, token: str) -> int:
    """The id of a token that is known to exist."""
    found = tokenizer.token_to_id(token)
    if found is None:
        raise KeyError(token)
    return found


def write_tokenizer_files(tokenizer: Tokenizer, folder: Path) -> None:
    """Write the six tokenizer files of the official layout."""
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    model = json.loads(tokenizer.to_str())["model"]
    merges = "".join(f"{left} {right}\n" for left, right in model["merges"])
    (folder / "merges.txt").write_text("#version: 0.2\n" + merges, encoding="utf-8")
    files = {
        "vocab.json": model["vocab"],
        "added_tokens.json": {token: token_id(tokenizer, token) for token in sorted(AFTER_BASE)},
        "special_tokens_map.json": _special_tokens_map(),
        "tokenizer_config.json": _tokenizer_config(tokenizer),
    }
    for name, values in files.items():
        text = json.dumps(values, ensure_ascii=False, indent=2)
        (folder / name).write_text(text + "\n", encoding="utf-8")


def bad_token_ids(tokenizer: Tokenizer) -> list[int]:
    """Base pieces that hold a parenthesis, a line break or a part of a character."""
    first_added = token_id(tokenizer, AFTER_BASE[0])
    return [
        index for index in range(first_added) if BAD_CHARACTERS & set(tokenizer.decode([index]))
    ]


def _learn_merges() -> list[list[str]]:
    whole = [*FRAME_WORDS, *characters_beyond_ascii()]
    text = [line for paragraph in paragraphs() for line in _twice_if_english(paragraph)]
    # the number of merges is out of reach: the frequency limit ends the training
    return learn_merges(whole * 100 + text, most=1 << 20, min_frequency=2)


def learn_merges(lines: Iterable[str], *, most: int, min_frequency: int) -> list[list[str]]:
    """The pairs that byte-level BPE merges over ``lines``, the most frequent first."""
    settings = {
        "vocab_size": len(ByteLevel.alphabet()) + most,
        "min_frequency": min_frequency,
        "initial_alphabet": ByteLevel.alphabet(),
        "show_progress": False,
    }
    trainee = _tokenizer({}, [], [])
    trainee.train_from_iterator(lines, BpeTrainer(**settings))
    return json.loads(trainee.to_str())["model"]["merges"]


def _twice_if_english(paragraph: str) -> list[str]:
    """English words become whole pieces, Chinese ones only if they are common.

    A piece needs two occurrences, so an English paragraph counts twice, with and without the
    blank that precedes a word in mid-sentence.
    """
    return [paragraph, f" {paragraph}"] * 2 if paragraph.isascii() else [paragraph]


def _tokenizer(
    vocabulary: dict[str, int], merges: list[list[str]], added_tokens: list[str]
) -> Tokenizer:
    """A tokenizer with the published pipeline. New added tokens follow the vocabulary."""
    byte_level = {
        "type": "ByteLevel",
        "add_prefix_space": False,
        "trim_offsets": False,
        "use_regex": False,
    }
    split = {"type": "Split", "pattern": {"Regex": SPLIT_PATTERN}, "behavior": "Isolated"}
    ids = vocabulary | {
        token: len(vocabulary) + rank
        for rank, token in enumerate(token for token in added_tokens if token not in vocabulary)
    }
    description = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {"id": ids[token], **_entry(token), "special": is_special(token)}
            for token in added_tokens
        ],
        "normalizer": {"type": "NFC"},
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [{**split, "invert": False}, byte_level],
        },
        "post_processor": byte_level,
        "decoder": byte_level,
        "model": {"type": "BPE", "vocab": vocabulary, "merges": merges},
    }
    return Tokenizer.from_str(json.dumps(description))


def _special_tokens_map() -> dict[str, Any]:
    return {
        "additional_special_tokens": [_entry(token) for token in DECLARED],
        "bos_token": "<|im_start|>",
        "eos_token": _entry("<|im_end|>"),
        "pad_token": _entry("<|endoftext|>"),
        "unk_token": UNKNOWN,
    }


def _tokenizer_config(tokenizer: Tokenizer) -> dict[str, Any]:
    chat_template = Path(__file__).with_name("chat_template.jinja").read_text(encoding="utf-8")
    return {
        "add_bos_token": False,
        "add_prefix_space": False,
        "added_tokens_decoder": {
            str(token_id(tokenizer, token)): {**_entry(token), "special": is_special(token)}
            for token in [UNKNOWN, *AFTER_BASE]
        },
        "additional_special_tokens": DECLARED,
        "bad_token_ids": bad_token_ids(tokenizer),
        "bos_token": "<|im_start|>",
        "chat_template": chat_template,
        "clean_up_tokenization_spaces": False,
        "eos_token": "<|im_end|>",
        "errors": "replace",
        "model_max_length": 131072,
        "pad_token": "<|endoftext|>",
        "split_special_tokens": False,
        "tokenizer_class": "MiniCPMOTokenizerFast",
        "unk_token": UNKNOWN,
    }


def _entry(token: str) -> dict[str, Any]:
    flags = dict.fromkeys(("lstrip", "normalized", "rstrip", "single_word"), False)
    return {"content": token, **flags}
