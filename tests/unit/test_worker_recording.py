"""What a worker records of each way of talking, and what it says about it."""

from __future__ import annotations

import json
import wave
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient, WebSocketTestSession

from config import RecordingConfig, ServiceConfig
from tests.fake_worker import FakeWorker, fake_config
from tests.unit import duplex_client, half_duplex_client
from tests.unit.worker_client import ready, until_closed
from tests.wire_media import audio_data, image_data

ASKED: dict[str, Any] = {
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "An old question"},
        {"role": "assistant", "content": "An old answer"},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is it?"},
                {"type": "image", "data": image_data(8, 8)},
                {"type": "audio", "data": audio_data(0.5)},
            ],
        },
    ]
}
READ = {
    "text": "What is it?",
    "images": ["user_images/img_0.jpg"],
    "audio": "user_audio/000.wav",
}
ANSWER = "One two three."


def recording_config(folder: Path) -> ServiceConfig:
    """Recordings lie in `folder`."""
    config = fake_config()
    service = config.service.model_copy(update={"data_dir": str(folder)})
    return config.model_copy(update={"recording": RecordingConfig(), "service": service})


def recorded(folder: Path, session_id: str | None, name: str = "recording.json") -> dict[str, Any]:
    """What was written; the worker has to have ended."""
    assert session_id is not None
    return json.loads((folder / "sessions" / session_id / name).read_text("utf-8"))


def seconds_of(path: Path) -> float:
    with wave.open(str(path)) as reader:
        return reader.getnframes() / reader.getframerate()


def close(websocket: WebSocketTestSession, kind: str) -> None:
    """End a session in its own words."""
    websocket.send_json({"type": kind})
    until_closed(websocket)


def streamed_turn(websocket: WebSocketTestSession) -> list[dict[str, Any]]:
    """`prefill_done` and `done` of one turn."""
    websocket.send_json({"type": "prefill", **ASKED})
    messages = [websocket.receive_json()]
    websocket.send_json({"type": "generate"})
    while messages[-1]["type"] != "done":
        messages.append(websocket.receive_json())
    return [messages[0], messages[-1]]


def chat_over_socket(client: TestClient, **fields: Any) -> dict[str, Any]:
    """The `done` of a chat."""
    with client.websocket_connect("/ws/chat") as websocket:
        websocket.send_json(ASKED | fields)
        return until_closed(websocket)[0][-1]


def test_a_chat_over_http_is_recorded(tmp_path: Path) -> None:
    config = recording_config(tmp_path)
    with ready(FakeWorker(config), config) as client:
        answer = client.post("/chat", json=ASKED).json()
    session_id = answer["recording_session_id"]
    assert session_id.startswith("chat_")
    meta = recorded(tmp_path, session_id, "meta.json")
    assert (meta["app_type"], meta["worker_id"]) == ("chat", 3)
    assert meta["ended_at"] is not None
    recording = recorded(tmp_path, session_id)
    assert recording["config"] == {"system_prompt": "Be brief."}
    (turn,) = recording["turns"]
    assert (turn["input"], turn["output"]) == (READ, {"text": ANSWER})
    assert set(turn["timing"]) == {"elapsed_ms", "tokens", "input_tokens"}
    assert turn["timing"]["tokens"] == 5
    assert seconds_of(tmp_path / "sessions" / session_id / READ["audio"]) == 0.5


@pytest.mark.parametrize("streaming", [True, False])
def test_a_chat_over_a_socket_is_recorded(tmp_path: Path, streaming: bool) -> None:
    config = recording_config(tmp_path)
    with ready(FakeWorker(config), config) as client:
        done = chat_over_socket(client, streaming=streaming)
    recording = recorded(tmp_path, done["recording_session_id"])
    assert recording["config"]["streaming"] is streaming
    (turn,) = recording["turns"]
    assert (turn["input"], turn["output"]["text"]) == (READ, ANSWER)
    assert turn["timing"]["input_tokens"] == 7


