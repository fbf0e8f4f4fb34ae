"""The trained weights that are part of the project."""

from __future__ import annotations

import subprocess

from config import NANO_MODEL_PATH, PROJECT_ROOT
from MiniCPMO45.configuration import MiniCPMOConfig
from training.nano.model import NAME, n_bytes, n_parameters

LARGEST_BYTES = 20_000_000
REPOSITORY = ("git", "-C", str(PROJECT_ROOT))


def test_the_checkpoint_is_complete_and_small_enough_for_the_repository() -> None:
    counts = n_parameters(NANO_MODEL_PATH)
    assert all(counts.values())
    assert f"{sum(counts.values()) / 1e6:.0f} million" in _text("README.md")
    assert n_bytes(NANO_MODEL_PATH) <= LARGEST_BYTES


def test_the_checkpoint_says_that_it_is_the_toy_and_comes_with_its_card() -> None:
    config = MiniCPMOConfig.from_folder(NANO_MODEL_PATH)
    assert config.embedded
    assert config.model_name == NAME
    assert _text("resources/nano/README.md").startswith(f"# {NAME}\n")


def test_no_file_of_the_checkpoint_is_hidden_from_the_repository() -> None:
    files = [str(path) for path in NANO_MODEL_PATH.rglob("*") if path.is_file()]
    ended = subprocess.run([*REPOSITORY, "check-ignore", *files], capture_output=True, check=False)
    assert ended.stdout == b""


def _text(name: str) -> str:
    return (PROJECT_ROOT / name).read_text(encoding="utf-8")
