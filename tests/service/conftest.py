"""Fixtures that start real processes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.stack import Stack


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    """An empty stack over plain HTTP; what a test starts in it ends with the test."""
    with Stack(tmp_path) as stack:
        yield stack


@pytest.fixture(scope="session")
def real_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack over TLS for tests that share one real worker."""
    with Stack(tmp_path_factory.mktemp("real_stack"), tls=True) as stack:
        yield stack
