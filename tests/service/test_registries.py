"""Voices, presets, applications and estimates over HTTP, asked of a real gateway."""

from __future__ import annotations

import asyncio
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from config import RESOURCES_PATH
from tests.service.clients import HELLO, chat, open_socket, read_to_close, receive
from tests.service.stack import GatewayProcess, Stack
from tests.sound_files import silence, sound_file

VOICES = "/api/assets/ref_audio"
TOKEN = {"Authorization": "Bearer secret"}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("registries")) as stack:
        yield stack


@pytest.fixture(scope="module")
def gateway(stack: Stack) -> GatewayProcess:
    return stack.start_gateway([stack.start_mock_worker("--stream-delay", "0.1")])


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    with Stack(tmp_path_factory.mktemp("guarded")) as stack:
        yield stack.start_gateway(
            ["127.0.0.1:9"], wait_ready=False, security={"admin_token": "secret"}
        )


def upload(gateway: GatewayProcess, data: bytes, name: str = "Calm voice") -> httpx.Response:
    body = {"name": name, "audio_base64": b64encode(data).decode()}
    return gateway.http.post(VOICES, json=body)


def get(gateway: GatewayProcess, path: str) -> Any:
    answer = gateway.http.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def listed_ids(gateway: GatewayProcess) -> list[str]:
    listed = get(gateway, VOICES)
    assert listed["total"] == len(listed["ref_audios"])
    assert listed["audios"] == listed["ref_audios"]
    return [voice["id"] for voice in listed["ref_audios"]]


# -- voices --------------------------------------------------------------------------------------


def test_a_voice_is_uploaded_listed_heard_and_deleted(gateway: GatewayProcess) -> None:
    answer = upload(gateway, sound_file(2.0, "mp3")).json()
    ref_id = answer["id"]
    assert (answer["success"], answer["name"]) == (True, "Calm voice")
    assert re.fullmatch(r"Uploaded successfully, duration=\d+ms", answer["message"])
    assert "warning" not in answer
    assert ref_id in listed_ids(gateway)

    sound = get(gateway, f"{VOICES}/{ref_id}/audio")
    assert (sound["name"], sound["sample_rate"]) == ("Calm voice", 16000)
    assert len(b64decode(sound["base64"])) == 4 * sound["samples"]

    gone = gateway.http.delete(f"{VOICES}/{ref_id}").json()
    assert (gone["success"], gone["id"], gone["message"]) == (True, ref_id, "Deleted")
    assert ref_id not in listed_ids(gateway)
    for answer in (
        gateway.http.delete(f"{VOICES}/{ref_id}"),
        gateway.http.get(f"{VOICES}/{ref_id}/audio"),
    ):
        assert answer.status_code == 404
        assert answer.json()["detail"] == f"Ref audio not found: {ref_id}"


def test_a_long_voice_is_cropped_with_a_warning(gateway: GatewayProcess) -> None:
    answer = upload(gateway, sound_file(31.0)).json()
    assert answer["message"].endswith("duration=30000ms")
    assert "30 seconds" in answer["warning"]


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"name": "a", "audio_base64": b64encode(b"no sound").decode()}, 400, "audio_base64"),
        ({"name": "a", "audio_base64": b64encode(silence(1.0)).decode()}, 400, "audio_base64"),
        ({"name": "a", "audio_base64": "%%%"}, 400, "audio_base64"),
        ({"name": "a"}, 422, "audio_base64"),
        ({"audio_base64": ""}, 422, "name"),
        ({"name": "a\u0000b", "audio_base64": ""}, 422, "name"),
        ({"name": "\u202eevil", "audio_base64": ""}, 422, "name"),
        ({"name": 7, "audio_base64": ""}, 422, "name"),
    ],
)
def test_a_bad_upload_is_told_which_field_is_wrong(
    gateway: GatewayProcess, body: dict[str, Any], status: int, field: str
) -> None:
    answer = gateway.http.post(VOICES, json=body)
    assert (answer.status_code, answer.json().get("field")) == (status, field)
    assert answer.json()["success"] is False


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff"])
def test_an_upload_that_is_no_json_object_is_refused(gateway: GatewayProcess, body: bytes) -> None:
    assert gateway.http.post(VOICES, content=body).json()["code"] == "bad_json"


