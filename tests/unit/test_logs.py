"""One line an event, readable by people and by programs."""

from __future__ import annotations

import pytest

from core.logs import event


def test_fields_follow_the_event_and_none_is_left_out() -> None:
    line = event("done", session_id="chat_1", n_tokens=3, load_s=1.25, field=None)
    assert line == "event=done session_id=chat_1 n_tokens=3 load_s=1.2"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("two words", '"two words"'),
        ("", '""'),
        ("a\nb", '"a\\nb"'),
        ('a"b', '"a\\"b"'),
        ("a=b", '"a=b"'),
    ],
)
def test_a_value_cannot_forge_fields_or_lines(value: str, written: str) -> None:
    assert event("x", reason=value) == f"event=x reason={written}"


def test_a_field_may_be_called_name() -> None:
    assert event("x", name="y") == "event=x name=y"
