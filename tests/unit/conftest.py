"""The recorded tiny checkpoint, loaded once for all unit tests of the model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # torch is loaded only where a test asks for the model
    from MiniCPMO45 import MiniCPMO
    from MiniCPMO45.tokenizer import Tokenizer

RECORDED_CHECKPOINT = Path(__file__).parents[1] / "golden" / "data" / "tiny"


@pytest.fixture(scope="session")
def checkpoint_folder() -> Path:
    return RECORDED_CHECKPOINT


@pytest.fixture(scope="session")
def tokenizer() -> Tokenizer:
    from MiniCPMO45.tokenizer import Tokenizer

    return Tokenizer(RECORDED_CHECKPOINT)


@pytest.fixture(scope="session")
def model() -> MiniCPMO:
    """Two conversations of up to 512 tokens."""
    from MiniCPMO45 import MiniCPMO

    return MiniCPMO.load(str(RECORDED_CHECKPOINT), n_slots=2, max_length=512)
