"""Reading a file of tensors in pieces, as is done for a GPU; here the device is the CPU."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from MiniCPMO45 import staged_reading
from MiniCPMO45.staged_reading import read_staged

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staged_reading, "PIECE_BYTES", 256)
    monkeypatch.setattr(staged_reading, "N_BUFFERS", 3)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "weights.safetensors"


def test_tensors_come_out_whole_and_in_the_order_that_was_asked_for(file: Path) -> None:
    tensors = {
        "long": torch.randn(37, 53),
        "half": torch.randn(300).bfloat16(),
        "bytes": torch.randint(-128, 127, (11, 13), dtype=torch.int8),
        "one": torch.tensor(2.5),
        "none": torch.zeros(0, 4),
        "exact": torch.arange(64, dtype=torch.int64),
    }
    save_file(tensors, file, {"format": "pt"})
    names = [*tensors, *reversed(tensors)]
    read = list(read_staged(file, names, CPU))
    assert [name for name, _ in read] == names
    for name, tensor in read:
        assert tensor.dtype == tensors[name].dtype
        assert torch.equal(tensor, tensors[name]), name


def test_a_tensor_that_is_not_there_is_named(file: Path) -> None:
    save_file({"here": torch.ones(3)}, file)
    with pytest.raises(OSError, match="it holds no elsewhere"):
        list(read_staged(file, ["here", "elsewhere"], CPU))


def test_a_file_that_ends_early_is_an_error(file: Path) -> None:
    save_file({"long": torch.ones(1000)}, file)
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(OSError, match="the file ends"):
        list(read_staged(file, ["long"], CPU))
