"""The mel front end of live audio."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from MiniCPMO45.errors import MediaError
from MiniCPMO45.mel import log_mel, log_power
from MiniCPMO45.mel_buffer import MelBuffer
from MiniCPMO45.streaming_mel import StreamingMel, StreamingMelSettings
from tests.unit.test_mel import noise, two_tones

LIVE = StreamingMelSettings(redundancy_ms=20)
SECOND = 16_000
FIRST = 16_480


def stream(samples: np.ndarray, settings: StreamingMelSettings = LIVE) -> list[Tensor]:
    """All pieces of ``samples``, each push just as long as the stream asks."""
    mel, pieces, start = StreamingMel(settings), [], 0
    while start + mel.needed_samples <= len(samples):
        end = start + mel.needed_samples
        pieces.append(mel.push(samples[start:end])[0])
        start = end
    return pieces


class CountedWrites(TorchDispatchMode):
    """Adds up the bytes of all tensors that operations make."""

    n_bytes = 0

    def __torch_dispatch__(self, operation, types, arguments=(), options=None):
        result = operation(*arguments, **(options or {}))
        if isinstance(result, Tensor) and not operation.is_view:
            self.n_bytes += result.nbytes
        return result


def test_first_piece_needs_whole_hops() -> None:
    mel = StreamingMel(LIVE)
    assert LIVE.padded_first_samples == 16_560
    assert mel.needed_samples == FIRST
    mel.push(noise(FIRST))
    assert mel.needed_samples == SECOND


def test_pieces_have_the_documented_values() -> None:
    first, second = stream(two_tones(FIRST + SECOND))
    assert first.shape == (80, 102) and second.shape == (80, 104)
    assert first.mean().item() == pytest.approx(-0.93690, abs=1e-3)
    assert first.max().item() == pytest.approx(1.43820, abs=2e-5)
    assert first[0, 0].item() == pytest.approx(0.99778, abs=2e-5)
    assert first[10, 50].item() == pytest.approx(1.34874, abs=2e-5)
    assert first[40, 50].item() == pytest.approx(-0.93326, abs=1e-3)
    assert first[79, 101].item() == pytest.approx(-1.5, abs=1e-3)
    assert second.mean().item() == pytest.approx(-0.96217, abs=1e-3)
    assert second[12, 0].item() == pytest.approx(1.29352, abs=2e-5)


def test_forty_seconds_follow_the_documented_numbers() -> None:
    mel = StreamingMel(LIVE)
    samples = noise(FIRST + 39 * SECOND)
    records = []
    for index in range(40):
        start = FIRST + (index - 1) * SECOND if index else 0
        mel.push(samples[start : FIRST + index * SECOND])
        records.append(mel.record)
    seen = {
        index: (r.buffer_samples, r.total_frames, r.stable_frames, r.base_frame, r.emitted_frames)
        for index in (0, 1, 4, 28, 29, 39)
        if (r := records[index]) is not None
    }
    assert seen == {
        0: (16_480, 103, 102, 0, 102),
        1: (32_480, 203, 202, 0, 104),
        4: (80_480, 503, 502, 0, 104),
        28: (464_480, 2903, 2902, 0, 104),
        29: (320_480, 2003, 2002, 1000, 104),
        39: (320_480, 2003, 2002, 2000, 104),
    }


def test_without_redundancy_every_piece_has_the_new_frames_alone() -> None:
    mel = StreamingMel()
    pieces = [mel.push(noise(n)) for n in (16_560, SECOND, SECOND)]
    assert [piece.shape for piece in pieces] == [(1, 80, 100)] * 3


def test_neighbouring_pieces_overlap_by_the_redundancy_on_either_side() -> None:
    first, second = stream(noise(FIRST + SECOND))
    assert torch.allclose(first[:, 98:], second[:, :4], atol=1e-5)


def test_floor_is_fixed_below_five_seconds_and_follows_the_buffer_from_then_on() -> None:
    samples = np.concatenate([two_tones(FIRST), np.zeros(5 * SECOND, np.float32)])
    pieces = stream(samples)
    assert [piece.min().item() for piece in pieces[1:4]] == [-1.5] * 3
    # from the fifth push the loud first second holds the floor up
    loudest = pieces[0].max().item()
    assert pieces[4].min().item() == pytest.approx(loudest - 2.0, abs=1e-4)


def test_a_backlog_drains_one_piece_a_push() -> None:
    mel = StreamingMel(LIVE)
    samples = noise(FIRST + 2 * SECOND)
    pieces = [mel.push(samples), mel.push(noise(160)), mel.push(noise(160)), mel.push(noise(160))]
    assert [piece.shape[2] for piece in pieces] == [102, 104, 104, 0]
    reference = stream(samples)
    assert torch.allclose(pieces[1][0], reference[1], atol=1e-5)


def test_an_incomplete_piece_comes_out_later() -> None:
    mel = StreamingMel(LIVE)
    samples = noise(FIRST)
    assert mel.push(samples[:8000]).shape == (1, 80, 0)
    assert torch.allclose(mel.push(samples[8000:])[0], stream(samples)[0], atol=1e-5)


def test_the_last_piece_comes_out_short() -> None:
    mel = StreamingMel()
    mel.push(noise(16_560))
    assert mel.push(noise(7_600), last=True).shape == (1, 80, 51)


def test_a_last_piece_past_the_end_is_empty() -> None:
    mel = StreamingMel()
    mel.push(noise(16_560), last=True)
    mel.push(noise(160), last=True)
    assert mel.push(noise(160), last=True).shape == (1, 80, 0)


def test_output_goes_on_beyond_thirty_seconds_without_sliding() -> None:
    settings = StreamingMelSettings(redundancy_ms=20, slide_trigger_s=1e9)
    assert len(stream(noise(FIRST + 34 * SECOND), settings)) == 35


def test_every_piece_equals_recomputing_the_whole_buffer() -> None:
    samples = noise(FIRST + 31 * SECOND) * np.linspace(1, 0.01, FIRST + 31 * SECOND, dtype="f4")
    pieces = stream(samples)
    for index, base in [(3, 0), (20, 0), (28, 0), (30, 1000)]:
        buffer = samples[base * 160 : FIRST + index * SECOND]
        whole = log_mel(
            buffer, floor="dynamic" if len(buffer) >= 80_000 else "fixed", pad_to_30s=False
        )
        first = 100 * index - 2 - base
        assert torch.allclose(pieces[index], whole[:, first : first + 104], atol=2e-5)


@pytest.mark.parametrize("sizes", [(300, 100, 1279, 1), (1280, 39, 1), (5000, 161, 399, 16_000)])
def test_buffer_equals_one_pass_however_it_was_filled(sizes: tuple[int, ...]) -> None:
    samples = torch.from_numpy(noise(sum(sizes)))
    buffer = MelBuffer()
    for part in samples.split(list(sizes)):
        buffer = buffer.append(part)
        if buffer.n_samples > 200:
            expected = log_power(samples[: buffer.n_samples])[:, : buffer.n_frames]
            found = buffer.log_power(0, buffer.n_frames)
            assert torch.allclose(found, expected, atol=1e-4)
            assert torch.allclose(buffer.loudest, expected.max(), atol=1e-4)


def test_a_buffer_reflects_at_its_new_beginning_after_dropping() -> None:
    samples = torch.from_numpy(noise(40_000))
    dropped = MelBuffer().append(samples[:30_000]).drop(50).append(samples[30_000:])
    expected = log_power(samples[8000:])[:, : dropped.n_frames]
    assert torch.allclose(dropped.log_power(0, dropped.n_frames), expected, atol=1e-4)
    assert torch.allclose(dropped.loudest, expected.max(), atol=1e-4)


def test_a_second_costs_the_same_however_many_came_before() -> None:
    samples, mel = noise(FIRST + 59 * SECOND), StreamingMel(LIVE)
    mel.push(samples[:FIRST])
    written = []
    for start in range(FIRST, len(samples), SECOND):
        with CountedWrites() as counted:
            mel.push(samples[start : start + SECOND])
        written.append(counted.n_bytes)
    after_five_seconds = written[5:]  # from when on the floor follows the loudest value
    assert max(after_five_seconds) < 1.1 * min(after_five_seconds)


def test_a_restored_snapshot_goes_on_as_if_nothing_had_happened() -> None:
    samples = noise(FIRST + 6 * SECOND)
    mel, other = StreamingMel(LIVE), StreamingMel(LIVE)
    mel.push(samples[:FIRST])
    mel.push(samples[FIRST : FIRST + SECOND])
    snapshot = mel.snapshot()
    expected = [mel.push(samples[FIRST + i * SECOND :][:SECOND]) for i in range(1, 6)]
    for restored in (mel, other):
        restored.restore(snapshot)
        assert restored.needed_samples == SECOND
        again = [restored.push(samples[FIRST + i * SECOND :][:SECOND]) for i in range(1, 6)]
        assert all(torch.equal(a, b) for a, b in zip(again, expected, strict=True))


def test_too_little_audio_is_refused_and_leaves_the_stream_as_it_was() -> None:
    mel = StreamingMel(LIVE)
    with pytest.raises(MediaError, match="at least 400 samples"):
        mel.push(noise(399))
    assert mel.push(noise(FIRST)).shape == (1, 80, 102)


@pytest.mark.parametrize("bad", [np.zeros(0, "f4"), np.full(500, np.nan, "f4")])
def test_unusable_audio_leaves_the_stream_as_it_was(bad: np.ndarray) -> None:
    mel = StreamingMel(LIVE)
    mel.push(noise(FIRST))
    with pytest.raises(MediaError):
        mel.push(bad)
    assert mel.push(noise(SECOND)).shape == (1, 80, 104)


def test_a_caller_may_reuse_its_array() -> None:
    samples = noise(FIRST)
    mel, expected = StreamingMel(LIVE), stream(np.concatenate([samples, samples[:SECOND]]))
    mel.push(samples)
    after = samples[:SECOND].copy()
    samples[:] = 0
    assert torch.equal(mel.push(after)[0], expected[1])