def test_a_recording_over_the_limit_is_refused(gateway: GatewayProcess) -> None:
    answer = upload(gateway, bytes(10 * 1024 * 1024 + 1))
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert (answer.json()["field"], answer.json()["limit"]) == ("audio_base64", 10)


def test_a_body_over_the_limit_is_refused_whatever_length_it_announces(
    gateway: GatewayProcess,
) -> None:
    answer = gateway.http.post(VOICES, content=(b"A" * 100_000 for _ in range(200)))
    assert (answer.status_code, answer.json()["field"]) == (413, "body")


@pytest.mark.parametrize("ref_id", ["..%2fregistry.json", "..", "registry", "%00", "a" * 4000])
def test_an_id_is_never_a_path(gateway: GatewayProcess, ref_id: str) -> None:
    url = httpx.URL(gateway.url).copy_with(raw_path=f"{VOICES}/{ref_id}/audio".encode())
    assert gateway.http.send(httpx.Request("GET", url)).status_code == 404
    url = httpx.URL(gateway.url).copy_with(raw_path=f"{VOICES}/{ref_id}".encode())
    assert gateway.http.send(httpx.Request("DELETE", url)).status_code in (404, 405)


def test_voices_uploaded_at_once_are_all_kept(gateway: GatewayProcess) -> None:
    data = sound_file(0.6)
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda i: upload(gateway, data, f"voice {i}"), range(8)))
    assert {answer.json()["id"] for answer in answers} <= set(listed_ids(gateway))


def test_a_file_in_a_folder_of_voices_can_be_added_by_its_path(gateway: GatewayProcess) -> None:
    body = {"name": "English", "path": "assets/ref_audio/ref_en.wav"}
    answer = gateway.http.post(f"{VOICES}/external", json=body).json()
    (entry,) = [v for v in get(gateway, VOICES)["ref_audios"] if v["id"] == answer["id"]]
    assert (entry["source_type"], entry["duration_ms"]) == ("external", 5857)
    assert gateway.http.delete(f"{VOICES}/{answer['id']}").status_code == 200
    assert (RESOURCES_PATH / "ref_audio" / "ref_en.wav").exists()


def test_external_sound_may_also_be_sent(gateway: GatewayProcess) -> None:
    body = {"name": "Sent", "audio_data": b64encode(sound_file(1.0)).decode()}
    assert gateway.http.post(f"{VOICES}/external", json=body).json()["success"] is True


@pytest.mark.parametrize(
    "body",
    [
        {"name": "a", "path": "/etc/passwd"},
        {"name": "a", "path": "assets/ref_audio/../../config.py"},
        {"name": "a", "path": "assets/ref_audio/nowhere.wav"},
        {"name": "a", "path": "assets/ref_audio"},
        {"name": "a", "audio_data": "AAAA"},
        {"name": "a", "path": "assets/ref_audio/ref_en.wav", "audio_data": "AAAA"},
        {"name": "a"},
        {"path": "assets/ref_audio/ref_en.wav"},
    ],
)
def test_a_refused_external_voice_is_a_400_with_a_message(
    gateway: GatewayProcess, body: dict[str, Any]
) -> None:
    answer = gateway.http.post(f"{VOICES}/external", json=body)
    refusal = answer.json()
    assert (answer.status_code, refusal["success"]) == (400, False)
    assert refusal["message"] == refusal["detail"] != ""


def test_absent_and_forbidden_files_cannot_be_told_apart(gateway: GatewayProcess) -> None:
    def message(path: str) -> str:
        body = {"name": "a", "path": path}
        return gateway.http.post(f"{VOICES}/external", json=body).json()["message"]

    assert message("/etc/passwd") == message("/etc/nowhere") == message("assets/ref_audio/no.wav")


# -- the default voice and presets ---------------------------------------------------------------


def test_the_default_voice_is_given_once(gateway: GatewayProcess) -> None:
    answer = gateway.http.get("/api/default_ref_audio")
    voice = answer.json()
    assert (voice["name"], voice["sample_rate"]) == ("ref_minicpm_signature.wav", 16000)
    assert (voice["samples"], voice["duration"]) == (101_830, 6.4)
    assert len(b64decode(voice["base64"])) == 4 * 101_830
    again = gateway.http.get(
        "/api/default_ref_audio", headers={"If-None-Match": answer.headers["ETag"]}
    )
    assert (again.status_code, again.content) == (304, b"")


