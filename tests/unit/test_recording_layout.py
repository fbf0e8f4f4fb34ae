"""What lies on the disk after a session, field by field."""

from __future__ import annotations

import base64
import json
import re
import wave
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.recording import (
    DuplexSessionRecorder,
    RecordingWriter,
    TurnBasedSessionRecorder,
    duplex_id,
    generate_session_id,
    half_duplex_id,
    load_recording,
)
from core.recording.earlier import read_earlier_turns
from tests.unit.recorded_sessions import record_call, record_chat, result, speech, written
from tests.wire_media import audio_data, image_file, picture, tone


def load(folder: Path, name: str = "recording.json") -> dict[str, Any]:
    return json.loads((folder / name).read_text("utf-8"))


def read_wav(path: Path) -> tuple[int, int, np.ndarray]:
    """Channels, sample rate and samples."""
    with wave.open(str(path)) as reader:
        samples = np.frombuffer(reader.readframes(reader.getnframes()), "<i2")
        assert reader.getsampwidth() == 2
        return reader.getnchannels(), reader.getframerate(), samples


def streaming_recorder(data_path: Path, **options: Any) -> TurnBasedSessionRecorder:
    return TurnBasedSessionRecorder("stm_1", "streaming", 2, {}, data_path, **options)


def encoded(samples: np.ndarray) -> str:
    return base64.b64encode(samples.astype("<f4").tobytes()).decode()


def test_all_folders_are_there_from_the_start(tmp_path: Path) -> None:
    writer = RecordingWriter()
    recorder = streaming_recorder(tmp_path, writer=writer)
    assert writer.flush(10)
    assert recorder.folder == tmp_path / "sessions" / "stm_1"
    assert {path.name for path in recorder.folder.iterdir()} == {
        "meta.json",
        "recording.jsonl",
        "user_audio",
        "user_frames",
        "user_images",
        "user_videos",
        "ai_audio",
    }
    recorder.discard()


def test_meta_tells_of_a_session_that_goes_on_and_is_completed_at_its_end(tmp_path: Path) -> None:
    recorder, writer = record_call(tmp_path, "L")
    assert writer.flush(10)
    begun = load(recorder.folder, "meta.json")
    folder = written(recorder, writer)
    ended = load(folder, "meta.json")
    created_at = datetime.fromisoformat(begun["created_at"])
    assert created_at.utcoffset() == timedelta(0)
    assert begun == {
        "session_id": "call_1",
        "app_type": "omni_duplex",
        "created_at": created_at.isoformat(),
        "ended_at": None,
        "duration_s": None,
        "worker_id": 0,
        "title": f"对话 {created_at:%m-%d %H:%M}",
        "config": {"a": 1},
    }
    assert list(ended) == list(begun)
    lasted = datetime.fromisoformat(ended["ended_at"]) - created_at
    assert ended["duration_s"] == round(lasted.total_seconds(), 1)


def test_a_call_is_recorded_chunk_by_chunk(tmp_path: Path) -> None:
    writer = RecordingWriter()
    recorder = DuplexSessionRecorder("call_1", "omni_duplex", 0, {}, tmp_path, writer=writer)
    sound = recorder.save_user_audio(0, tone(1.0))
    frame = recorder.save_user_frame(0, b"JPEG")
    costs = {"cost_llm_ms": None, "cost_all_ms": 40.24, "wall_clock_ms": 118.9, "n_tokens": 1}
    sizes = {"kv_cache_length": 204, "vision_slices": 1, "vision_tokens": 64}
    first = result(**costs, **sizes)
    recorder.record_chunk(0, 12.44, first, 61.04, sound, frame, user_audio_samples=16_000)
    sound = recorder.save_user_audio(1, tone(1.0))
    voice = recorder.save_ai_audio(recorder.turn_index, 1, speech(1.0))
    says = result(is_listen=False, text="Hello", end_of_turn=True, cost_tts_prep_ms=3.0)
    recorder.record_chunk(1, 1010.9, says, None, sound, None, voice, 24_000)
    recording = load(written(recorder, writer))
    assert list(recording) == ["session_id", "mode", "worker_id", "start_ts", "config", "chunks"]
    assert recording["mode"] == "duplex"
    assert recording["chunks"] == [
        {
            "index": 0,
            "receive_ts_ms": 12.4,
            "user_audio": "user_audio/000.wav",
            "user_audio_duration_ms": 1000.0,
            "user_frame": "user_frames/000.jpg",
            "result": {
                "mode": "LISTEN",
                "timing": {
                    "prefill_ms": 61.0,
                    "all_ms": 40.2,
                    "wall_clock_ms": 118.9,
                    "n_tokens": 1,
                    "kv_cache_length": 204,
                    "vision_slices": 1,
                    "vision_tokens": 64,
                },
            },
        },
        {
            "index": 1,
            "receive_ts_ms": 1010.9,
            "user_audio": "user_audio/001.wav",
            "result": {
                "mode": "SPEAK",
                "timing": {"tts_prep_ms": 3.0},
                "text": "Hello",
                "ai_audio": "ai_audio/turn_0_chunk_001.wav",
                "ai_audio_duration_ms": 1000,
                "end_of_turn": True,
            },
        },
    ]
    assert (recorder.folder / frame).read_bytes() == b"JPEG"
    assert recorder.turn_index == 1


