"""A video file as the model sees it: one frame a second, with the sound of that second."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from math import ceil

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from PIL import Image

from core.errors import InvalidFieldError, TooLargeError
from core.processors.grid import tile_images
from core.processors.limits import RequestLimits
from core.processors.media import decode_base64
from core.processors.sound_track import read_sound_track
from core.schemas import MODEL_SAMPLE_RATE

MAX_FRAMES = 64  # a longer video is sampled evenly to so many frames
CANDIDATE_STEP_S = 0.1
SHORTEST_SEGMENT = 1600  # samples
MEGABYTE = 1 << 20


@dataclass(frozen=True)
class VideoSecond:
    """A main frame, the sound until the next one, and a picture of the frames in between."""

    frame: Image.Image
    audio: np.ndarray | None
    stacked: Image.Image | None


@dataclass(frozen=True)
class _Timeline:
    """Which frames of a video are wanted, by index, and when the main ones are shown."""

    main_times_s: list[float]
    main_indices: list[int]
    stacked_indices: dict[int, list[int]]  # second -> frames in between

    @property
    def wanted(self) -> set[int]:
        return set(self.main_indices).union(*self.stacked_indices.values())


def decode_video(
    text: str, field: str, stack_frames: int, limits: RequestLimits
) -> list[VideoSecond]:
    """Base64 of an MP4, WebM, Matroska or AVI file -> its seconds in order.

    Raises:
        TooLargeError: the file, its duration or its pictures are over a limit.
        InvalidFieldError: not base64, another format, or a damaged file.
    """
    megabytes = len(text) * 3 / 4 / MEGABYTE
    if megabytes > limits.video_mb + 1e-3:
        raise _too_large(field, f"a video of {megabytes:.1f} MiB", limits.video_mb)
    data = decode_base64(text, field)
    try:
        with av.open(BytesIO(data), format=_container_format(data)) as container:
            assert isinstance(container, InputContainer)
            return _read(container, field, stack_frames, limits)
    except (FFmpegError, ValueError, IndexError) as error:
        raise InvalidFieldError(
            f"{field} is not a readable video (MP4, WebM, Matroska or AVI)", field=field
        ) from error


def _container_format(data: bytes) -> str:
    """The demuxer to use. It is never guessed by FFmpeg: some formats name other files to open."""
    if data[4:8] == b"ftyp":
        return "mp4"
    if data[:4] == b"\x1aE\xdf\xa3":
        return "matroska"
    if data[:4] == b"RIFF" and data[8:11] == b"AVI":
        return "avi"
    raise ValueError("unknown container")


def _read(
    container: InputContainer, field: str, stack_frames: int, limits: RequestLimits
) -> list[VideoSecond]:
    stream = container.streams.video[0]
    frame_rate = float(stream.average_rate or 0)
    if frame_rate <= 0:
        raise ValueError("no frame rate")
    duration_s = (stream.frames or _count_frames(container)) / frame_rate
    if duration_s > limits.video_s:
        raise _too_large(field, f"a video of {duration_s:.1f} seconds", limits.video_s)
    timeline = _plan(duration_s, frame_rate, stack_frames)
    megapixels = len(timeline.wanted) * stream.width * stream.height / 1e6
    if megapixels > limits.all_images_megapixels:
        description = f"a video with {megapixels:.0f} megapixels in the frames used"
        raise _too_large(field, description, limits.all_images_megapixels)
    frames = _frames(container, timeline.wanted)
    audio = _audio(container, duration_s)
    return list(_seconds(timeline, frames, audio))


def _count_frames(container: InputContainer) -> int:
    """For containers that do not tell; packets are counted without decoding them."""
    n_frames = sum(1 for packet in container.demux(video=0) if packet.size)
    container.seek(0)
    return n_frames


def _plan(duration_s: float, frame_rate: float, stack_frames: int) -> _Timeline:
    n_seconds = ceil(duration_s)
    if duration_s <= MAX_FRAMES:
        times_s = [float(second) for second in range(n_seconds)]
    else:
        n_candidates = int(duration_s / CANDIDATE_STEP_S)
        kept = np.linspace(0, n_candidates - 1, MAX_FRAMES).astype(int)
        times_s = [round(CANDIDATE_STEP_S * int(index), 1) for index in kept]
    between = {
        second: [
            int(time_s * frame_rate)
            for step in range(1, stack_frames)
            if (time_s := second + step / stack_frames) < duration_s
        ]
        for second in {int(time_s) for time_s in times_s}
    }
    return _Timeline(times_s, [int(time_s * frame_rate) for time_s in times_s], between)


def _frames(container: InputContainer, wanted: set[int]) -> dict[int, Image.Image]:
    """The wanted frames by index; past the end of the video the last frame stands in."""
    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    frames: dict[int, Image.Image] = {}
    last = None
    for index, frame in enumerate(container.decode(stream)):
        last = frame
        if index in wanted:
            frames[index] = frame.to_image()
        if index >= max(wanted):
            break
    if last is None:
        raise ValueError("no frames")
    for index in wanted - frames.keys():
        frames[index] = last.to_image()
    return frames


def _audio(container: InputContainer, duration_s: float) -> np.ndarray | None:
    """The whole sound track as float32 [n_samples], 16 kHz mono; None when there is none."""
    if not container.streams.audio:
        return None
    container.seek(0)
    return read_sound_track(container)[: int(duration_s * MODEL_SAMPLE_RATE)]


def _seconds(
    timeline: _Timeline, frames: dict[int, Image.Image], audio: np.ndarray | None
) -> Iterator[VideoSecond]:
    starts = [int(time_s * MODEL_SAMPLE_RATE) for time_s in timeline.main_times_s]
    ends: list[int | None] = [*starts[1:], None]
    shown: set[int] = set()
    for time_s, index, start, end in zip(
        timeline.main_times_s, timeline.main_indices, starts, ends, strict=True
    ):
        segment = None if audio is None else audio[start:end]
        if segment is not None and len(segment) < SHORTEST_SEGMENT:
            segment = np.pad(segment, (0, SHORTEST_SEGMENT - len(segment)))
        second = int(time_s)
        extra = [] if second in shown else timeline.stacked_indices[second]
        shown.add(second)
        stacked = tile_images([frames[index] for index in extra]) if extra else None
        yield VideoSecond(frames[index], segment, stacked)


def _too_large(field: str, description: str, limit: float) -> TooLargeError:
    return TooLargeError(
        f"{field} is {description}, the limit is {limit:g}", field=field, limit=limit
    )
