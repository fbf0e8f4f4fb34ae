"""Byte-level BPE of the checkpoint, its special tokens and chat template."""

from __future__ import annotations

import codecs
import json
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer as FastTokenizer
from transformers import Qwen2TokenizerFast  # pyright: ignore[reportPrivateImportUsage]
from transformers.utils import logging as transformers_logging

from MiniCPMO45.errors import CheckpointError

# Marks that speech must not contain, looked up as single vocabulary entries. The full-width ones
# have no entry of their own in a byte-level vocabulary, so they resolve to <unk>.
UNSPEAKABLE_MARKS = (
    *":#@*()[]&/$",
    *"\uff1a\uff1b\uff08\uff09\u201c\u201d\u2018\u2019\u3010\u3011\u300a\u300b",
)


class Tokenizer:
    """Text to ids and back, for one checkpoint folder.

    Raises:
        CheckpointError: the folder holds no usable tokenizer files.
    """

    def __init__(self, folder: Path) -> None:
        self._transformers = _load(folder)
        self._fast: FastTokenizer = self._transformers.backend_tokenizer
        self._added = self._fast.get_added_tokens_decoder()
        self._added_ids = {token.content: index for index, token in self._added.items()}
        self._config = _read_json(folder / "tokenizer_config.json")
        self._declared = _read_json(folder / "special_tokens_map.json")
        self.unk_id = self._added_ids["<unk>"]
        self.size = self._fast.get_vocab_size(with_added_tokens=True)

    @property
    def added_strings(self) -> list[str]:
        """Every string that parses as one added token."""
        return list(self._added_ids)

    def id_of(self, token: str) -> int:
        """Id of one vocabulary entry; unknown strings give the id of ``<unk>``."""
        index = self._fast.token_to_id(token)
        return self.unk_id if index is None else index

    def ids_of(self, tokens: Iterable[str]) -> list[int]:
        return [self.id_of(token) for token in tokens]

    def token_of(self, index: int) -> str:
        """The vocabulary entry behind an id, in the byte-level alphabet."""
        token = self._fast.id_to_token(index)
        if token is None:
            raise IndexError(f"token id {index} is outside the vocabulary of {self.size}")
        return token

    def encode(self, text: str) -> list[int]:
        """Ids of ``text``, with special-token strings parsed as tokens."""
        return self._fast.encode(text, add_special_tokens=False).ids

    def encode_plain(self, text: str) -> list[int]:
        """Ids of ``text`` read as ordinary characters throughout."""
        return self._plain.encode(text, add_special_tokens=False).ids

    def decode(self, ids: Sequence[int], *, skip_special_tokens: bool = False) -> str:
        """Text of ``ids``; incomplete UTF-8 becomes U+FFFD."""
        return self._fast.decode(list(ids), skip_special_tokens=skip_special_tokens)

    def render(self, messages: list[dict[str, Any]], **options: Any) -> str:
        """The checkpoint's chat template over messages whose contents are strings."""
        return self._transformers.apply_chat_template(messages, tokenize=False, **options)  # pyright: ignore[reportReturnType]

    @cached_property
    def bad_token_ids(self) -> list[int]:
        """Ids that speech must never contain, as the checkpoint lists them."""
        return list(self._config.get("bad_token_ids", []))

    @cached_property
    def declared_special_ids(self) -> list[int]:
        """Ids declared in ``special_tokens_map.json``; fewer than those flagged as special."""
        entries = [*self._declared.values()]
        strings = [
            item["content"] if isinstance(item, dict) else item
            for entry in entries
            for item in (entry if isinstance(entry, list) else [entry])
        ]
        return sorted({self.id_of(string) for string in strings})

    @cached_property
    def speech_suppressed_ids(self) -> list[int]:
        """Ids barred from turn-based text that will be spoken."""
        return sorted({*self.bad_token_ids, *self.ids_of(UNSPEAKABLE_MARKS)})

    @cached_property
    def duplex_suppressed_ids(self) -> list[int]:
        """Ids barred from full-duplex text."""
        fillers = self.ids_of(["<|chunk_eos|>", "<|tts_pad|>"])
        return sorted({*self.bad_token_ids, *fillers})

    @cached_property
    def turn_terminator_ids(self) -> list[int]:
        """Ids that end an answer in the chunked modes."""
        return self.ids_of(["<|tts_eos|>", "<|im_end|>", "</s>"])

    @cached_property
    def chat_terminator_ids(self) -> list[int]:
        """Ids that end an answer in one-shot chat."""
        return self.ids_of(["<|im_end|>", "<|endoftext|>"])

    def text_stream(self) -> TextStream:
        """A decoder for ids that arrive one by one."""
        return TextStream(self._token_bytes)

    @cached_property
    def _plain(self) -> FastTokenizer:
        description = json.loads(self._fast.to_str())
        description["added_tokens"] = []
        return FastTokenizer.from_str(json.dumps(description))

    @cached_property
    def _token_bytes(self) -> list[bytes]:
        byte_of = _byte_alphabet()
        table = []
        for index in range(self.size):
            token = self._fast.id_to_token(index) or ""
            if index in self._added or any(char not in byte_of for char in token):
                table.append(token.encode())
            else:
                table.append(bytes(byte_of[char] for char in token))
        return table


class TextStream:
    """Turns ids into text that never ends inside a UTF-8 character."""

    def __init__(self, token_bytes: Sequence[bytes]) -> None:
        self._token_bytes = token_bytes
        self._utf8 = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def push(self, token_id: int) -> str:
        """Text that ``token_id`` completes; may be empty."""
        return self._utf8.decode(self._token_bytes[token_id])

    def flush(self) -> str:
        """What an interrupted character leaves: U+FFFD, or nothing."""
        return self._utf8.decode(b"", final=True)


def _byte_alphabet() -> dict[str, int]:
    """Printable stand-ins of the 256 bytes in a byte-level vocabulary (GPT-2's alphabet)."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    alphabet = {chr(byte): byte for byte in printable}
    alphabet.update({chr(256 + rank): byte for rank, byte in enumerate(others)})
    return alphabet


def _read_json(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError) as error:
        raise CheckpointError(f"cannot read {path}: {error}") from error


def _load(folder: Path) -> Qwen2TokenizerFast:
    """Load with the Qwen2 class by name: the class named in the files exists only upstream."""
    merged = folder / "tokenizer.json"
    verbosity = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()  # it would warn about that class name
    try:
        if merged.is_file() and merged.stat().st_size > 0:
            return Qwen2TokenizerFast.from_pretrained(folder)
        with tempfile.TemporaryDirectory() as scratch:
            for name in ("vocab.json", "merges.txt", "tokenizer_config.json"):
                shutil.copy(folder / name, scratch)
            return Qwen2TokenizerFast.from_pretrained(scratch)
    except (OSError, ValueError, TypeError) as error:
        raise CheckpointError(f"cannot load the tokenizer in {folder}: {error}") from error
    finally:
        transformers_logging.set_verbosity(verbosity)
