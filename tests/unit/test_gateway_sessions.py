"""Recorded sessions over HTTP."""

from __future__ import annotations

import asyncio
import io
import json
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from gateway_modules.session_ids import SessionIds
from gateway_modules.worker_connection import WorkerConnection
from tests.unit.gateway_client import STRANGER, gateway_config, running_gateway
from tests.unit.recorded_sessions import record_call, record_chat, written

CHAT = "/api/sessions/chat_1"
WEBM = {"file": ("replay.webm", b"webm", "video/webm;codecs=vp9")}
MEBIBYTE = 1 << 20


@pytest.fixture
def http(tmp_path: Path) -> Iterator[TestClient]:
    """A gateway that has one recorded chat."""
    record_chat(tmp_path)
    limits = {"recording_upload_mb": 0.1, "comment_chars": 20}
    with running_gateway(gateway_config(tmp_path, limits=limits)) as (client, _):
        yield client


def error_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["detail"]


def test_meta_and_contents_are_those_on_the_disk(http: TestClient, tmp_path: Path) -> None:
    folder = tmp_path / "sessions" / "chat_1"
    meta, recording = http.get(CHAT), http.get(f"{CHAT}/recording")
    assert meta.json() == json.loads((folder / "meta.json").read_text())
    assert recording.json() == json.loads((folder / "recording.json").read_text())
    assert meta.headers["cache-control"] == recording.headers["cache-control"] == "private"


def test_an_unknown_session_is_told_by_its_id(http: TestClient) -> None:
    path = "/api/sessions/no.such"
    missing = (404, "Session not found: no_such")
    for route in ("", "/recording", "/download", "/comment", "/assets/meta.json"):
        assert error_of(http.get(path + route)) == missing
    assert error_of(http.post(f"{path}/comment", json={"comment": "x"})) == missing
    assert error_of(http.post(f"{path}/upload-recording", files=WEBM)) == missing
    assert error_of(http.delete(path)) == missing


def test_the_page_of_a_recording_is_there_as_long_as_the_recording(http: TestClient) -> None:
    browser = {"Accept": "text/html"}
    found, missing = http.get("/s/chat_1"), http.get("/s/no.such", headers=browser)
    assert (found.status_code, "session.js" in found.text) == (200, True)
    assert (missing.status_code, "session-missing.js" in missing.text) == (404, True)
    assert error_of(http.get("/s/no.such")) == (404, "Session not found: no_such")


def test_what_a_page_has_uploaded_is_named_with_the_session(http: TestClient) -> None:
    assert "frontend_replay" not in http.get(CHAT).json()
    http.post(f"{CHAT}/upload-recording", files=WEBM)
    assert http.get(CHAT).json()["frontend_replay"] == "frontend_replay.webm"


def test_a_session_that_goes_on_has_no_recording_and_is_not_deleted(tmp_path: Path) -> None:
    recorder, writer = record_call(tmp_path, "L")
    assert writer.flush(10)
    with running_gateway(gateway_config(tmp_path)) as (http, _):
        assert http.get("/api/sessions/call_1").json()["ended_at"] is None
        missing = http.get("/api/sessions/call_1/recording")
        assert error_of(missing) == (404, "Recording not found for session: call_1")
        assert http.delete("/api/sessions/call_1").status_code == 409
        written(recorder, writer)
        assert http.get("/api/sessions/call_1/recording").status_code == 200
        assert http.delete("/api/sessions/call_1").json() == {"success": True}
        assert http.get("/api/sessions/call_1").status_code == 404


def test_files_are_sent_whole_or_in_ranges(http: TestClient, tmp_path: Path) -> None:
    sound = (tmp_path / "sessions" / "chat_1" / "ai_audio" / "turn_0.wav").read_bytes()
    path = f"{CHAT}/assets/ai_audio/turn_0.wav"
    whole, head = http.get(path), http.head(path)
    assert whole.content == sound
    assert whole.headers["content-type"] == "audio/wav"
    assert head.headers["content-length"] == str(len(sound))
    part = http.get(path, headers={"Range": "bytes=44-143"})
    assert (part.status_code, part.content) == (206, sound[44:144])
    assert part.headers["content-range"] == f"bytes 44-143/{len(sound)}"
    beyond = http.get(path, headers={"Range": f"bytes={len(sound)}-"})
    assert beyond.status_code == 416
    image = http.get(f"{CHAT}/assets/user_images/img_0.jpg")
    assert image.headers["content-type"] == "image/jpeg"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("..%2f..%2fsecret.txt", 400),
        ("user_audio/..%2f..%2f..%2fsecret.txt", 400),
        ("%2fetc%2fpasswd", 400),
        ("..%5csecret.txt", 400),
        ("link", 400),
        ("linked/secret.txt", 400),
        ("user_audio", 404),
        ("nothing.wav", 404),
        (".hidden", 404),
        ("x" * 300, 404),
    ],
)
def test_nothing_outside_the_session_can_be_read(
    http: TestClient, tmp_path: Path, path: str, status: int
) -> None:
    folder = tmp_path / "sessions" / "chat_1"
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "link").symlink_to(tmp_path / "secret.txt")
    (folder / "linked").symlink_to(tmp_path)
    (folder / ".hidden").write_text("unfinished")
    answer = http.get(f"{CHAT}/assets/{path}")
    assert answer.status_code == status
    assert "secret\n" not in answer.text


