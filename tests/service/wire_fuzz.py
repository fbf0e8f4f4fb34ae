"""Messages made from the wire's schemas, and what becomes of them on a bad day."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel

STRANGE_VALUES: tuple[Any, ...] = (
    None,
    True,
    -1,
    1e308,
    2**70,
    "",
    "\x00",
    "\ud800",  # half of a pair, which is no text in UTF-8
    "x" * 10_000,
    "AAA=",
    [],
    {},
    [[[[]]]],
    {"type": "stop"},
)
MAX_ITEMS = 2
MAX_DEPTH = 6
NESTED_DEPTH = 20_000
WRONG_UTF8 = (b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xe4\xbd")


class TextBytes(bytes):
    """The content of a text frame that is no text."""


class Fuzzer:
    """A source of frames that says the same for the same seed.

    Args:
        models: the messages of an endpoint, the one that begins a session first.
        huge_characters: the length of a frame that is too long.
    """

    def __init__(
        self, models: tuple[type[BaseModel], ...], seed: int, huge_characters: int
    ) -> None:
        self._chance = random.Random(seed)
        self._schemas = [model.model_json_schema() for model in models]
        self._huge_characters = huge_characters

    def opening(self) -> str:
        """A first message as it should be, or nearly so."""
        return json.dumps(self._message(self._schemas[0]))

    def frame(self) -> str | bytes:
        """A message with one or more faults, as text or, rarely, as bytes."""
        mutate: Callable[[Any], str | bytes] = self._chance.choice(
            (
                *[self._with_strange_values] * 4,
                *[self._torn] * 2,
                self._as_bytes,
                self._nested,
                self._huge,
                self._in_wrong_utf8,
            )
        )
        return mutate(self._message(self._chance.choice(self._schemas)))

    def _message(self, schema: dict[str, Any]) -> Any:
        return self._example(schema, schema.get("$defs", {}), 0)

    def _with_strange_values(self, message: Any) -> str:
        changed = copy.deepcopy(message)
        for _ in range(self._chance.randint(1, 3)):
            self._spoil(changed)
        return json.dumps(changed)

    def _torn(self, message: Any) -> str:
        text = json.dumps(message)
        place = self._chance.randrange(len(text))
        return text[:place] + self._chance.choice(("", "}", "\x00", "NaN", "[" * 5000))

    def _as_bytes(self, message: Any) -> bytes:
        return json.dumps(message).encode("utf-16")

    def _nested(self, message: Any) -> str:
        """With a value nested deeper than any reader likes."""
        return f'{json.dumps(message)[:-1]}, "x": {"[" * NESTED_DEPTH}{"]" * NESTED_DEPTH}}}'

    def _huge(self, message: Any) -> str:
        return json.dumps(message | {"x": "x" * self._huge_characters})

    def _in_wrong_utf8(self, message: Any) -> TextBytes:
        text = json.dumps(message | {"x": "?"}, ensure_ascii=False).encode()
        return TextBytes(text.replace(b"?", self._chance.choice(WRONG_UTF8), 1))

    def _spoil(self, message: Any) -> None:
        """Change, remove or add one value somewhere inside."""
        if not isinstance(message, dict | list) or not message:
            return
        is_object = isinstance(message, dict)
        key = self._chance.choice(list(message) if is_object else range(len(message)))
        match self._chance.choice(("descend", "replace", "replace", "remove", "add")):
            case "descend":
                self._spoil(message[key])
            case "replace":
                message[key] = copy.deepcopy(self._chance.choice(STRANGE_VALUES))
            case "remove":
                del message[key]
            case "add" if is_object:
                message[f"{key}_"] = copy.deepcopy(self._chance.choice(STRANGE_VALUES))

    def _example(self, schema: dict[str, Any], definitions: dict[str, Any], depth: int) -> Any:
        """A value that the schema allows, or nearly so."""
        if "$ref" in schema:
            schema = definitions[schema["$ref"].rsplit("/", 1)[1]]
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self._chance.choice(schema["enum"])
        for one_of in ("anyOf", "oneOf", "allOf"):
            if one_of in schema:
                return self._example(self._chance.choice(schema[one_of]), definitions, depth)
        match schema.get("type"):
            case "object" if depth < MAX_DEPTH:
                return self._object(schema, definitions, depth)
            case "array" if depth < MAX_DEPTH:
                n_items = self._chance.randint(0, MAX_ITEMS)
                items = schema.get("items", {})
                return [self._example(items, definitions, depth + 1) for _ in range(n_items)]
            case "integer":
                return schema.get("minimum", 0) + self._chance.randint(0, 100)
            case "number":
                return schema.get("minimum", 0) + round(self._chance.uniform(0, 100), 3)
            case "boolean":
                return self._chance.random() < 0.5
            case "string":
                return self._chance.choice(("Hello", "你好", "AACAPwAAgD8="))
        return None

    def _object(self, schema: dict[str, Any], definitions: dict[str, Any], depth: int) -> Any:
        required = set(schema.get("required", ())) | {"type"}
        return {
            name: self._example(field, definitions, depth + 1)
            for name, field in schema.get("properties", {}).items()
            if name in required or self._chance.random() < 0.5
        }