def test_a_chat_is_recorded_with_what_was_shown_and_said(tmp_path: Path) -> None:
    folder = record_chat(tmp_path)
    recording = load(folder)
    assert recording == {
        "session_id": "chat_1",
        "mode": "chat",
        "worker_id": 0,
        "start_ts": load(folder, "meta.json")["created_at"],
        "config": {"system_prompt": "Be brief."},
        "turns": [
            {
                "turn_index": 0,
                "request_ts_ms": 0.0,
                "input": {"text": "What is shown?", "images": ["user_images/img_0.jpg"]},
                "output": {
                    "text": "A cat.",
                    "audio": "ai_audio/turn_0.wav",
                    "audio_duration_ms": 1240,
                },
                "timing": {"elapsed_ms": 812.5, "tokens": 5, "input_tokens": 320},
            }
        ],
    }
    original = image_file(picture(64, 48), "PNG")
    assert (folder / "user_images" / "img_0.jpg").read_bytes() == original


def test_sound_is_kept_as_16_bit_samples_clipped_and_truncated(tmp_path: Path) -> None:
    writer = RecordingWriter()
    recorder = streaming_recorder(tmp_path, writer=writer)
    user = recorder.save_user_audio(0, np.array([0.5, -0.5, 2.0, -2.0, 0.99999], np.float32))
    recorder.start_turn({"audio": user})
    recorder.add_streaming_chunk("a", encoded(speech(0.5)))
    recorder.add_streaming_chunk("b", encoded(speech(0.25)))
    recorder.end_turn({})
    folder = written(recorder, writer)
    channels, rate, samples = read_wav(folder / user)
    assert (channels, rate) == (1, 16_000)
    assert samples.tolist() == [16383, -16383, 32767, -32768, 32766]
    channels, rate, samples = read_wav(folder / "ai_audio" / "turn_0.wav")
    assert (channels, rate, len(samples)) == (1, 24_000, 18_000)
    assert load(folder)["turns"][0]["output"]["audio_duration_ms"] == 750


def test_settings_that_are_known_later_are_in_both_files(tmp_path: Path) -> None:
    writer = RecordingWriter()
    recorder = streaming_recorder(tmp_path, writer=writer)
    recorder.update_config({"system_prompt": "Sing."})
    recorder.start_turn({})
    folder = written(recorder, writer)
    assert (
        load(folder)["config"] == load(folder, "meta.json")["config"] == {"system_prompt": "Sing."}
    )


def test_an_answer_is_cut_to_the_chunks_that_began_to_play(tmp_path: Path) -> None:
    writer = RecordingWriter()
    recorder = streaming_recorder(tmp_path, writer=writer)
    recorder.start_turn({"text": "Count."})
    for word in ("One", " two", " three"):
        recorder.add_streaming_chunk(word, encoded(speech(1.0)))
    recorder.end_turn({"tokens": 3})
    recorder.cut_turn("One two", 1500.0)
    folder = written(recorder, writer)
    output = load(folder)["turns"][0]["output"]
    assert (output["text"], output["audio_duration_ms"]) == ("One two", 2000)
    assert len(read_wav(folder / output["audio"])[2]) == 48_000