def test_a_default_voice_that_is_not_there_is_told(stack: Stack, tmp_path: Path) -> None:
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF")
    for configured, status, words in (
        (None, 404, "No default ref audio configured"),
        ("nowhere.wav", 404, "Default ref audio not found: nowhere.wav"),
        (str(broken), 500, "broken.wav cannot be read as a sound"),
    ):
        audio = {"ref_audio_path": configured}
        gateway = stack.start_gateway(["127.0.0.1:9"], wait_ready=False, audio=audio)
        answer = gateway.http.get("/api/default_ref_audio")
        assert (answer.status_code, answer.json()["detail"]) == (status, words)


def test_presets_are_listed_by_mode_without_sound(gateway: GatewayProcess) -> None:
    modes = get(gateway, "/api/presets")
    assert list(modes) == ["turnbased", "half_duplex_audio", "omni", "audio_duplex"]
    first = modes["omni"][0]
    assert set(first) == {"id", "order", "name", "description", "system_prompt", "ref_audio"}
    assert first["ref_audio"] == {
        "data": None,
        "path": "assets/ref_audio/ref_en.wav",
        "name": "ref_en.wav",
        "duration": 5.9,
    }
    items = modes["turnbased"][0]["system_content"]
    assert [item["type"] for item in items] == ["text", "audio", "text"]
    assert items[1]["data"] is None


def test_presets_are_given_in_the_language_asked_for(gateway: GatewayProcess) -> None:
    assert get(gateway, "/api/presets?lang=en")["omni"][0]["name"] == "Assistant"
    assert get(gateway, "/api/presets?lang=zh")["omni"][0]["name"] == "助手"
    assert gateway.http.get("/api/presets?lang=fr").status_code == 422


def test_presets_carry_their_sound_on_request(gateway: GatewayProcess) -> None:
    preset = get(gateway, "/api/presets?inline=1")["omni"][0]
    sound = get(gateway, f"/api/presets/omni/{preset['id']}/audio")
    assert sound["system_content_audio"] == []
    assert sound["ref_audio"]["data"] == preset["ref_audio"]["data"]
    assert len(b64decode(sound["ref_audio"]["data"])) == 4 * 93_710


def test_the_sounds_of_system_content_come_in_their_order(gateway: GatewayProcess) -> None:
    sound = get(gateway, "/api/presets/turnbased/assistant/audio?lang=zh")
    assert sound["ref_audio"] is None
    (item,) = sound["system_content_audio"]
    assert (item["name"], item["duration"]) == ("ref_minicpm_signature.wav", 6.4)
    assert item["data"]


@pytest.mark.parametrize("path", ["omni/nowhere", "chess/assistant", "..%2f..%2fomni/assistant"])
def test_an_unknown_preset_is_a_404(gateway: GatewayProcess, path: str) -> None:
    url = httpx.URL(gateway.url).copy_with(raw_path=f"/api/presets/{path}/audio".encode())
    assert gateway.http.send(httpx.Request("GET", url)).status_code == 404


# -- applications --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "named"),
    [("/api/admin/apps/turnbased", {}), ("/api/admin/apps", {"app_id": "turnbased"})],
)
async def test_an_app_that_is_switched_off_takes_nobody_new(
    gateway: GatewayProcess, path: str, named: dict[str, str]
) -> None:
    def switch(enabled: bool) -> dict[str, Any]:
        return gateway.http.put(path, json={"enabled": enabled} | named).json()

    async with open_socket(gateway) as running:
        await running.send(json.dumps(HELLO))
        assert (await receive(running))["type"] == "prefill_done"
        switched = await asyncio.to_thread(switch, False)
        assert (switched["success"], switched["app"]["enabled"]) == (True, False)
        try:
            apps = await asyncio.to_thread(get, gateway, "/api/apps")
            assert "turnbased" not in [app["app_id"] for app in apps["apps"]]
            told = await chat(gateway)
            assert (told.last["code"], told.close_code) == ("app_disabled", 1008)
            page = await asyncio.to_thread(gateway.http.get, "/turnbased")
            assert (page.status_code, page.headers["location"]) == (302, "/")
            refused = await asyncio.to_thread(gateway.http.post, "/api/chat", json={})
            assert refused.status_code == 403
        finally:
            await asyncio.to_thread(switch, True)
        assert (await read_to_close(running)).last["type"] == "done"