@pytest.mark.parametrize(
    "name", ["..", "%2e%2e", "..%2f..", "chat_1%2f..%2fchat_1", "%00", "x" * 200]
)
def test_an_id_never_leads_elsewhere(http: TestClient, tmp_path: Path, name: str) -> None:
    (tmp_path / "meta.json").write_text("{}")
    assert http.get(f"/api/sessions/{name}/comment").status_code == 404


def test_a_link_is_no_session(http: TestClient, tmp_path: Path) -> None:
    elsewhere = record_chat(tmp_path / "elsewhere", "chat_2")
    (tmp_path / "sessions" / "chat_2").symlink_to(elsewhere)
    assert http.get("/api/sessions/chat_2").status_code == 404
    assert http.delete("/api/sessions/chat_2").status_code == 404
    assert elsewhere.exists()


def test_all_files_come_in_one_archive(http: TestClient, tmp_path: Path) -> None:
    folder = tmp_path / "sessions" / "chat_1"
    (folder / "noise.bin").write_bytes(os.urandom(3 * MEBIBYTE))
    (folder / "link").symlink_to("/etc/hostname")
    answer = http.get(f"{CHAT}/download")
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == 'attachment; filename="chat_1.zip"'
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        assert set(archive.namelist()) == {
            f"chat_1/{name}"
            for name in (
                "meta.json",
                "recording.json",
                "recording.jsonl",
                "ai_audio/turn_0.wav",
                "user_images/img_0.jpg",
                "noise.bin",
            )
        }
        assert archive.read("chat_1/noise.bin") == (folder / "noise.bin").read_bytes()
        assert archive.getinfo("chat_1/meta.json").compress_type == zipfile.ZIP_DEFLATED


@pytest.mark.parametrize(
    ("media_type", "name"),
    [
        ("video/webm;codecs=vp9,opus", "frontend_replay.webm"),
        ("audio/webm", "frontend_replay.webm"),
        ("video/mp4", "frontend_replay.mp4"),
        ("audio/wav", "frontend_replay.wav"),
    ],
)
def test_a_page_uploads_what_it_recorded(
    http: TestClient, tmp_path: Path, media_type: str, name: str
) -> None:
    for content in (b"first", b"second"):
        files = {"file": ("any.name", content, media_type)}
        answer = http.post(f"{CHAT}/upload-recording", files=files)
        assert answer.json() == {"status": "ok", "path": name, "size_bytes": len(content)}
    assert http.get(f"{CHAT}/assets/{name}").content == b"second"
    assert not list((tmp_path / "sessions" / "chat_1").glob(".*"))


def test_other_uploads_are_refused(http: TestClient, tmp_path: Path) -> None:
    path = f"{CHAT}/upload-recording"
    page = {"file": ("page.html", b"<html>", "text/html")}
    assert error_of(http.post(path, files=page)) == (400, "Unsupported file type: text/html")
    assert http.post(path, data={"other": "x"}).status_code == 422
    assert http.post(path, files={"wrong": WEBM["file"]}).status_code == 422
    large = {"file": ("replay.webm", bytes(200_000), "video/webm")}
    assert http.post(path, files=large).status_code == 413
    without_length = http.post(path, content=pieces(large), headers=MULTIPART)
    assert without_length.status_code == 413
    assert not list((tmp_path / "sessions" / "chat_1").glob("*frontend*"))


MULTIPART = {"Content-Type": "multipart/form-data; boundary=b"}


def pieces(files: dict[str, tuple[str, bytes, str]]) -> Iterator[bytes]:
    """A form whose length nobody announces."""
    name, content, media_type = files["file"]
    yield f'--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'.encode()
    yield f"Content-Type: {media_type}\r\n\r\n".encode()
    yield content
    yield b"\r\n--b--\r\n"


def test_a_session_has_a_comment(http: TestClient, tmp_path: Path) -> None:
    path = f"{CHAT}/comment"
    assert http.get(path).json() == {"comment": ""}
    assert http.post(path, json={"comment": "  很好 \n"}).json() == {"status": "ok", "len": 2}
    assert http.get(path).json() == {"comment": "很好"}
    assert (tmp_path / "sessions" / "chat_1" / "comment.txt").read_text("utf-8") == "很好"
    assert http.post(path, json={"comment": None}).json() == {"status": "ok", "len": 0}
    assert not (tmp_path / "sessions" / "chat_1" / "comment.txt").exists()


@pytest.mark.parametrize(
    ("body", "status"),
    [({"comment": 5}, 400), ({"comment": "x" * 21}, 413), ({"comment": "x" * 90_000}, 413)],
)
def test_a_comment_is_a_short_text(http: TestClient, body: Any, status: int) -> None:
    assert http.post(f"{CHAT}/comment", json=body).status_code == status


