"""Structured logs: one line an event, `key=value` fields, session ids but never payloads."""

from __future__ import annotations

import json
import logging
import sys
from contextvars import ContextVar

REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)


def configure_logging(level: int = logging.INFO) -> None:
    """Send every logger's lines to standard error, with time, level and logger in front."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        logging.Formatter(
            "ts=%(asctime)s.%(msecs)03d level=%(levelname)s logger=%(name)s %(message)s",
            datefmt="%Y-%m-%dT%H:%M:%S",
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)  # tells of every connection


def event(name: str, /, **fields: object) -> str:
    """`event("done", session_id="a", n_tokens=3)` -> `event=done session_id=a n_tokens=3`.

    While a request is served, its `request_id` is added at the end.
    """
    named = {"event": name} | fields
    named.setdefault("request_id", REQUEST_ID.get())
    pairs = {key: value for key, value in named.items() if value is not None}
    return " ".join(f"{key}={_quoted(value)}" for key, value in pairs.items())


def _quoted(value: object) -> str:
    text = f"{value:.1f}" if isinstance(value, float) else str(value)
    if not text.isprintable():
        return json.dumps(text)
    plain = text and not any(character.isspace() or character in '="' for character in text)
    return text if plain else json.dumps(text, ensure_ascii=False)
