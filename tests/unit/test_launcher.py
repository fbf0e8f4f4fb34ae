"""What start_all.sh decides to start, and how it waits for it."""

from __future__ import annotations

import argparse
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from config import PROJECT_ROOT, ServiceConfig, embedded_model_path
from deploy import launcher
from deploy.choices import choose_devices, choose_model, require_free_ports
from deploy.devices import parse_gpu_list, visible_gpus
from deploy.plan import ProcessSpec, ServiceLayout, make_plan
from deploy.ports import port_is_busy, port_owner
from deploy.processes import is_ours, running_processes, stop_processes, wait_until
from deploy.readiness import LoadState, StartFailure, wait_for_gateway, wait_for_workers
from deploy.start import gateway_url

ONE_GPU, CPU = ["0"], [""]


def settings(**sections: dict[str, Any]) -> ServiceConfig:
    return ServiceConfig.model_validate({"model": {"model_path": "some/hub-id"}, **sections})


# --- devices


@pytest.mark.parametrize(
    ("value", "devices"),
    [
        ("0,2", ["0", "2"]),
        ("GPU-0a1b,MIG-77/3/0", ["GPU-0a1b", "MIG-77/3/0"]),
        ("1, 3", ["1", "3"]),
        ("", []),
        ("-1", []),
        ("0,-1,2", ["0"]),
    ],
)
def test_cuda_visible_devices_decides(value, devices) -> None:
    assert visible_gpus({"CUDA_VISIBLE_DEVICES": value}) == devices


def test_every_listed_gpu_counts() -> None:
    listing = "GPU 0: NVIDIA X (UUID: GPU-1)\nGPU 1: NVIDIA X (UUID: GPU-2)\n"
    assert parse_gpu_list(listing) == ["0", "1"]


def test_the_parts_of_a_partitioned_gpu_replace_it() -> None:
    listing = (
        "GPU 0: NVIDIA X (UUID: GPU-1)\n"
        "  MIG 3g.40gb     Device  0: (UUID: MIG-a)\n"
        "  MIG 3g.40gb     Device  1: (UUID: MIG-b)\n"
        "GPU 1: NVIDIA X (UUID: GPU-2)\n"
    )
    assert parse_gpu_list(listing) == ["MIG-a", "MIG-b", "1"]


def test_without_a_gpu_there_is_one_worker_on_the_cpu() -> None:
    assert choose_devices(None, []) == CPU


def test_a_number_of_gpus_takes_the_first_ones() -> None:
    assert choose_devices(2, ["0", "1", "2"]) == ["0", "1"]
    assert choose_devices(0, ["0", "1"]) == CPU


def test_asking_for_more_gpus_than_there_are_is_refused() -> None:
    with pytest.raises(StartFailure, match="only 1 GPUs"):
        choose_devices(2, ["0"])


# --- which model


def test_a_gpu_serves_the_configured_model() -> None:
    assert choose_model(False, ONE_GPU, settings()) is None


def test_a_gpu_serves_the_embedded_checkpoint_only_when_asked() -> None:
    assert choose_model(True, ONE_GPU, settings()) == embedded_model_path()


def test_the_cpu_without_local_weights_serves_the_embedded_checkpoint() -> None:
    assert choose_model(False, CPU, settings()) == embedded_model_path()


def test_the_cpu_serves_local_weights(tmp_path) -> None:
    local = settings(model={"model_path": str(tmp_path)})
    assert choose_model(False, CPU, local) is None


# --- the plan


@pytest.fixture
def layout(tmp_path: Path) -> ServiceLayout:
    return ServiceLayout(
        root=tmp_path,
        python=Path("/venv/bin/python"),
        gateway_port=8006,
        worker_ports=[22400, 22401],
        devices=["3", "MIG-a"],
        model_path=Path("/models/x"),
        http=True,
        compile=True,
    )


def test_workers_come_before_the_gateway(layout) -> None:
    names = [[spec.name for spec in stage] for stage in make_plan(layout)]
    assert names == [["worker_0", "worker_1"], ["gateway"]]


def test_a_worker_sees_one_device_under_a_numeric_label(layout) -> None:
    (first, second), _ = make_plan(layout)
    assert first.environment["CUDA_VISIBLE_DEVICES"] == "3"
    assert " ".join(first.command).endswith(
        "worker.py --port 22400 --gpu-id 3 --worker-index 0 --model-path /models/x --compile"
    )
    assert second.environment["CUDA_VISIBLE_DEVICES"] == "MIG-a"
    assert "--gpu-id 1 --worker-index 1" in " ".join(second.command)


def test_the_gateway_knows_every_worker(layout) -> None:
    _, (gateway,) = make_plan(layout)
    assert " ".join(gateway.command).endswith(
        "gateway.py --port 8006 --workers localhost:22400,localhost:22401 --http"
    )


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("0.0.0.0", "http://localhost:8006"),
        ("10.0.0.5", "http://10.0.0.5:8006"),
        ("::1", "http://[::1]:8006"),
    ],
)
def test_the_gateway_is_asked_where_it_listens(host, url) -> None:
    assert gateway_url("http", settings(service={"host": host})) == url


# --- ports


