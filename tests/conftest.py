"""Fixtures that tests in several folders share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def embedded_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The embedded checkpoint, built once by its own recipe."""
    from MiniCPMO45.tiny import build  # torch is loaded only where a test asks for the model

    folder = tmp_path_factory.mktemp("embedded")
    build(folder)
    return folder
