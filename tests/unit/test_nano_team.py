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


def test_a_stage_says_how_many_gpus_it_takes() -> None:
    assert Share.parse("text") == Share("text", 1)
    assert Share.parse("hearing*4") == Share("hearing", 4)


@pytest.mark.parametrize("text", ["letters", "text*0", "text*many", "codec*2"])
def test_what_cannot_be_a_stages_share_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        Share.parse(text)
