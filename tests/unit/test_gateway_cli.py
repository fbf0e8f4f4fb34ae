"""The command line of the gateway."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import load_config
from gateway_modules.cli import main, make_parser, warn_of_openness, worker_addresses


@pytest.mark.parametrize(
    "arguments",
    [
        ["--port", "0"],
        ["--num-workers", "-2"],
        ["--max-queue-size", "0"],
        ["--timeout", "0"],
        ["--timeout", "nan"],
        ["--workers", "host:"],
        ["--workers", "a:1,,b:2"],
        ["--workers", "a:1", "--num-workers", "2"],
        ["--http", "--https"],
        ["--lang", "fr"],
    ],
)
def test_senseless_values_are_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        make_parser().parse_args(arguments)
    assert refused.value.code == 2


@pytest.mark.parametrize(
    ("arguments", "addresses"),
    [
        (["--workers", "a:1, b:2"], ("a:1", "b:2")),
        (["--num-workers", "2"], ("localhost:22400", "localhost:22401")),
        ([], ("localhost:22400",)),
    ],
)
def test_where_the_workers_are(
    arguments: list[str], addresses: tuple[str, ...], tmp_path: Path
) -> None:
    config = load_config(tmp_path / "absent.json", allow_missing=True)
    assert worker_addresses(make_parser().parse_args(arguments), config) == addresses


def test_a_missing_certificate_ends_with_status_1(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("config.CONFIG_PATH", tmp_path / "config.json")
    assert main(["--ssl-certfile", "/nowhere/cert.pem", "--ssl-keyfile", "/nowhere/key.pem"]) == 1
    assert "--ssl-certfile: /nowhere/cert.pem does not exist" in capsys.readouterr().err


def test_a_wrong_setting_ends_with_status_1_and_its_name(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("config.CONFIG_PATH", tmp_path / "config.json")
    assert main(["--http", "--port", "70000"]) == 1
    assert "service.gateway_port" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("host", "insecure", "warned"),
    [
        ("127.0.0.1", True, []),
        ("0.0.0.0", False, ["chats_need_no_key"]),
        ("0.0.0.0", True, ["chats_need_no_key", "everybody_is_admin"]),
    ],
)
def test_the_log_says_what_is_open_to_everybody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, host: str, insecure: bool, warned: list[str]
) -> None:
    config = load_config(tmp_path / "x.json", allow_missing=True, overrides={"service.host": host})
    caplog.clear()
    warn_of_openness(config, insecure=insecure)
    assert [line.split()[0] for line in caplog.messages] == [f"event={name}" for name in warned]
