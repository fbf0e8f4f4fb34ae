"""Training goes on while its data are made, and ends when its time is over."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import count, islice

import pytest
import torch

from training.nano import optimisation
from training.nano.all_stages import main
from training.nano.making import Making, prepared
from training.nano.optimisation import LAST_SHARE, Optimisation


def numbers(seed: int) -> Iterator[int]:
    return count(seed)


def broken(seed: int) -> Iterator[int]:
    raise ValueError("nothing can be made")


def test_new_items_come_first_and_then_all_of_them_again_and_again() -> None:
    with Making(numbers, seed=2, n_items=4, n_processes=1) as making:
        assert making.take(3) == [2000, 2001, 2002]
        assert making.take(2)[0] == 2003
        rest = making.take(3)
        assert len(making.items) == 4
        assert set(rest) <= {2000, 2001, 2002, 2003}


def test_every_process_makes_items_of_its_own() -> None:
    with Making(numbers, seed=0, n_items=5, n_processes=2) as making:
        assert sorted(making.everything()) == [0, 1, 1, 2, 2]
        assert len(making.take(12)) == 12


def test_a_process_that_fails_is_noticed() -> None:
    with (
        Making(broken, seed=0, n_items=5, n_processes=2) as making,
        pytest.raises(RuntimeError, match="has failed"),
    ):
        making.take(1)


def test_what_goes_wrong_while_a_batch_is_made_ready_is_raised_where_it_is_used() -> None:
    items = iter([1, 0])
    with prepared(lambda: 1 / next(items)) as batches:
        assert next(batches) == 1
        with pytest.raises(ZeroDivisionError):
            next(batches)


def test_batches_that_nobody_uses_keep_nobody_waiting() -> None:
    before = set(threading.enumerate())
    with prepared(lambda: 1) as batches:
        assert next(batches) == 1
        assert set(threading.enumerate()) - before
    assert not set(threading.enumerate()) - before


def rates_and_steps(
    monkeypatch: pytest.MonkeyPatch, duration_s: float, step_s: float
) -> tuple[list[float], int]:
    """Learning rates of a training whose steps take so long."""
    clock = count(0.0, step_s)
    monkeypatch.setattr(optimisation.time, "monotonic", lambda: next(clock))
    module, rates = torch.nn.Linear(1, 1), []
    training = Optimisation(module, steps=3, peak_rate=1e-3, duration_s=duration_s)
    rate = training.rate
    monkeypatch.setattr(training, "rate", lambda done: rates.append(rate(done)) or rates[-1])
    monkeypatch.setattr(optimisation, "REPORTS", 0)
    list(islice(training.run(lambda: module(torch.ones(1)).sum()), 1000))
    return rates, training.n_steps


def test_steps_go_on_until_the_time_is_over_and_the_rate_follows_the_clock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rates, n_steps = rates_and_steps(monkeypatch, duration_s=50.0, step_s=1.0)
    assert 40 <= n_steps <= 50
    assert max(rates) == pytest.approx(1e-3, rel=0.01)
    assert rates.index(max(rates)) < 5
    assert rates[-1] < 2 * LAST_SHARE * 1e-3


def test_a_stage_whose_time_is_over_at_once_still_makes_a_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert rates_and_steps(monkeypatch, duration_s=-1.0, step_s=1.0)[1] == 1


@pytest.mark.parametrize("wrong", [["--stages", "text,taste"], ["--set", "text:batch"]])
def test_what_no_stage_understands_is_refused_before_anything_is_written(
    wrong: list[str], tmp_path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([str(tmp_path / "nano"), "--minutes", "1", *wrong])
    assert wrong[1].split(",")[-1] in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