def test_pages_of_other_sites_change_nothing(http: TestClient) -> None:
    headers = {"Origin": "https://elsewhere.example"}
    for answer in (
        http.post(f"{CHAT}/comment", json={"comment": "x"}, headers=headers),
        http.post(f"{CHAT}/upload-recording", files=WEBM, headers=headers),
        http.delete(CHAT, headers=headers),
        http.delete("/sessions/any", headers=headers),
    ):
        assert answer.json()["code"] == "origin_forbidden"


def test_sessions_are_listed_newest_first_by_page_type_and_day(tmp_path: Path) -> None:
    for index in range(5):
        folder = record_chat(tmp_path, f"chat_{index}")
        meta = json.loads((folder / "meta.json").read_text())
        meta |= {"created_at": f"2026-05-0{index + 1}T08:00:00+00:00"}
        meta["app_type"] = "streaming" if index == 4 else "chat"
        (folder / "meta.json").write_text(json.dumps(meta))
    for name, meta in (("broken", None), ("odd", {"created_at": 1}), ("short", {"ended_at": None})):
        folder = tmp_path / "sessions" / name
        folder.mkdir()
        (folder / "recording.jsonl").touch()
        if meta is not None:
            (folder / "meta.json").write_text(json.dumps({"app_type": "chat"} | meta))
    with running_gateway(gateway_config(tmp_path)) as (http, _):

        def ids(query: str) -> tuple[int, list[str]]:
            listed = http.get(f"/api/sessions{query}").json()
            return listed["total"], [session["session_id"] for session in listed["sessions"]]

        assert ids("?page_size=2") == (5, ["chat_4", "chat_3"])
        assert ids("?page_size=2&page=3") == (5, ["chat_0"])
        assert ids("?type=streaming") == (1, ["chat_4"])
        assert ids("?date=2026-05-02") == (1, ["chat_1"])
        assert http.get("/api/sessions?page=0").status_code == 422
        (listed,) = http.get("/api/sessions?date=2026-05-02").json()["sessions"]
        assert listed["size_bytes"] > 1000


def test_strangers_read_what_they_know_and_list_and_delete_nothing(tmp_path: Path) -> None:
    record_chat(tmp_path)
    with running_gateway(gateway_config(tmp_path), STRANGER) as (http, _):
        assert http.get(CHAT).status_code == 200
        assert http.get("/api/sessions").status_code == 401
        assert http.get("/api/admin/storage").status_code == 401
        assert http.delete(CHAT).status_code == 401
        assert http.get("/sessions").status_code == 401
        token = (tmp_path / "admin_token").read_text().strip()
        known = {"Authorization": f"Bearer {token}"}
        assert http.get("/api/sessions", headers=known).json()["total"] == 1
        assert http.delete(CHAT, headers=known).json() == {"success": True}


def test_storage_tells_what_is_taken_and_what_limits_it(http: TestClient) -> None:
    storage = http.get("/api/admin/storage").json()
    assert storage["sessions"] == 1
    assert 1000 < storage["size_bytes"] < storage["free_bytes"]
    assert (storage["session_retention_days"], storage["max_storage_gb"]) == (-1, -1)
    assert storage["last_cleanup"] is None


async def test_old_sessions_are_deleted_every_day(tmp_path: Path) -> None:
    folder = record_chat(tmp_path)
    meta = json.loads((folder / "meta.json").read_text())
    old = meta | {"created_at": "2020-01-01T00:00:00+00:00"}
    (folder / "meta.json").write_text(json.dumps(old))
    recording = {"session_retention_days": 30, "cleanup_first_s": 0.01}
    config = gateway_config(tmp_path, recording=recording)
    with running_gateway(config) as (http, gateway):
        for _ in range(500):
            if gateway.recorded.storage().last_cleanup is not None:
                break
            await asyncio.sleep(0.01)
        assert http.get("/api/admin/storage").json()["last_cleanup"]["deleted"] == 1
    assert not folder.exists()


class FakeSocket:
    has_left = False
    is_ended = False

    def end(self) -> None:
        self.is_ended = True


def test_ending_a_session_closes_its_socket() -> None:
    socket: Any = FakeSocket()
    ids = SessionIds()
    with ids.claim("omni_1", socket):
        assert ids.end("omni_1")
        assert socket.is_ended
    assert not ids.end("omni_1")


def test_live_sessions_and_kept_conversations_are_listed(tmp_path: Path) -> None:
    with running_gateway(gateway_config(tmp_path)) as (http, gateway):
        assert http.get("/sessions").json() == {"total": 0, "sessions": []}
        worker = WorkerConnection("worker_9", "127.0.0.1", 9)
        gateway.pool.workers["worker_9"] = worker
        worker.cached_hash = "5aced9397fc4a6ba77"
        (kept,) = http.get("/sessions").json()["sessions"]
        assert kept == {
            "session_id": worker.worker_id,
            "worker_id": worker.worker_id,
            "messages_hash": "5aced9397fc4a6ba",
            "last_active": None,
            "request_type": "streaming",
            "active": False,
        }
        assert http.delete(f"/sessions/{worker.worker_id}").json() == {"success": True}
        assert worker.cached_hash is None
        assert http.delete(f"/sessions/{worker.worker_id}").json() == {"success": False}
