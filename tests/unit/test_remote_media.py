"""No address in a request is ever opened, wherever a picture, sound, video or voice may stand."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from core.errors import InvalidFieldError
from core.processors import RequestLimits
from core.processors.voices import Voices, decode_voice, load_voice_file
from core.schemas import TTSConfig
from core.voice_folders import VoiceFolders
from gateway_modules.presets import Presets
from tests.fake_worker import FakeWorker, fake_config
from tests.unit.duplex_client import SECOND, open_call
from tests.unit.gateway_client import gateway_config, running_gateway
from tests.unit.worker_client import ready
from tests.wire_media import encode

SCHEMES = ("http", "file")
CONTENT = ("image", "audio", "video")


@pytest.fixture(params=SCHEMES)
def address(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An address that somebody listens at; the test fails when it was asked for or looked up."""
    asked: list[object] = []
    for name in ("create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, lambda *given, **_: asked.append(given))
    with socket.create_server(("127.0.0.1", 0)) as server:
        host = "" if request.param == "file" else f"127.0.0.1:{server.getsockname()[1]}"
        yield f"{request.param}://{host}/{Path(__file__).name}"
        server.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            asked.append(server.accept())
    assert not asked


def message(item: dict[str, Any]) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [item]}]}


@pytest.mark.parametrize("kind", CONTENT)
def test_a_chat_takes_no_address_for_media(address: str, kind: str) -> None:
    request = message({"type": kind, "data": address})
    with ready(FakeWorker(fake_config())) as client:
        answer = client.post("/chat", json=request)
        with client.websocket_connect("/ws/chat") as chat:
            chat.send_json(request)
            told = chat.receive_json()
    field = "messages[0].content[0].data"
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert (told["type"], told["field"]) == ("error", field)


def test_media_that_only_have_an_address_are_no_content(address: str) -> None:
    request = message({"type": "image_url", "image_url": {"url": address}})
    with ready(FakeWorker(fake_config())) as client:
        answer = client.post("/chat", json=request)
    assert (answer.status_code, answer.json()["field"]) == (422, "messages[0].content[0].type")


@pytest.mark.parametrize("kind", CONTENT)
def test_a_streaming_turn_takes_no_address(address: str, kind: str) -> None:
    with (
        ready(FakeWorker(fake_config())) as client,
        client.websocket_connect("/ws/streaming") as turns,
    ):
        turns.send_json({"type": "prefill"} | message({"type": kind, "data": address}))
        told = turns.receive_json()
    assert (told["type"], told["field"]) == ("error", "messages[0].content[0].data")


@pytest.mark.parametrize("field", ["ref_audio_base64", "ref_audio_path", "tts_ref_audio_base64"])
def test_a_call_takes_no_address_for_its_voice(address: str, field: str) -> None:
    with open_call(prepared=False) as call:
        told = call.say("prepare", **{field: address})
    assert (told["type"], told["field"]) == ("error", field)


def test_a_call_takes_no_address_for_a_picture(address: str) -> None:
    with open_call() as call:
        told = call.say("audio_chunk", audio_base64=SECOND, frame_base64_list=[address])
    assert (told["type"], told["field"]) == ("error", "frame_base64_list[0]")


@pytest.mark.parametrize(
    ("path", "field"),
    [("", "audio_base64"), ("/external", "path"), ("/external", "audio_data")],
)
def test_an_uploaded_voice_has_no_address(
    address: str, path: str, field: str, tmp_path: Path
) -> None:
    with running_gateway(gateway_config(tmp_path)) as (http, _):
        answer = http.post(f"/api/assets/ref_audio{path}", json={"name": "a", field: address})
    assert (answer.status_code, answer.json()["field"]) == (400, field)


def test_the_voice_of_a_preset_has_no_address(address: str, tmp_path: Path) -> None:
    (tmp_path / "omni").mkdir()
    preset = f"id: a\nname: a\nref_audio_path: {address}\n"
    (tmp_path / "omni" / "a.yaml").write_text(preset)
    (shown,) = Presets(30, [tmp_path]).by_mode("en", with_sound=True)["omni"]
    assert shown.ref_audio and shown.ref_audio.data is None


@pytest.mark.parametrize("field", ["ref_audio_data", "ref_audio_path"])
def test_the_voice_of_an_answer_has_no_address(address: str, field: str) -> None:
    find = VoiceFolders.of(fake_config()).find
    voices = Voices(cast(Any, None), None, RequestLimits(), find)
    with pytest.raises(InvalidFieldError) as refused:
        voices.choose(TTSConfig.model_validate({field: address}))
    assert refused.value.field == f"tts.{field}"


def test_a_half_duplex_call_takes_no_address_for_its_voice(address: str) -> None:
    items = [{"type": "audio", "data": address}]
    with (
        ready(FakeWorker(fake_config())) as client,
        client.websocket_connect("/ws/half_duplex") as call,
    ):
        call.send_json({"type": "prepare", "system_content": items})
        told = call.receive_json()
    assert (told["type"], told["field"]) == ("error", "system_content[0].data")


def test_a_path_that_looks_like_an_address_is_a_path(address: str) -> None:
    with pytest.raises(InvalidFieldError):
        load_voice_file(Path(address), "tts.ref_audio_path")


def test_what_a_sound_file_says_is_not_opened(address: str) -> None:
    """FFmpeg knows formats that only name where the sound is."""
    list_of_parts = f"RIFF\n#EXTM3U\n#EXTINF:1,\n{address}\n#EXT-X-ENDLIST\n"
    session = "RIFF\r\nc=IN IP4 127.0.0.1\r\nm=audio 5004 RTP/AVP 0\r\n"
    for text in (list_of_parts, session):
        with pytest.raises(InvalidFieldError):
            decode_voice(encode(text.encode()), "tts.ref_audio_data", 10)
