"""The merged replay of a call."""

from __future__ import annotations

import json
import os
import stat
import time
import wave
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from core.recording import DuplexSessionRecorder, RecordingWriter, replay_queue
from core.recording.left_over import left_over, reserved
from core.recording.replay import main, merge
from core.recording.replay_queue import ReplayQueue
from tests.unit.recorded_sessions import record_call, result, speech, written
from tests.wire_media import tone


def stereo(path: Path) -> np.ndarray:
    """int16 [n_samples, 2], 16 kHz."""
    with wave.open(str(path)) as reader:
        assert (reader.getnchannels(), reader.getframerate()) == (2, 16_000)
        return np.frombuffer(reader.readframes(reader.getnframes()), "<i2").reshape(-1, 2)


def test_the_sound_has_the_user_on_the_left_and_the_model_on_the_right(tmp_path: Path) -> None:
    recorder, writer = record_call(tmp_path, "LSEL", with_frames=False)
    folder = written(recorder, writer)
    assert merge(folder) == ["merged_replay.wav", "captions.vtt"]
    sound = stereo(folder / "merged_replay.wav")
    assert len(sound) == 4 * 16_000
    assert np.abs(sound[:16_000, 0]).max() > 8000
    speaks = [bool(np.abs(second[:, 1]).max()) for second in sound.reshape(4, 16_000, 2)]
    assert speaks == [False, True, True, False]
    assert set(sound[16_000:48_000, 1]) == {16383}
    recording = json.loads((folder / "recording.json").read_text())
    assert recording["merged_replay"] == "merged_replay.wav"
    assert "merged_replay_video" not in recording


def test_a_longer_answer_makes_room_for_itself(tmp_path: Path) -> None:
    recorder, writer = record_call(tmp_path, "LSL", speech_s=1.5, with_frames=False)
    folder = written(recorder, writer)
    merge(folder)
    sound = stereo(folder / "merged_replay.wav")
    assert len(sound) == 3.5 * 16_000
    assert np.flatnonzero(sound[:, 1])[[0, -1]].tolist() == [16_000, 39_999]


def test_small_chunks_are_one_second_together(tmp_path: Path) -> None:
    writer = RecordingWriter()
    recorder = DuplexSessionRecorder("call_1", "audio_duplex", 0, {}, tmp_path, writer=writer)
    for index in range(10):
        sound = recorder.save_user_audio(index, tone(0.1))
        skipped = {} if index == 9 else {"skipped": True, "reason": "buffering"}
        recorder.record_chunk(index, 100.0 * index, result(**skipped), None, sound)
    folder = written(recorder, writer)
    merge(folder)
    assert len(stereo(folder / "merged_replay.wav")) == 16_000


def test_the_video_shows_each_picture_in_its_time_with_captions(tmp_path: Path) -> None:
    recorder, writer = record_call(tmp_path, "LSEL")
    folder = written(recorder, writer)
    assert merge(folder)[-1] == "merged_replay.mp4"
    with av.open(str(folder / "merged_replay.mp4")) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert (video.codec_context.name, video.format.name) == ("h264", "yuv420p")
        assert (audio.codec_context.name, audio.channels) == ("aac", 2)
        assert container.streams.subtitles[0].codec_context.name == "mov_text"
        assert (container.duration or 0) / av.time_base == pytest.approx(4.0, abs=0.1)
        times = [frame.time for frame in container.decode(video)]
    assert times[:4] == pytest.approx([0, 1, 2, 3], abs=0.01)
    with av.open(str(folder / "merged_replay.mp4")) as container:
        packets = [bytes(p)[2:] for p in container.demux(container.streams.subtitles[0])]
    assert [p.decode() for p in packets if p] == ["word1", "word1 word2"]
    assert json.loads((folder / "recording.json").read_text())["merged_replay_video"]


def test_captions_grow_within_a_turn_and_stay_a_little(tmp_path: Path) -> None:
    recorder, writer = record_call(tmp_path, "SELLS", with_frames=False)
    folder = written(recorder, writer)
    merge(folder)
    assert (folder / "captions.vtt").read_text().split("\n\n") == [
        "WEBVTT",
        "00:00:00.000 --> 00:00:01.000\nword0",
        "00:00:01.000 --> 00:00:03.500\nword0 word1",
        "00:00:04.000 --> 00:00:05.000\nword4\n",
    ]


def test_speech_that_was_cut_off_ends_where_it_was_heard_last(tmp_path: Path) -> None:
    recorder, writer = record_call(tmp_path, "SS", with_frames=False)
    recorder.record_cut(0)
    recorder.record_playback(0, 500)
    folder = written(recorder, writer)
    merge(folder)
    sound = stereo(folder / "merged_replay.wav")
    assert np.flatnonzero(sound[:, 1])[-1] == 7_999
    assert "word0 —" in (folder / "captions.vtt").read_text()
    assert "word1" not in (folder / "captions.vtt").read_text()


