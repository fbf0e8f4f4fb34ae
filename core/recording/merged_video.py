"""What the user showed, both voices and the captions, in one video file."""

from __future__ import annotations

import struct
import wave
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import chain
from math import inf
from pathlib import Path

import av
import numpy as np
from av.container import OutputContainer
from PIL import Image, ImageOps, UnidentifiedImageError

from core.recording.captions import Caption
from core.recording.timeline import Unit
from core.schemas import MODEL_SAMPLE_RATE

MILLISECOND = Fraction(1, 1000)
SHORTEST_FRAME_MS = 40
FRAME_RATE = 25
LARGEST_SIDE = 1280
AUDIO_BLOCK = MODEL_SAMPLE_RATE  # samples read at once
ENCODING = {"preset": "veryfast", "crf": "26", "bf": "0"}
SOUND_ENCODING = {"aac_coder": "fast"}
STYLE = b"""[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, Alignment
Style: Default,Sans,16,&Hffffff,2
"""


def write_merged_video(
    units: Sequence[Unit], captions: Sequence[Caption], sound: Path, path: Path
) -> None:
    """H.264, AAC and a caption track; no file when none of the pictures can be read.

    Args:
        sound: the merged sound of the same units.
    """
    pictures = _pictures(units)
    first = next(pictures, None)
    if first is None:
        return
    size = _even_size(first[1])
    end_ms = units[-1].end * 1000 // MODEL_SAMPLE_RATE
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        video = container.add_stream("libx264", rate=FRAME_RATE, options=ENCODING)
        video.width, video.height, video.pix_fmt = *size, "yuv420p"
        video.codec_context.time_base = MILLISECOND
        audio = container.add_stream(
            "aac", rate=MODEL_SAMPLE_RATE, layout="stereo", options=SOUND_ENCODING
        )
        text = _CaptionTrack(container, captions)
        frames = _video_frames(chain([first], pictures), size, end_ms)
        time_ms, frame = next(frames)
        for until_ms, block in _audio_frames(sound):
            while time_ms < until_ms:
                container.mux(video.encode(frame))
                time_ms, frame = next(frames, (inf, None))
            container.mux(audio.encode(block))
            text.write_until(until_ms)
        container.mux(video.encode())
        container.mux(audio.encode())


class _CaptionTrack:
    """Captions go in beside the sound they go with."""

    def __init__(self, container: OutputContainer, captions: Sequence[Caption]) -> None:
        self._container = container
        self._stream = container.add_stream("mov_text")
        self._stream.codec_context.subtitle_header = STYLE
        self._stream.time_base = MILLISECOND
        self._waiting = deque(captions)

    def write_until(self, time_ms: float) -> None:
        while self._waiting and self._waiting[0].start_s * 1000 < time_ms:
            caption = self._waiting.popleft()
            text = caption.text.encode()
            packet = av.Packet(struct.pack(">H", len(text)) + text)
            packet.stream, packet.time_base = self._stream, MILLISECOND
            packet.pts = packet.dts = round(caption.start_s * 1000)
            packet.duration = round((caption.end_s - caption.start_s) * 1000)
            self._container.mux(packet)


def _pictures(units: Sequence[Unit]) -> Iterator[tuple[int, Image.Image]]:
    """Every picture that can be read, with its time in ms; no two at the same time."""
    earliest_ms = 0
    for unit in units:
        for start, path in unit.frames:
            try:
                with Image.open(path) as image:
                    picture = ImageOps.exif_transpose(image).convert("RGB")
            except (OSError, UnidentifiedImageError):
                continue
            time_ms = max(earliest_ms, start * 1000 // MODEL_SAMPLE_RATE)
            earliest_ms = time_ms + SHORTEST_FRAME_MS
            yield time_ms, picture


def _even_size(picture: Image.Image) -> tuple[int, int]:
    scale = min(1.0, LARGEST_SIDE / max(picture.size))
    width, height = (max(2, round(side * scale) // 2 * 2) for side in picture.size)
    return width, height


def _video_frames(
    pictures: Iterable[tuple[int, Image.Image]], size: tuple[int, int], end_ms: int
) -> Iterator[tuple[float, av.VideoFrame]]:
    """Each picture once, and the last one again, so that it is shown up to the end; in ms."""
    time_ms, picture = 0, None
    for time_ms, picture in pictures:
        yield time_ms, _video_frame(picture, size, time_ms)
    if picture is not None and time_ms + SHORTEST_FRAME_MS < end_ms:
        time_ms = end_ms - SHORTEST_FRAME_MS
        yield time_ms, _video_frame(picture, size, time_ms)


def _video_frame(picture: Image.Image, size: tuple[int, int], time_ms: int) -> av.VideoFrame:
    fitted = picture if picture.size == size else ImageOps.pad(picture, size)
    frame = av.VideoFrame.from_image(fitted)
    frame.pts, frame.time_base = time_ms, MILLISECOND
    return frame


def _audio_frames(sound: Path) -> Iterator[tuple[float, av.AudioFrame]]:
    """The sound in blocks, with the end of each in ms."""
    with wave.open(str(sound)) as reader:
        while data := reader.readframes(AUDIO_BLOCK):
            samples = np.frombuffer(data, "<i2")[None]
            frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="stereo")
            frame.sample_rate = MODEL_SAMPLE_RATE
            frame.pts = reader.tell() - frame.samples
            yield reader.tell() / MODEL_SAMPLE_RATE * 1000, frame