def test_a_conversation_is_one_recording_with_a_turn_each(tmp_path: Path) -> None:
    config = recording_config(tmp_path)
    worker = FakeWorker(config)
    worker.streaming.is_spoken = True
    with ready(worker, config) as client, client.websocket_connect("/ws/streaming") as websocket:
        messages = streamed_turn(websocket) + streamed_turn(websocket)
        websocket.send_json({"type": "playback", "audio_epoch": 0, "played_ms": 0})
        assert websocket.receive_json()["text"] == ""
        close(websocket, "close")
    session_id = messages[0]["recording_session_id"]
    assert {message["recording_session_id"] for message in messages} == {session_id}
    assert session_id.startswith("stm_")
    recording = recorded(tmp_path, session_id)
    assert recording["config"] == {"system_prompt": "Be brief.", "ref_audio": "default"}
    first, second = recording["turns"]
    assert (first["output"]["text"], first["output"]["audio_duration_ms"]) == (ANSWER, 5000)
    assert second["output"] == {"text": ""}
    assert set(first["timing"]) == {
        "elapsed_ms",
        "tokens",
        "input_tokens",
        "cached_tokens",
        "total_tokens",
    }
    assert second["input"]["images"] == ["user_images/img_1.jpg"]
    folder = tmp_path / "sessions" / session_id / "ai_audio"
    assert [path.name for path in folder.iterdir()] == ["turn_0.wav"]
    assert seconds_of(folder / "turn_0.wav") == 5.0


def test_a_turn_that_is_given_up_leaves_no_trace(tmp_path: Path) -> None:
    config = recording_config(tmp_path)
    lost = {"type": "prefill", **ASKED, "history_hash": "forgotten"}
    with ready(FakeWorker(config), config) as client:
        with client.websocket_connect("/ws/streaming") as websocket:
            websocket.send_json(lost)
            assert websocket.receive_json()["type"] == "cache_miss"
            session_id = streamed_turn(websocket)[0]["recording_session_id"]
            websocket.send_json({"type": "prefill", **ASKED})
            assert websocket.receive_json()["type"] == "prefill_done"
            websocket.send_json({"type": "stop"})
            assert websocket.receive_json()["type"] == "done"
            close(websocket, "close")
    (turn,) = recorded(tmp_path, session_id)["turns"]
    assert (turn["input"], turn["output"]) == (READ, {"text": ANSWER})
    assert seconds_of(tmp_path / "sessions" / session_id / READ["audio"]) == 0.5


def test_what_is_read_in_pieces_is_one_turn(tmp_path: Path) -> None:
    config = recording_config(tmp_path)
    with ready(FakeWorker(config), config) as client:
        with client.websocket_connect("/ws/streaming") as websocket:
            for _ in range(2):
                websocket.send_json({"type": "prefill", "messages": ASKED["messages"][-1:]})
                assert websocket.receive_json()["type"] == "prefill_done"
            websocket.send_json({"type": "generate"})
            while (message := websocket.receive_json())["type"] != "done":
                continue
            session_id = message["recording_session_id"]
            close(websocket, "close")
    (turn,) = recorded(tmp_path, session_id)["turns"]
    assert turn["input"]["text"] == "What is it?\nWhat is it?"
    assert len(turn["input"]["images"]) == 2
    assert seconds_of(tmp_path / "sessions" / session_id / READ["audio"]) == 1.0


def test_a_half_duplex_call_is_recorded(tmp_path: Path) -> None:
    config = recording_config(tmp_path)
    worker = FakeWorker(config)
    worker.streaming.is_spoken = True
    with ready(worker, config) as client:
        with half_duplex_client.socket(client, "?session_id=hdx_1") as websocket:
            prepared = half_duplex_client.prepare(websocket)
            half_duplex_client.turn(websocket)
    session_id = prepared["recording_session_id"]
    assert session_id.startswith("hdx_1_")
    recording = recorded(tmp_path, session_id)
    assert recording["mode"] == "half_duplex_audio"
    assert set(recording["config"]) == {
        "system_content_count",
        "vad",
        "generation",
        "tts_enabled",
        "timeout_s",
    }
    (turn,) = recording["turns"]
    assert turn["input"]["type"] == "voice"
    heard_s = seconds_of(tmp_path / "sessions" / session_id / turn["input"]["audio"])
    assert turn["input"]["duration_ms"] == turn["timing"]["speech_input_ms"]
    assert turn["input"]["duration_ms"] / 1000 == pytest.approx(heard_s, abs=0.001)
    assert turn["output"]["text"] == half_duplex_client.ANSWER
    assert set(turn["timing"]) == {"elapsed_ms", "speech_input_ms"}


