"""The command line of a worker, and which model it chooses."""

from __future__ import annotations

import gc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

import worker
from config import ModelConfig, ServiceConfig
from core.errors import DeviceLostError
from tests.fake_worker import FakeWorker, fake_config, wait_until
from tests.service.processes import free_port
from tests.unit.worker_client import HELLO


def config_for(model_path: str) -> ServiceConfig:
    return ServiceConfig(model=ModelConfig(model_path=model_path))


def test_worker_exports_the_published_names() -> None:
    assert {"MiniCPMOWorker", "WorkerHealthResponse", "WorkerState", "WorkerStatus"} <= set(
        worker.__all__
    )


def test_a_worker_is_reachable_from_its_own_machine_only_by_default() -> None:
    assert worker.parse_arguments([]).host == "127.0.0.1"


def test_the_command_line_goes_over_the_configuration(tmp_path: Path) -> None:
    options = worker.parse_arguments(
        ["--model-path", str(tmp_path), "--duplex-pause-timeout", "7", "--compile"]
    )
    config = worker.read_config(options)
    assert config.model.model_path == str(tmp_path)
    assert (config.duplex_pause_timeout, config.compile) == (7.0, True)


def test_a_local_folder_is_used_with_and_without_a_gpu(tmp_path: Path) -> None:
    config = config_for(str(tmp_path))
    assert worker.choose_model_path(config, has_gpu=True) == str(tmp_path)
    assert worker.choose_model_path(config, has_gpu=False) == str(tmp_path)


def test_a_gpu_never_serves_the_embedded_model_by_itself() -> None:
    assert worker.choose_model_path(config_for("no/such-model"), has_gpu=True) == "no/such-model"


def test_without_gpu_and_weights_the_embedded_model_is_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded = tmp_path / "embedded"
    monkeypatch.setattr(worker, "EMBEDDED_MODEL_PATH", embedded)
    monkeypatch.setattr(worker, "embedded_model_path", lambda: embedded)
    assert worker.choose_model_path(config_for("no/such-model"), has_gpu=False) == str(embedded)
    assert (embedded / "config.json").is_file()


def test_extra_weights_are_laid_over_real_ones_only(tmp_path: Path) -> None:
    model = ModelConfig(model_path=str(tmp_path), pt_path="extra.pt")
    config = ServiceConfig(model=model)
    assert worker.overlay_for(config, str(tmp_path)) == "extra.pt"
    assert worker.overlay_for(config, str(worker.EMBEDDED_MODEL_PATH)) is None
    assert worker.overlay_for(config, str(worker.NANO_MODEL_PATH)) is None


def test_the_gpu_id_is_a_label_and_limits_reach_the_model(tmp_path: Path) -> None:
    made = worker.make_worker(config_for(str(tmp_path)), gpu_id=5)
    assert made.health().gpu_id == 5
    assert len(made.state.slots) == 1


def test_a_wrong_configuration_ends_with_the_reason(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    exit_status = worker.main(["--model-path", str(tmp_path), "--duplex-pause-timeout", "-1"])
    assert exit_status == 1
    assert "duplex.pause_timeout" in capsys.readouterr().err


def test_the_format_of_the_weights_reaches_the_model(tmp_path: Path) -> None:
    config = ServiceConfig(model=ModelConfig(model_path=str(tmp_path), quantization="int8"))
    assert worker.make_worker(config, gpu_id=0)._arguments["quantization"] == "int8"


def test_a_lost_device_ends_the_process_with_a_failure() -> None:
    fake = FakeWorker(fake_config())
    fake.view.failure = DeviceLostError("the device failed")
    port = free_port()

    def ask() -> None:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10) as client:
            wait_until(lambda: answers(client, "/ready"))
            answer = client.post("/chat", json=HELLO)
            assert (answer.status_code, answer.json()["code"]) == (502, "worker_lost")

    with ThreadPoolExecutor(1) as threads:
        asking = threads.submit(ask)
        assert worker.serve(fake, fake_config(), "127.0.0.1", port) == 1
        asking.result()
    assert gc.get_freeze_count()  # what was there when the model was ready
    gc.unfreeze()


def answers(client: httpx.Client, path: str) -> bool:
    try:
        return client.get(path).status_code == 200
    except httpx.TransportError:
        return False
