"""config.py: where settings come from, how they are checked, what the examples and docs say."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

import config
from config import (
    EXAMPLE_PATH,
    PROJECT_ROOT,
    ServiceConfig,
    describe_error,
    embedded_model_path,
    iter_fields,
    load_config,
    resolve_asset,
    unknown_keys,
)
from core.config_reference import markdown_reference
from core.config_sections import MODEL_PATH_VARIABLE

MINIMAL = {"model": {"model_path": "openbmb/MiniCPM-o-4_5"}}


@pytest.fixture(autouse=True)
def without_model_path_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(MODEL_PATH_VARIABLE, raising=False)


@pytest.fixture
def write(tmp_path: Path):
    def write_file(content: Any) -> Path:
        file = tmp_path / "config.json"
        file.write_text(content if isinstance(content, str) else json.dumps(content))
        return file

    return write_file


def with_setting(name: str, value: Any) -> dict[str, Any]:
    section, _, key = name.rpartition(".")
    settings: dict[str, Any] = json.loads(json.dumps(MINIMAL))
    target = settings
    for part in section.split("."):
        target = target.setdefault(part, {})
    target[key] = value
    return settings


# --- where values come from


def test_the_minimal_file_gives_the_published_defaults(write) -> None:
    settings = load_config(write(MINIMAL))
    assert (settings.gateway_port, settings.worker_base_port) == (8006, 22400)
    assert settings.max_queue_size == 1000
    assert settings.request_timeout == 300.0
    assert (settings.eta_chat_s, settings.eta_streaming_s) == (15.0, 20.0)
    assert settings.eta_half_duplex_s == 180.0
    assert (settings.eta_audio_duplex_s, settings.eta_omni_duplex_s) == (120.0, 90.0)
    assert (settings.eta_ema_alpha, settings.eta_ema_min_samples) == (0.3, 3)
    assert settings.duplex_pause_timeout == 60.0
    assert settings.attn_implementation == "auto"
    assert not settings.compile


def test_the_file_wins_over_the_default(write) -> None:
    assert load_config(write(with_setting("service.gateway_port", 9001))).gateway_port == 9001


def test_the_command_line_wins_over_the_file(write) -> None:
    file = write(with_setting("service.gateway_port", 9001))
    settings = load_config(file, overrides={"service.gateway_port": 9002, "service.host": None})
    assert settings.gateway_port == 9002
    assert settings.service.host == "0.0.0.0"


def test_a_command_line_value_reaches_a_nested_section(write) -> None:
    settings = load_config(write(MINIMAL), overrides={"duplex.window.mode": "off"})
    assert settings.duplex.window.mode == "off"


def test_the_environment_names_the_model_only_when_the_file_does_not(write, monkeypatch) -> None:
    monkeypatch.setenv(MODEL_PATH_VARIABLE, "/models/from-environment")
    assert load_config(write({})).model.model_path == "/models/from-environment"
    assert load_config(write(MINIMAL)).model.model_path == MINIMAL["model"]["model_path"]


def test_a_missing_file_says_how_to_make_one(tmp_path) -> None:
    with pytest.raises(FileNotFoundError, match=r"config\.example\.json"):
        load_config(tmp_path / "config.json")


def test_a_program_that_needs_no_model_starts_without_a_file(tmp_path, caplog) -> None:
    settings = load_config(tmp_path / "config.json", allow_missing=True)
    assert settings.gateway_port == 8006
    assert "does not exist" in caplog.text


def test_the_configuration_is_read_once_per_process(write, monkeypatch) -> None:
    monkeypatch.setattr(config, "CONFIG_PATH", write(MINIMAL))
    monkeypatch.setattr(config, "_cached", None)
    assert config.get_config() is config.get_config()


# --- checks


@pytest.mark.parametrize("content", [{}, {"model": {}}, {"model": {"model_path": ""}}])
def test_a_missing_model_path_is_named(write, content) -> None:
    with pytest.raises(ValueError, match=r"model\.model_path is missing"):
        load_config(write(content))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("model.attn_implementation", "flash"),
        ("model.quantization", "int4"),
        ("audio.playback_delay_ms", 2001),
        ("audio.chat_vocoder", "hifigan"),
        ("service.gateway_port", 0),
        ("service.worker_base_port", 65536),
        ("service.max_queue_size", 0),
        ("service.request_timeout", 0),
        ("service.eta_ema_alpha", 1.5),
        ("service.compile", "perhaps"),
        ("service.sessions_per_worker", 0),
        ("service.sessions_per_worker", "all"),
        ("duplex.pause_timeout", -1),
        ("duplex.window.mode", "sliding"),
        ("recording.session_retention_days", -2),
        ("security.api_keys", [""]),
        ("limits.image_megapixels", 0),
        ("sessions.duplex_max_s", 0),
    ],
)
def test_a_wrong_value_is_refused_by_name(write, name, value) -> None:
    with pytest.raises(ValidationError) as refusal:
        load_config(write(with_setting(name, value)))
    assert describe_error(refusal.value).startswith(name)


def test_equal_ports_are_refused(write) -> None:
    with pytest.raises(ValidationError, match="gateway_port and worker_base_port"):
        load_config(write(with_setting("service.worker_base_port", 8006)))


def test_a_window_must_have_its_low_mark_below_its_high_one(write) -> None:
    with pytest.raises(ValidationError, match="smaller than high"):
        load_config(write(with_setting("duplex.window.low", 8000)))


def test_a_refused_secret_is_not_repeated(write) -> None:
    with pytest.raises(ValidationError) as refusal:
        load_config(write(with_setting("security.api_keys", "hunter2")))
    assert "hunter2" not in describe_error(refusal.value)


def test_broken_json_is_told_with_its_place(write) -> None:
    with pytest.raises(ValueError, match="line 1, column 10"):
        load_config(write('{"model":'))


@pytest.mark.parametrize("content", ["[]", '{"service": 3, "model": {"model_path": "x"}}'])
def test_something_other_than_an_object_is_refused(write, content) -> None:
    with pytest.raises(ValueError):
        load_config(write(content))


def test_a_command_line_value_meets_the_same_checks(write) -> None:
    with pytest.raises(ValidationError, match="gateway_port"):
        load_config(write(MINIMAL), overrides={"service.gateway_port": 70000})


def test_overriding_a_section_that_is_no_object_names_the_section(write) -> None:
    file = write({"service": 3, **MINIMAL})
    with pytest.raises(ValueError, match="service"):
        load_config(file, overrides={"service.gateway_port": 9002})


# --- unknown keys


@pytest.mark.parametrize(
    ("settings", "warned"),
    [
        ({"service": {"gatway_port": 1}}, ("service.gatway_port", "service.gateway_port")),
        ({"gateway_port": 1}, ("gateway_port", "service.gateway_port")),
        ({"audios": {}}, ("audios", "audio")),
        ({"duplex": {"window": {"hihg": 1}}}, ("duplex.window.hihg", "duplex.window.high")),
        ({"qqqq": 1}, ("qqqq", None)),
    ],
)
def test_an_unknown_key_is_told_with_the_likely_meant_one(settings, warned) -> None:
    assert list(unknown_keys(settings)) == [warned]


def test_an_unknown_key_is_warned_about_and_ignored(write, caplog) -> None:
    with caplog.at_level(logging.WARNING):
        load_config(write(with_setting("service.gatway_port", 1)))
    assert "did you mean service.gateway_port?" in caplog.text


# --- derived values


@pytest.fixture
def settings() -> ServiceConfig:
    return ServiceConfig.model_validate(MINIMAL)


def test_workers_listen_on_consecutive_ports(settings) -> None:
    assert settings.worker_port(3) == 22403
    assert settings.worker_addresses(2) == ["localhost:22400", "localhost:22401"]


def test_pages_get_their_defaults(settings) -> None:
    assert settings.frontend_defaults() == {
        "playback_delay_ms": 200,
        "chat_vocoder": "token2wav",
        "recording": True,
        "session_retention_days": -1,
    }


def test_the_data_folder_is_below_the_project_unless_absolute(settings) -> None:
    assert settings.data_path == PROJECT_ROOT / "data"
    elsewhere = ServiceConfig.model_validate(with_setting("service.data_dir", "/var/minicpm"))
    assert elsewhere.data_path == Path("/var/minicpm")


def test_a_hub_id_is_no_local_folder(settings) -> None:
    assert settings.local_model_folder is None


def test_a_model_folder_is_found_whether_absolute_or_below_the_project(tmp_path) -> None:
    absolute = ServiceConfig.model_validate(with_setting("model.model_path", str(tmp_path)))
    relative = ServiceConfig.model_validate(with_setting("model.model_path", "docs"))
    assert absolute.local_model_folder == tmp_path
    assert relative.local_model_folder == PROJECT_ROOT / "docs"


def test_an_asset_of_the_user_wins_over_the_shipped_one(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(config, "PROJECT_ROOT", tmp_path)
    monkeypatch.setattr(config, "RESOURCES_PATH", tmp_path / "resources")
    assert resolve_asset("assets/a.wav") == tmp_path / "resources" / "a.wav"
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "a.wav").touch()
    assert resolve_asset("assets/a.wav") == tmp_path / "assets" / "a.wav"
    assert resolve_asset("voices/b.wav") == tmp_path / "voices" / "b.wav"


def test_the_embedded_checkpoint_is_the_trained_one_where_it_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config, "NANO_MODEL_PATH", tmp_path)
    assert embedded_model_path() == PROJECT_ROOT / "resources" / "embedded"
    (tmp_path / "model.safetensors").touch()
    assert embedded_model_path() == tmp_path


# --- the example, the reference page and the command agree with the fields


def setting_names(values: dict[str, Any], prefix: str = "") -> set[str]:
    names = set()
    for key, value in values.items():
        names.add(prefix + key)
        if isinstance(value, dict):
            names |= setting_names(value, f"{prefix}{key}.")
    return names


def test_the_example_lists_every_setting() -> None:
    example = json.loads(EXAMPLE_PATH.read_text())
    assert setting_names(example) == {name for name, _ in iter_fields()}


def test_the_example_differs_from_the_defaults_in_retention_only() -> None:
    example = load_config(EXAMPLE_PATH).model_dump()
    assert example["recording"].pop("session_retention_days") == 30
    defaults = ServiceConfig.model_validate(MINIMAL).model_dump()
    del defaults["recording"]["session_retention_days"]
    assert example == defaults


def test_the_reference_page_is_the_generated_one() -> None:
    page = (PROJECT_ROOT / "docs" / "configuration.md").read_text()
    assert page == markdown_reference(iter_fields()), (
        "run: python -m config --markdown > docs/configuration.md"
    )


def run_config(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "config", *arguments],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_prints_the_effective_settings_without_secrets(write) -> None:
    file = write(with_setting("security.admin_token", "hunter2"))
    printed = json.loads(run_config("--config", str(file)).stdout)
    assert printed["service"]["gateway_port"] == 8006
    assert printed["security"]["admin_token"] == "***"


def test_the_command_fails_with_the_name_of_a_wrong_setting(write) -> None:
    ended = run_config("--config", str(write(with_setting("service.gateway_port", -1))))
    assert ended.returncode == 1
    assert "service.gateway_port" in ended.stderr


def test_shell_scripts_can_read_a_port() -> None:
    script = "from config import load_config; print(load_config(allow_missing=True).gateway_port)"
    ended = subprocess.run(
        [sys.executable, "-c", script], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
    )
    assert ended.stdout.strip().isdecimal()