def test_an_answer_of_which_nothing_was_heard_has_no_sound(tmp_path: Path) -> None:
    writer = RecordingWriter()
    recorder = streaming_recorder(tmp_path, writer=writer)
    recorder.start_turn({})
    recorder.add_streaming_chunk("One", encoded(speech(1.0)))
    recorder.cut_turn("", 0.0)
    folder = written(recorder, writer)
    assert load(folder)["turns"][0]["output"] == {"text": ""}
    assert list((folder / "ai_audio").iterdir()) == []


def test_a_conversation_is_taken_up_where_it_was_left(tmp_path: Path) -> None:
    writer = RecordingWriter()
    recorder = streaming_recorder(tmp_path, writer=writer)
    recorder.save_user_image(recorder.next_image_index(), image_file(picture(8, 8)))
    recorder.start_turn({"text": "a", "images": ["user_images/img_0.jpg"]})
    recorder.end_turn({}, "A")
    written(recorder, writer)
    earlier = read_earlier_turns(recorder.folder)
    later = streaming_recorder(tmp_path, writer=writer, earlier=earlier)
    assert (later.turn_index, later.next_image_index()) == (0, 1)
    later.cut_turn("cut", 0.0)
    later.start_turn({"text": "b"})
    later.end_turn({}, "B")
    folder = written(later, writer)
    turns = load(folder)["turns"]
    assert [(t["turn_index"], t["output"]["text"]) for t in turns] == [(0, "cut"), (1, "B")]
    assert load(folder, "meta.json")["created_at"] == load(folder)["start_ts"]


@pytest.mark.parametrize(("played_ms", "heard_ms"), [(1500, [None, 500]), (400, [400, 0])])
def test_what_was_not_heard_of_a_call_is_marked(
    tmp_path: Path, played_ms: float, heard_ms: list[int | None]
) -> None:
    recorder, writer = record_call(tmp_path, "LSS", with_frames=False)
    recorder.record_cut(0)
    recorder.record_playback(0, played_ms)
    chunks = load(written(recorder, writer))["chunks"]
    assert [chunk["result"].get("heard_ms") for chunk in chunks[1:]] == heard_ms


def test_without_a_word_of_the_client_what_was_heard_is_estimated(tmp_path: Path) -> None:
    recorder, writer = record_call(tmp_path, "SS", with_frames=False)
    recorder.record_cut(0)
    chunks = load(written(recorder, writer))["chunks"]
    first, second = (chunk["result"]["heard_ms"] for chunk in chunks)
    assert 0 <= first < 900
    assert second == 0


def test_ids_say_what_they_are_and_cannot_be_guessed() -> None:
    assert re.fullmatch(r"chat_[0-9a-f]{32}", generate_session_id("chat"))
    assert re.fullmatch(r"hdx_7_[0-9a-f]{32}", half_duplex_id("hdx_7"))
    assert re.fullmatch(r"\d{8}_\d{6}_omni_7_[0-9a-f]{32}", duplex_id("omni_7"))
    assert len({generate_session_id("chat") for _ in range(100)}) == 100
    assert len(duplex_id("x" * 128)) <= 128


def test_an_id_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not the id"):
        TurnBasedSessionRecorder("../evil", "chat", 0, {}, tmp_path)


def test_media_in_base64_are_decoded_on_the_way(tmp_path: Path) -> None:
    writer = RecordingWriter()
    recorder = streaming_recorder(tmp_path, writer=writer)
    sound = recorder.save_user_audio(0, audio_data(0.5))
    recorder.save_user_audio(0, audio_data(0.25))
    video = recorder.save_user_video(0, base64.b64encode(b"MP4").decode())
    recorder.start_turn({"audio": sound, "videos": [video]})
    folder = written(recorder, writer)
    assert len(read_wav(folder / sound)[2]) == 12_000
    assert (folder / "user_videos" / "vid_0.mp4").read_bytes() == b"MP4"
    assert load_recording(folder) == load(folder)