def test_media_that_are_missing_are_left_out(tmp_path: Path) -> None:
    recorder, writer = record_call(tmp_path, "LS")
    folder = written(recorder, writer)
    (folder / "user_audio" / "000.wav").unlink()
    (folder / "user_frames" / "000.jpg").write_bytes(b"no picture")
    assert merge(folder)[-1] == "merged_replay.mp4"
    assert len(stereo(folder / "merged_replay.wav")) == 2 * 16_000


def test_a_failure_is_noted_and_leaves_the_recording_alone(tmp_path: Path) -> None:
    recorder, writer = record_call(tmp_path, "LS")
    folder = written(recorder, writer)
    (folder / "user_audio" / "000.wav").write_bytes(b"RIFF no sound")
    assert main([str(folder)]) == 1
    assert json.loads((folder / "meta.json").read_text())["replay_error"]
    assert json.loads((folder / "recording.json").read_text())["chunks"]
    assert not list(folder.glob(".*"))


def wait_for(path: Path) -> None:
    deadline_s = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < deadline_s, f"{path.name} never came"
        time.sleep(0.05)


def test_the_queue_makes_replays_in_another_process(tmp_path: Path) -> None:
    recorder, writer = record_call(tmp_path, "LS", with_frames=False)
    folder = written(recorder, writer)
    replays = ReplayQueue(timeout_s=30)
    replays.put(folder)
    wait_for(folder / "captions.vtt")
    replays.close()


def test_a_replay_that_takes_too_long_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder, writer = record_call(tmp_path, "LS", with_frames=False)
    folder = written(recorder, writer)
    slow = tmp_path / "slow_python"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(slow.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(replay_queue.sys, "executable", os.fspath(slow))
    replays = ReplayQueue(timeout_s=0.2)
    replays.put(folder)
    deadline_s = time.monotonic() + 60
    while "replay_error" not in (folder / "meta.json").read_text():
        assert time.monotonic() < deadline_s
        time.sleep(0.02)
    replays.close()


def test_a_replay_that_cannot_be_started_does_not_end_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    start, refused = replay_queue._start, []

    def start_later(folder: Path) -> Any:
        if not refused:
            refused.append(folder)
            raise OSError("no process can be started")
        return start(folder)

    monkeypatch.setattr(replay_queue, "_start", start_later)
    folders = [
        written(*record_call(tmp_path / name, "LS", with_frames=False)) for name in ("a", "b")
    ]
    replays = ReplayQueue(timeout_s=30)
    for folder in folders:
        replays.put(folder)
    wait_for(folders[1] / "captions.vtt")
    replays.close()
    assert "event=replay_not_made" in caplog.text


def end(recorder: DuplexSessionRecorder, *, broken_off: bool) -> Path:
    """A call whose worker stopped before its replay was made."""
    recorder._writer.flush(10)
    if not broken_off:
        recorder.finalize()
    elif recorder._journal is not None:
        recorder._journal.close()
    recorder._writer.flush(10)
    return recorder.folder


@pytest.mark.parametrize("broken_off", [False, True])
def test_a_replay_that_was_left_over_is_made_after_the_next_start(
    tmp_path: Path, broken_off: bool
) -> None:
    folder = end(record_call(tmp_path, "LS")[0], broken_off=broken_off)
    writer = RecordingWriter()
    open_call = DuplexSessionRecorder("call_2", "audio_duplex", 0, {}, tmp_path, writer=writer)
    writer.flush(10)
    assert list(left_over(tmp_path)) == [folder]
    replays = ReplayQueue(timeout_s=30)
    replays.catch_up(tmp_path)
    wait_for(folder / "merged_replay.mp4")
    replays.close()
    assert list(left_over(tmp_path)) == []
    assert (folder / "recording.json").exists()
    open_call.discard()


def test_a_replay_that_cannot_be_made_is_tried_once(tmp_path: Path) -> None:
    folder = end(record_call(tmp_path, "", with_frames=False)[0], broken_off=True)
    assert list(left_over(tmp_path)) == [folder]
    assert main([str(folder)]) == 0
    assert list(left_over(tmp_path)) == []


def test_two_workers_do_not_make_the_same_replay(tmp_path: Path) -> None:
    folder = end(record_call(tmp_path, "LS", with_frames=False)[0], broken_off=False)
    with reserved(folder) as is_ours:
        assert is_ours
        assert main([str(folder)]) == 0
    assert list(left_over(tmp_path)) == [folder]


def test_pictures_of_an_audio_call_make_no_video(tmp_path: Path) -> None:
    recorder, writer = record_call(tmp_path, "S", app_type="audio_duplex")
    assert "merged_replay.mp4" not in merge(written(recorder, writer))


def test_a_call_with_too_few_samples_for_a_decision_still_has_its_sound(tmp_path: Path) -> None:
    writer = RecordingWriter()
    recorder = DuplexSessionRecorder("call_1", "audio_duplex", 0, {}, tmp_path, writer=writer)
    sound = recorder.save_user_audio(0, tone(0.5))
    skipped = result(skipped=True, reason="buffering")
    recorder.record_chunk(0, 0.0, skipped, None, sound)
    recorder.save_ai_audio(0, 0, speech(0.1))
    folder = written(recorder, writer)
    merge(folder)
    assert len(stereo(folder / "merged_replay.wav")) == 16_000
