"""Voice activity detection with its real network, on real speech."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from core.errors import UnsupportedError
from core.processors.voices import load_voice_file
from core.vad import (
    WINDOW_SAMPLES,
    BatchVadOptions,
    SileroVADModel,
    StreamingVAD,
    StreamingVadOptions,
    VadOptions,
    collect_chunks,
    get_speech_timestamps,
    get_vad_model,
    run_vad,
)

RATE = 16000
VOICES = Path(__file__).parents[2] / "resources" / "ref_audio"
RECORDINGS = ["ref_en.wav", "ref_minicpm_signature.wav"]
WINDOW_S = WINDOW_SAMPLES / RATE
QUICK = StreamingVadOptions(min_silence_duration_ms=300)


def silence(seconds: float) -> np.ndarray:
    return np.zeros(round(seconds * RATE), np.float32)


def speech(name: str = RECORDINGS[0]) -> np.ndarray:
    return load_voice_file(VOICES / name)


def words() -> np.ndarray:
    """Somewhat more than a second of speech without a pause."""
    return speech()[: round(1.2 * RATE)]


def sentence(*seconds_of_silence: float) -> np.ndarray:
    """`words` before each of the silences, after half a second of silence."""
    parts = [part for gap in seconds_of_silence for part in (words(), silence(gap))]
    return np.concatenate([silence(0.5), *parts])


def loud_span_s(waveform: np.ndarray) -> tuple[float, float]:
    """From the first to the last window that can be heard."""
    windows = waveform[: len(waveform) // WINDOW_SAMPLES * WINDOW_SAMPLES]
    levels = np.sqrt((windows.reshape(-1, WINDOW_SAMPLES) ** 2).mean(axis=1))
    (loud,) = np.nonzero(levels > 0.01)
    return loud[0] * WINDOW_S, (loud[-1] + 1) * WINDOW_S


# -- whole recordings ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RECORDINGS)
def test_speech_in_silence_is_found_with_its_edges(name: str) -> None:
    padded = np.concatenate([silence(2), speech(name), silence(2)])
    spans = get_speech_timestamps(padded)
    first_s, last_s = loud_span_s(padded)
    assert spans[0]["start"] / RATE == pytest.approx(first_s, abs=0.2)
    assert spans[-1]["end"] / RATE == pytest.approx(last_s, abs=0.3)
    assert all(left["end"] <= right["start"] for left, right in pairwise(spans))


@pytest.mark.parametrize("level", [0.0, 0.001, 0.03, 0.5])
def test_silence_and_noise_are_no_speech(level: float) -> None:
    noise = np.random.default_rng(0).normal(0, level, 10 * RATE).astype(np.float32)
    assert get_speech_timestamps(noise, BatchVadOptions(threshold=0.8)) == []
    assert StreamingVAD().feed(noise) == []


def test_speech_is_collected_without_the_silence_around_it() -> None:
    padded = np.concatenate([silence(3), words(), silence(3), words(), silence(3)])
    spans = get_speech_timestamps(padded)
    assert len(spans) == 2
    kept = run_vad(padded)
    assert len(kept) == sum(span["end"] - span["start"] for span in spans)
    assert 1.5 < len(kept) / RATE < 3.5
    assert np.array_equal(kept, collect_chunks(padded, spans))


def test_padding_never_lets_two_utterances_overlap() -> None:
    spans = get_speech_timestamps(
        sentence(0.8, 0.8), BatchVadOptions(min_silence_duration_ms=300, speech_pad_ms=1000)
    )
    assert len(spans) == 2
    assert spans[0]["start"] == 0
    assert spans[0]["end"] == spans[1]["start"]
    assert spans[1]["end"] == len(sentence(0.8, 0.8))


def test_a_recording_that_ends_in_speech_keeps_its_last_word() -> None:
    cut = np.concatenate([silence(0.5), words()])
    assert get_speech_timestamps(cut)[-1]["end"] == len(cut)


@pytest.mark.parametrize("n_samples", [0, 1, WINDOW_SAMPLES - 1])
def test_next_to_nothing_holds_no_speech(n_samples: int) -> None:
    nothing = np.zeros(n_samples, np.float32)
    assert get_speech_timestamps(nothing) == []
    assert run_vad(nothing).size == 0
    assert StreamingVAD().feed(nothing) == []


# -- live sound ------------------------------------------------------------------------------------


@pytest.mark.parametrize("piece_samples", [160, 512, 8000, 1_000_000])
def test_the_size_of_the_pieces_changes_nothing(piece_samples: int) -> None:
    sound = sentence(1.5, 1.5)
    vad = StreamingVAD()
    pieces = [sound[i : i + piece_samples] for i in range(0, len(sound), piece_samples)]
    segments = [segment for piece in pieces for segment in vad.feed(piece)]
    whole = StreamingVAD().feed(sound)
    assert len(segments) == len(whole) == 2
    assert all(np.array_equal(*pair) for pair in zip(segments, whole, strict=True))


def test_all_utterances_of_one_piece_are_told_in_order() -> None:
    edges = StreamingVAD(QUICK).edges(sentence(0.6, 0.6, 0.6))
    assert [edge.is_speaking for edge in edges] == [True, False] * 3
    assert [edge.segment is not None for edge in edges] == [False, True] * 3


def test_an_utterance_ends_after_the_silence_asked_for_and_holds_it() -> None:
    for silence_ms in (300, 800):
        options = StreamingVadOptions(min_silence_duration_ms=silence_ms)
        sound = sentence(2)
        (segment,) = StreamingVAD(options).feed(sound)
        (span,) = get_speech_timestamps(sound, BatchVadOptions(threshold=0.8, speech_pad_ms=0))
        spoken_s = (span["end"] - span["start"]) / RATE
        assert len(segment) / RATE == pytest.approx(
            spoken_s + silence_ms / 1000 + 0.03, abs=2 * WINDOW_S
        )


def test_an_utterance_begins_with_the_padding_asked_for() -> None:
    sound = sentence(1.5)
    bare, padded = (
        StreamingVAD(StreamingVadOptions(speech_pad_ms=pad_ms)).feed(sound)[0]
        for pad_ms in (0, 200)
    )
    n_padding = len(padded) - len(bare)
    assert n_padding == 200 * RATE // 1000
    assert np.array_equal(padded[n_padding:], bare)
    position = next(i for i in range(len(sound)) if np.array_equal(sound[i : i + 64], bare[:64]))
    assert np.array_equal(padded[:n_padding], sound[position - n_padding : position])


def test_speech_at_the_very_beginning_has_only_the_padding_there_is() -> None:
    voiced = words()[2 * WINDOW_SAMPLES :]
    options = StreamingVadOptions(speech_pad_ms=1000)
    (segment,) = StreamingVAD(options).feed(np.concatenate([voiced, silence(1)]))
    assert np.array_equal(segment[: len(voiced)], voiced)


def test_an_utterance_that_is_too_short_is_dropped_but_its_edges_are_told() -> None:
    options = StreamingVadOptions(min_speech_duration_ms=5000)
    edges = StreamingVAD(options).edges(sentence(1.5))
    assert [edge.is_speaking for edge in edges] == [True, False]
    assert edges[1].segment is None


def test_an_utterance_without_an_end_is_cut_at_its_longest() -> None:
    options = StreamingVadOptions(max_speech_duration_s=1.0, speech_pad_ms=0)
    sound = np.concatenate([silence(0.5), speech(), silence(2)])
    segments = StreamingVAD(options).feed(sound)
    assert len(segments) > 3
    assert max(len(segment) for segment in segments) == WINDOW_SAMPLES * 32
    batch = get_speech_timestamps(sound, BatchVadOptions(max_speech_duration_s=1.0))
    assert len(batch) > 3


def test_what_is_being_said_can_be_ended_early() -> None:
    vad = StreamingVAD()
    sound = np.concatenate([silence(0.5), words()])
    assert vad.feed(sound) == []
    assert vad.is_speaking
    segment = vad.flush()
    assert segment is not None
    assert np.array_equal(segment, sound[-len(segment) :])
    assert not vad.is_speaking
    assert vad.flush() is None


def test_after_a_reset_nothing_is_left() -> None:
    sound = sentence(1.5)
    vad = StreamingVAD()
    vad.feed(sound[: round(1.2 * RATE)])
    assert vad.is_speaking
    vad.reset()
    assert not vad.is_speaking
    (after,), (fresh,) = vad.feed(sound), StreamingVAD().feed(sound)
    assert np.array_equal(after, fresh)


def test_two_sessions_on_one_network_do_not_hear_each_other() -> None:
    sound = sentence(1.5)
    one, other = StreamingVAD(), StreamingVAD()
    segments = []
    for start in range(0, len(sound), 8000):
        segments += one.feed(sound[start : start + 8000])
        assert other.feed(silence(0.5)) == []
    assert np.array_equal(segments[0], StreamingVAD().feed(sound)[0])


# -- the network -----------------------------------------------------------------------------------


def test_the_network_is_loaded_once_and_without_the_code_of_its_package() -> None:
    assert get_vad_model() is get_vad_model()
    code = (
        "import sys; from core.vad import get_vad_model; get_vad_model(); "
        "assert not {'silero_vad', 'torchaudio', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=VOICES.parents[1], check=True)


def test_without_the_package_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UnsupportedError, match="silero-vad"):
        SileroVADModel()


def test_the_documented_defaults() -> None:
    options = VadOptions()
    assert (options.threshold, options.min_speech_duration_ms) == (0.8, 128)
    assert (options.min_silence_duration_ms, options.speech_pad_ms) == (800, 30)
