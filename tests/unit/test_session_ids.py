"""A session id is plain text, and has one socket at a time."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from core.errors import SessionActiveError
from gateway_modules.session_ids import SessionIds, clean_session_id


def socket() -> Any:
    return cast(Any, SimpleNamespace(has_left=False))


def test_a_session_id_holds_only_plain_characters() -> None:
    assert clean_session_id("chat-1_a") == "chat-1_a"
    assert clean_session_id("a/../b 你") == "a____b__"
    assert len(clean_session_id("x" * 500)) == 128


def test_an_id_is_claimed_once_and_free_afterwards() -> None:
    ids = SessionIds()
    with ids.claim("a", socket()), ids.claim("b", socket()):
        with pytest.raises(SessionActiveError), ids.claim("a", socket()):
            pass
        with pytest.raises(SessionActiveError), ids.claim("a", socket()):
            pass
    with ids.claim("a", socket()):
        pass


def test_the_id_of_a_client_that_left_may_be_claimed_while_its_call_still_ends() -> None:
    ids = SessionIds()
    first = socket()
    ending = ids.claim("a", first)
    ending.__enter__()
    first.has_left = True
    with ids.claim("a", socket()):
        ending.__exit__(None, None, None)
        with pytest.raises(SessionActiveError), ids.claim("a", socket()):
            pass