def test_an_app_stays_off_after_a_restart(stack: Stack) -> None:
    before = stack.start_gateway(["127.0.0.1:9"], wait_ready=False)
    before.http.put("/api/admin/apps/omni", json={"enabled": False})
    before.stop()
    after = stack.start_gateway(["127.0.0.1:9"], wait_ready=False)
    switches = {app["app_id"]: app["enabled"] for app in get(after, "/api/admin/apps")["apps"]}
    assert switches == {
        "turnbased": True,
        "half_duplex_audio": True,
        "omni": False,
        "audio_duplex": True,
    }
    after.http.put("/api/admin/apps/omni", json={"enabled": True})


def test_switching_an_unknown_app_is_a_404(gateway: GatewayProcess) -> None:
    answer = gateway.http.put("/api/admin/apps/chess", json={"enabled": False})
    assert (answer.status_code, answer.json()["detail"]) == (404, "Unknown app: chess")
    assert gateway.http.put("/api/admin/apps/omni", json={"enabled": "maybe"}).status_code == 422


# -- estimates -----------------------------------------------------------------------------------


def test_expectations_are_merged_and_unknown_ones_ignored(stack: Stack) -> None:
    service = {"eta_omni_duplex_s": 44.0, "data_dir": str(stack.folder / "estimates")}
    gateway = stack.start_gateway(["127.0.0.1:9"], wait_ready=False, service=service)
    body = {"eta_chat_s": 5.0, "eta_duplex_s": 120, "eta_future_s": 1, "ema_alpha": None}
    answer = gateway.http.put("/api/config/eta", json=body)
    status = get(gateway, "/api/config/eta")
    assert answer.json() == status
    assert status["config"]["eta_chat_s"] == 5.0
    assert status["config"]["eta_omni_duplex_s"] == 44.0
    assert (status["ema_alpha"], status["ema_chat_s"], status["ema_chat_samples"]) == (0.3, None, 0)


@pytest.mark.parametrize(
    "body",
    [
        b'{"eta_chat_s": 0}',
        b'{"eta_omni_duplex_s": -5}',
        b'{"eta_chat_s": NaN}',
        b'{"eta_chat_s": Infinity}',
        b'{"eta_chat_s": null}',
        b'{"ema_alpha": 9}',
        b'{"ema_alpha": 0}',
        b"[]",
    ],
)
def test_an_impossible_expectation_is_refused(gateway: GatewayProcess, body: bytes) -> None:
    before = get(gateway, "/api/config/eta")["config"]
    headers = {"Content-Type": "application/json"}
    assert gateway.http.put("/api/config/eta", content=body, headers=headers).status_code == 422
    assert get(gateway, "/api/config/eta")["config"] == before


# -- access --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", VOICES, {"name": "a", "audio_base64": ""}),
        ("POST", f"{VOICES}/external", {"name": "a", "audio_data": ""}),
        ("DELETE", f"{VOICES}/nobody", None),
        ("GET", "/api/admin/apps", None),
        ("PUT", "/api/admin/apps", {"app_id": "omni", "enabled": True}),
        ("PUT", "/api/admin/apps/omni", {"enabled": True}),
        ("PUT", "/api/config/eta", {"eta_chat_s": 5}),
    ],
)
def test_changing_the_service_needs_the_admin_token(
    guarded: GatewayProcess, method: str, path: str, body: dict[str, Any] | None
) -> None:
    assert guarded.http.request(method, path, json=body).status_code == 401
    assert guarded.http.request(method, path, json=body, headers=TOKEN).status_code != 401
    if method != "GET":
        elsewhere = {"Origin": "https://evil.example"} | TOKEN
        assert guarded.http.request(method, path, json=body, headers=elsewhere).status_code == 403


@pytest.mark.parametrize("path", [VOICES, "/api/presets", "/api/apps", "/api/config/eta"])
def test_looking_needs_no_token(guarded: GatewayProcess, path: str) -> None:
    assert guarded.http.get(path).status_code == 200
