"""Puts the checkpoint folder together, all or nothing."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from safetensors.numpy import save

from MiniCPMO45.errors import CheckpointError
from MiniCPMO45.tiny.settings import generation_config, model_config, preprocessor_config
from MiniCPMO45.tiny.token2wav import write_token2wav
from MiniCPMO45.tiny.tokenizer import train_tokenizer, write_tokenizer_files
from MiniCPMO45.tiny.weights import build_weights

RECIPE_FILE = "recipe.json"
RECIPE_SOURCES = ("*.py", "*.txt", "*.jinja")
NOTICE = """\
# Demonstration checkpoint

These weights are random numbers. They were written by `python -m MiniCPMO45.tiny` and exist for
demonstrations and tests only: they show that the service runs. The model understands neither text
nor pictures nor sound. All it knows is which word followed which on one page of text, so its
answers look like sentences and mean nothing.

For real answers, set `model.model_path` to the published MiniCPM-o 4.5 weights.
"""


def build(out_dir: Path, force: bool = False) -> bool:
    """Write the checkpoint to ``out_dir``; False if it holds this recipe's product already.

    The files are written to a folder beside ``out_dir`` which then takes its name, so an
    interrupted build leaves no half checkpoint.

    Raises:
        CheckpointError: ``out_dir`` holds something this recipe did not write.
        OSError: the folder cannot be written.
    """
    if is_current(out_dir) and not force:
        return False
    _refuse_foreign_folder(out_dir)
    out_dir.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out_dir.parent, prefix=f".{out_dir.name}.") as scratch:
        fresh = Path(scratch, "fresh")
        fresh.mkdir()
        _write_checkpoint(fresh)
        return _put_in_place(fresh, out_dir, previous=Path(scratch, "previous"))


def is_current(out_dir: Path) -> bool:
    """Whether ``out_dir`` holds the complete product of this version of the recipe."""
    try:
        recipe = json.loads(Path(out_dir, RECIPE_FILE).read_text(encoding="utf-8"))
        sizes = {name: Path(out_dir, name).stat().st_size for name in recipe["sizes_bytes"]}
    except (OSError, ValueError, LookupError, TypeError):
        return False
    return recipe == {"fingerprint": fingerprint(), "sizes_bytes": sizes}


def fingerprint() -> str:
    """SHA-256 over everything the product depends on: these sources and two libraries."""
    libraries = (f"{name} {version(name)}\n" for name in ("numpy", "tokenizers"))
    digest = hashlib.sha256("".join(libraries).encode())
    folder = Path(__file__).parent
    for path in sorted(path for pattern in RECIPE_SOURCES for path in folder.glob(pattern)):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _put_in_place(fresh: Path, out_dir: Path, previous: Path) -> bool:
    """Give ``fresh`` its final name; False if another process was faster with the same."""
    try:
        if out_dir.exists():
            out_dir.rename(previous)
        fresh.rename(out_dir)
    except OSError:
        if is_current(out_dir):
            return False
        raise
    return True


def _refuse_foreign_folder(out_dir: Path) -> None:
    if not out_dir.exists():
        return
    if not out_dir.is_dir():
        raise CheckpointError(f"{out_dir} is not a folder")
    if any(out_dir.iterdir()) and not Path(out_dir, RECIPE_FILE).exists():
        raise CheckpointError(
            f"{out_dir} holds files that this recipe did not write; name an empty or a new folder"
        )


def _write_checkpoint(folder: Path) -> None:
    tokenizer = train_tokenizer()
    config = model_config(tokenizer)
    write_tokenizer_files(tokenizer, folder)
    _write_json(folder / "config.json", config)
    _write_json(folder / "generation_config.json", generation_config(tokenizer))
    _write_json(folder / "preprocessor_config.json", preprocessor_config())
    weights = build_weights(config, tokenizer)
    (folder / "model.safetensors").write_bytes(save(weights, metadata={"format": "pt"}))
    write_token2wav(folder / "assets" / "token2wav")
    (folder / "README.md").write_text(NOTICE, encoding="utf-8")
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    sizes = {path.relative_to(folder).as_posix(): path.stat().st_size for path in files}
    _write_json(folder / RECIPE_FILE, {"fingerprint": fingerprint(), "sizes_bytes": sizes})


def _write_json(path: Path, values: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(values, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