@pytest.fixture
def busy_port() -> Iterator[int]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def test_a_listening_port_is_busy_and_its_owner_known(busy_port) -> None:
    assert port_is_busy("127.0.0.1", busy_port)
    assert port_is_busy("0.0.0.0", busy_port)
    assert f"process {os.getpid()} " in (port_owner(busy_port) or "")


def test_a_busy_port_is_refused_with_its_setting(layout, busy_port) -> None:
    taken = ServiceLayout(**{**vars(layout), "gateway_port": busy_port, "worker_ports": []})
    with pytest.raises(StartFailure, match=rf"port {busy_port} .* service\.gateway_port"):
        require_free_ports(taken, "127.0.0.1")


def test_an_address_of_another_machine_cannot_be_listened_on(layout) -> None:
    with pytest.raises(StartFailure, match=r"192\.0\.2\.1"):
        require_free_ports(layout, "192.0.2.1")


# --- processes


@pytest.fixture
def worker_process(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    (tmp_path / "tmp").mkdir()
    script = tmp_path / "worker.py"
    script.write_text("import time; time.sleep(600)")
    with subprocess.Popen([sys.executable, str(script)]) as process:
        (tmp_path / "tmp" / "worker_0.pid").write_text(f"{process.pid}\n")
        assert wait_until(lambda: bool(running_processes(tmp_path)), 5.0)
        yield process
        process.kill()


def test_a_process_is_found_by_its_pid_file(worker_process, tmp_path) -> None:
    found = running_processes(tmp_path)
    assert [(process.name, process.pid) for process in found] == [("worker_0", worker_process.pid)]


def test_a_process_of_another_installation_is_not_ours(worker_process, tmp_path) -> None:
    assert not is_ours(worker_process.pid, "worker_0", tmp_path / "elsewhere")
    assert not is_ours(worker_process.pid, "gateway", tmp_path)


def test_stopping_ends_ours_and_clears_old_pid_files(worker_process, tmp_path) -> None:
    old = tmp_path / "tmp" / "gateway.pid"
    old.write_text(str(os.getpid()))  # a pid that was given to somebody else since
    assert [process.name for process in stop_processes(tmp_path)] == ["worker_0"]
    assert worker_process.wait(5) == -15
    assert not list((tmp_path / "tmp").glob("*.pid"))


# --- waiting


@pytest.fixture
def worker(tmp_path: Path) -> ProcessSpec:
    spec = ProcessSpec("worker_0", [], tmp_path, tmp_path)
    spec.pid_file.write_text("123")
    spec.log_file.write_text("first line\nlast words\n")
    return spec


def ignore(line: str) -> None:
    """For those who do not look at the progress."""


def test_progress_is_shown_until_the_worker_is_ready(worker) -> None:
    states = iter([LoadState(), LoadState(fraction=0.5, message="shard 2"), LoadState(loaded=True)])
    shown: list[str] = []
    wait_for_workers({22400: worker}, 10, shown.append, lambda port: next(states))
    assert shown == ["worker_0: starting", "worker_0: 50% shard 2", "worker_0: ready"]


def test_a_worker_that_cannot_load_is_quoted(worker) -> None:
    with pytest.raises(StartFailure, match=r"worker_0 could not start[\s\S]*last words"):
        wait_for_workers({22400: worker}, 10, ignore, lambda port: LoadState(failed=True))


def test_a_worker_that_ended_is_noticed_at_once(worker) -> None:
    def ends(port: int) -> LoadState:
        worker.pid_file.unlink(missing_ok=True)
        return LoadState()

    states = iter([lambda port: LoadState(), ends])
    with pytest.raises(StartFailure, match="worker_0 could not start"):
        wait_for_workers({22400: worker}, 10, ignore, lambda port: next(states)(port))


def test_the_wait_for_a_worker_is_bounded(worker) -> None:
    with pytest.raises(StartFailure, match=r"not ready in 0\.1 s[\s\S]*last words"):
        wait_for_workers({22400: worker}, 0.1, ignore, lambda port: LoadState())


def test_the_gateway_is_up_when_it_says_it_is_ready(worker) -> None:
    answers = iter([None, (503, {}), (200, {})])
    wait_for_gateway("http://gateway/ready", worker, 10, lambda url: next(answers))
    assert next(answers, "all asked") == "all asked"


def test_the_wait_for_the_gateway_is_bounded(worker) -> None:
    with pytest.raises(StartFailure, match="did not answer"):
        wait_for_gateway("http://gateway/ready", worker, 0.1, lambda url: None)


# --- options


def test_the_options_in_the_script_are_those_of_the_program() -> None:
    head = (PROJECT_ROOT / "start_all.sh").read_text().partition("set -euo")[0]
    known = vars(launcher.parse_options([]))
    assert {name.replace("-", "_") for name in re.findall(r"^#   --([a-z-]+)", head, re.M)} == set(
        known
    )


@pytest.mark.parametrize("arguments", [["--num-gpus", "-1"], ["--wait-seconds", "0"], ["--htt"]])
def test_a_wrong_option_is_refused(arguments) -> None:
    with pytest.raises(SystemExit) as ended:
        launcher.parse_options(arguments)
    assert ended.value.code == 2


def test_options_start_from_nothing_asked_for() -> None:
    options = launcher.parse_options([])
    assert isinstance(options, argparse.Namespace)
    assert (options.http, options.demo, options.num_gpus) == (False, False, None)
