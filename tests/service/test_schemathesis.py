"""The gateway does what its OpenAPI document says, whatever it is sent."""

from __future__ import annotations

import os
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.stack import GatewayProcess, Stack
from tests.sound_files import sound_file
from tests.unit.recorded_sessions import record_chat

ADMIN_TOKEN = "the-token"
IS_FULL = "FULL_TESTS" in os.environ
N_EXAMPLES = 100 if IS_FULL else 4
RUN_TIMEOUT_S = 600 if IS_FULL else 60
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
)
# What switches applications or sends workers away comes last: it leaves little to ask for.
SWITCHES = r"^/api/(admin/apps|workers)"
SESSIONS = [f"chat_{number}" for number in range(3)]
CONFIGURATION = """
[cache]
enabled = false

[dictionaries]
sessions = {{ values = {sessions} }}
voices = {{ values = {voices} }}

[parameters]
"path.session_id" = {{ dictionary = "sessions", probability = 0.7 }}
"path.ref_id" = {{ dictionary = "voices", probability = 0.7 }}
"""


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    with Stack(tmp_path_factory.mktemp("described")) as stack:
        worker = stack.start_mock_worker("--chat-delay", "0", "--slots", "4")
        for session_id in SESSIONS:
            record_chat(stack.folder / "data", session_id)
        gateway = stack.start_gateway([worker], security={"admin_token": ADMIN_TOKEN})
        gateway.http.headers["Authorization"] = f"Bearer {ADMIN_TOKEN}"
        yield gateway


@pytest.fixture(scope="module")
def configuration(gateway: GatewayProcess, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Names schemathesis some recordings and voices that there are."""
    sound = b64encode(sound_file(1.0)).decode()
    voice = {"name": "Calm voice", "audio_base64": sound}
    voices = [gateway.http.post("/api/assets/ref_audio", json=voice).json()["id"] for _ in range(3)]
    path = tmp_path_factory.mktemp("schemathesis") / "schemathesis.toml"
    path.write_text(CONFIGURATION.format(sessions=SESSIONS, voices=voices))
    return path


@pytest.mark.parametrize("part", ["--exclude-path-regex", "--include-path-regex"])
def test_every_answer_is_as_described(
    gateway: GatewayProcess, configuration: Path, part: str
) -> None:
    run = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(configuration)),
            *("run", f"{gateway.url}/openapi.json", part, SWITCHES),
            *("--header", f"Authorization: Bearer {ADMIN_TOKEN}"),
            *("--checks", ",".join(CHECKS), "--phases", "examples,coverage,fuzzing"),
            *("--max-examples", str(N_EXAMPLES), "--seed", "1", "--generation-database", "none"),
            *("--continue-on-failure", "--warnings", "off", "--no-color"),
        ],
        cwd=configuration.parent,
        capture_output=True,
        text=True,
        timeout=RUN_TIMEOUT_S,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "Traceback" not in gateway.log
