"""Processes that learn together end with the same weights, those that one would have learnt."""

from __future__ import annotations

import argparse
import socket
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from training.nano.all_stages import Share
from training.nano.all_stages import main as all_stages
from training.nano.optimisation import Optimisation

STEPS = 4
SIZE = 2


def batches_of(rank: int) -> Tensor:
    return torch.randn(STEPS, 3, 5, generator=torch.Generator().manual_seed(rank))


def learnt(batches: Tensor, first_seed: int) -> dict[str, Tensor]:
    torch.manual_seed(first_seed)
    module = nn.Sequential(nn.Linear(5, 4), nn.Linear(4, 1))
    unused = nn.Parameter(torch.ones(2))  # by any batch
    module.register_parameter("unused", unused)
    remaining = iter(batches)
    for _ in Optimisation(module, STEPS, 1e-2).run(lambda: module(next(remaining)).square().mean()):
        pass
    return module.state_dict()


def learn(rank: int, port: int, folder: Path) -> None:
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        values = {"RANK": rank, "WORLD_SIZE": SIZE, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
        for name, value in values.items():
            patch.setenv(name, str(value))
        torch.save(learnt(batches_of(rank), first_seed=rank), folder / f"{rank}.pt")


def test_two_processes_learn_what_one_learns_from_the_batches_of_both(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    spawn: Any = torch.multiprocessing.spawn  # pyright: ignore[reportPrivateImportUsage]
    spawn(learn, (port, tmp_path), nprocs=SIZE)
    alone = learnt(torch.cat([batches_of(rank) for rank in range(SIZE)], dim=1), first_seed=0)
    for rank in range(SIZE):
        together: dict[str, Tensor] = torch.load(tmp_path / f"{rank}.pt", weights_only=True)
        for name, tensor in alone.items():
            if name != "unused":  # it decays where its gradient counts as zero
                assert torch.allclose(together[name], tensor, atol=1e-6), name


def test_stages_side_by_side_see_gpus_of_their_own_as_far_as_there_are_enough(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    started: list[tuple[list[str], str]] = []

    class Finished:
        returncode = 1

        def __init__(self, command: list[str], env: dict[str, str], **_: Any) -> None:
            started.append((command, env["CUDA_VISIBLE_DEVICES"]))

        def communicate(self) -> tuple[str, None]:
            return "", None

    monkeypatch.setattr("training.nano.all_stages.subprocess.Popen", Finished)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    tmp_path.joinpath("nano").mkdir()
    given = [str(tmp_path / "nano"), "--minutes", "1", "--processes", "8"]
    assert all_stages([*given, "--stages", "text*2+codec+flow"]) == 1
    (text, text_sees), (codec, codec_sees), (_, flow_sees) = started
    assert [text_sees, codec_sees, flow_sees] == ["0,1", "2", "0"]
    assert text[text.index("--nproc-per-node") + 1] == "2"
    assert "--nproc-per-node" not in codec
    assert {command[command.index("--processes") + 1] for command, _ in started} == {"2"}


def test_a_stage_says_how_many_gpus_it_takes() -> None:
    assert Share.parse("text") == Share("text", 1)
    assert Share.parse("hearing*4") == Share("hearing", 4)


@pytest.mark.parametrize("text", ["letters", "text*0", "text*many", "codec*2"])
def test_what_cannot_be_a_stages_share_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        Share.parse(text)
