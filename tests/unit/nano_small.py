"""What the tests of the first stages of training share: a small checkpoint, and what is done
with it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from MiniCPMO45 import ChatMessage, ChatSession, MiniCPMO, StreamingSession
from training.nano import model as nano
from training.nano.forward import hidden_states, rotary_rows, seen_from
from training.nano.packing import Rows

SMALL = {"num_hidden_layers": 2, "intermediate_size": 64}
STAGE_OPTIONS = "--held-out 1 --processes 1 --save-every 0 --device cpu --rate 3e-3"


def small_checkpoint(folder: Path, *, n_dialogues: int) -> Path:
    """Write an untrained checkpoint of two layers, whose tokenizer has read so many dialogues."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nano, "LANGUAGE", {**nano.LANGUAGE, **SMALL})
        patch.setattr(nano, "VISION", {**nano.VISION, **SMALL})
        patch.setattr("training.nano.tokenizer.N_DIALOGUES", n_dialogues)
        patch.setattr("training.nano.tokenizer.N_PICTURES", 20)
        nano.write_untrained(folder)
    return folder


def small_model(checkpoint: Path) -> MiniCPMO:
    """It holds conversations of up to 512 tokens."""
    return MiniCPMO.load(str(checkpoint), max_length=512)


@torch.no_grad()
def trained_states(model: MiniCPMO, rows: Rows, embeddings: Tensor) -> Tensor:
    """Final hidden states of rows with these embeddings, as training computes them."""
    stack = model.llm.model
    rotary = rotary_rows(stack, rows.ids.shape[1], rows.ids.device)
    return hidden_states(stack, embeddings, seen_from(rows.segments), rotary)


@contextmanager
def written_answers(
    monkeypatch: pytest.MonkeyPatch, model: MiniCPMO, answers: Iterable[str]
) -> Iterator[list[int]]:
    """Streamed conversations write these answers; the ids of all that is generated from, the
    answers included, in order."""
    fed: list[int] = []
    following = iter(answers)
    feed_ids = StreamingSession.feed_ids

    def note_and_feed(session: StreamingSession, ids: list[int]) -> Tensor:
        written = ids + model.tokenizer.encode_plain(next(following))
        fed.extend(written)
        return feed_ids(session, written)

    with monkeypatch.context() as patch:
        patch.setattr(StreamingSession, "feed_ids", note_and_feed)
        patch.setattr("MiniCPMO45.sessions.streaming.decode_chunked", lambda *_, **__: iter([]))
        yield fed


def run_stage(
    main: Callable[[list[str]], int],
    checkpoint: Path,
    out: Path,
    sizes: str,
    capsys: pytest.CaptureFixture[str],
) -> dict[str, Any]:
    """What a stage reports that has run to its end."""
    options = f"{sizes} {STAGE_OPTIONS}".split()
    assert main([str(checkpoint), "--out", str(out), *options]) == 0
    return json.loads(capsys.readouterr().out)


def learnt_parts(
    main: Callable[[list[str]], int],
    checkpoint: Path,
    out: Path,
    sizes: str,
    capsys: pytest.CaptureFixture[str],
) -> list[Path]:
    """Run a stage, which has to lower its loss; the files of weights that it wrote."""
    printed = run_stage(main, checkpoint, out, sizes, capsys)
    assert printed["loss"] < printed["first_loss"] - 1
    return [out / name for name in printed["files"]]


def assert_answers(checkpoint: Path, content: Any) -> None:
    """A chat with this checkpoint comes to its end."""
    with ChatSession(small_model(checkpoint), seed=0) as session:
        session.prefill([ChatMessage("user", content)])
        assert list(session.generate())[-1].finished