def test_a_full_duplex_call_is_recorded(tmp_path: Path) -> None:
    config = recording_config(tmp_path)
    frames = [image_data(8, 8, "JPEG"), image_data(9, 9, "JPEG")]
    with duplex_client.open_call(config, prepared=False, script="LE") as call:
        given = {"temperature": 0.5, "force_listen_count": 0}
        prepared = call.say("prepare", system_prompt="Sing.", config=given)
        call.chunk(frame_base64_list=frames)
        call.chunk(audio_base64=audio_data(0.5))
        call.chunk(audio_base64=audio_data(0.5))
        call.say("stop")
    session_id = prepared["recording_session_id"]
    folder = tmp_path / "sessions" / session_id
    meta = recorded(tmp_path, session_id, "meta.json")
    assert meta["app_type"] == "audio_duplex"
    assert meta["config"] == given | {
        "system_prompt": "Sing.",
        "ref_audio": "default",
        "deferred_finalize": True,
    }
    listened, waited, spoke = recorded(tmp_path, session_id)["chunks"]
    assert listened["user_frame"] == "user_frames/000.jpg"
    assert (folder / listened["user_frame"]).read_bytes().startswith(b"\xff\xd8")
    assert listened["result"]["mode"] == "LISTEN"
    assert waited["result"]["skipped"] == "buffering"
    assert seconds_of(folder / waited["user_audio"]) == 0.5
    assert spoke["result"]["end_of_turn"] is True
    assert spoke["result"]["ai_audio"] == "ai_audio/turn_0_chunk_002.wav"
    assert seconds_of(folder / spoke["result"]["ai_audio"]) == 1.0
    assert spoke["receive_ts_ms"] >= waited["receive_ts_ms"]
    assert {"llm_ms", "all_ms", "wall_clock_ms", "n_tokens"} <= set(spoke["result"]["timing"])


def test_what_a_caller_cuts_off_is_marked(tmp_path: Path) -> None:
    config = recording_config(tmp_path)
    with duplex_client.open_call(config, prepared=False, script="S") as call:
        session_id = call.say("prepare")["recording_session_id"]
        call.chunk()
        call.chunk()
        assert call.say("interrupt")["interrupted"] is True
        call.send("playback", audio_epoch=0, played_ms=1200)
        call.say("stop")
    results = [chunk["result"] for chunk in recorded(tmp_path, session_id)["chunks"]]
    assert [result.get("heard_ms") for result in results] == [None, 200]


def test_a_client_that_does_not_want_to_be_recorded_is_not(tmp_path: Path) -> None:
    config = recording_config(tmp_path)
    no = {"record": False}
    with ready(FakeWorker(config), config) as client:
        assert client.post("/chat", json=ASKED | no).json()["recording_session_id"] is None
        assert "recording_session_id" not in chat_over_socket(client, **no)
        with client.websocket_connect("/ws/streaming") as websocket:
            websocket.send_json({"type": "prefill", **ASKED, **no})
            assert "recording_session_id" not in websocket.receive_json()
            close(websocket, "close")
        with half_duplex_client.socket(client) as websocket:
            prepared = half_duplex_client.prepare(websocket, **no)
            assert "recording_session_id" not in prepared
        with client.websocket_connect("/ws/duplex") as websocket:
            websocket.send_json({"type": "prepare", **no})
            assert "recording_session_id" not in websocket.receive_json()
            close(websocket, "stop")
    assert not (tmp_path / "sessions").exists()


def test_nothing_is_recorded_where_recording_is_off(tmp_path: Path) -> None:
    config = recording_config(tmp_path)
    off = RecordingConfig(enabled=False)
    config = config.model_copy(update={"recording": off})
    with ready(FakeWorker(config), config) as client:
        assert client.post("/chat", json=ASKED).json()["recording_session_id"] is None
    assert not (tmp_path / "sessions").exists()


def test_a_chat_that_is_not_answered_leaves_nothing(tmp_path: Path) -> None:
    config = recording_config(tmp_path)
    worker = FakeWorker(config)
    with ready(worker, config) as client:
        bad = {"messages": [{"role": "user", "content": [{"type": "image", "data": "!!"}]}]}
        assert client.post("/chat", json=bad).status_code == 422
        with client.websocket_connect("/ws/streaming") as websocket:
            websocket.send_json({"type": "prefill", **ASKED})
            websocket.receive_json()
            close(websocket, "close")
    assert not list(tmp_path.glob("sessions/*"))


def test_a_disk_that_fails_is_told_and_the_answer_comes(tmp_path: Path) -> None:
    (tmp_path / "sessions").write_text("no folder")
    config = recording_config(tmp_path)
    with ready(FakeWorker(config), config) as client:
        done = chat_over_socket(client)
        assert (done["text"], done["warning"].partition(":")[0]) == (ANSWER, "recording stopped")
    with duplex_client.open_call(config, prepared=False) as call:
        call.say("prepare")
        assert call.chunk()["warning"].startswith("recording stopped")
        assert "warning" not in call.chunk()
