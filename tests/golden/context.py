"""What a group module gets: the recordings of one directory and the model built from it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.golden.arrays import RecordedArrays
from tests.golden.skips import AllowedSkip, allowed_skip

if TYPE_CHECKING:
    from MiniCPMO45 import MiniCPMO

_CASE_FILE = re.compile(r"(\d\d)_.+")


class LayoutError(Exception):
    """The directory does not hold ``tiny/`` and ``cases/`` as the runner needs them."""


class Context:
    """A directory of recordings.

    Attributes:
        directory: the directory; ``checkpoint`` is its ``tiny/`` folder.
        compat: always True. Pass it on wherever the model API takes it: the recordings hold the
            accidents of the published code.

    Raises:
        LayoutError: the directory is not of the expected layout.
    """

    compat = True

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.checkpoint = directory / "tiny"
        self._cases = directory / "cases"
        if not directory.is_dir():
            raise LayoutError(f"{directory} is not a directory")
        if not (self.checkpoint / "config.json").is_file():
            raise LayoutError(f"{directory} holds no tiny/config.json")
        if not list(self.checkpoint.glob("*.safetensors")):
            raise LayoutError(f"{directory} holds no tiny/*.safetensors")
        if not self.names():
            raise LayoutError(f"{directory} holds no recordings named cases/NN_*.json")

    def names(self, group: str | None = None) -> list[str]:
        """Names of the recordings (``03_vision``), of one group or of all, sorted."""
        stems = sorted(path.stem for path in self._cases.glob("*.json"))
        return [
            stem
            for stem in stems
            if (match := _CASE_FILE.fullmatch(stem)) and group in (None, match[1])
        ]

    def groups(self) -> list[str]:
        """Two-digit prefixes that occur among the recordings."""
        return sorted({name[:2] for name in self.names()})

    def json(self, name: str) -> Any:
        """The parsed ``cases/NAME.json``."""
        return json.loads((self._cases / f"{name}.json").read_text(encoding="utf-8"))

    def arrays(self, name: str) -> RecordedArrays:
        """The arrays of ``cases/NAME.npz``."""
        return RecordedArrays(self._cases / f"{name}.npz")

    def allowed_skip(
        self, group: str, name: str, entry: Mapping[str, Any] | None = None
    ) -> AllowedSkip | None:
        """The rule by which a case may be left out; hand it to ``Case.skip``."""
        return allowed_skip(group, name, entry)

    @cached_property
    def model(self) -> MiniCPMO:
        """The checkpoint, loaded once, in float32 on the CPU."""
        import torch

        from MiniCPMO45 import MiniCPMO

        return MiniCPMO.load(
            str(self.checkpoint), device="cpu", dtype=torch.float32, attn_implementation="sdpa"
        )
