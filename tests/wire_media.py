"""Small sounds, pictures and videos in the form clients send them."""

from __future__ import annotations

import base64
from io import BytesIO

import av
import numpy as np
from PIL import Image

SAMPLE_RATE = 16000


def encode(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def tone(seconds: float, frequency: float = 440.0) -> np.ndarray:
    """float32 [n_samples], 16 kHz."""
    time_s = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return (0.3 * np.sin(2 * np.pi * frequency * time_s)).astype(np.float32)


def audio_data(seconds: float) -> str:
    return encode(tone(seconds).astype("<f4").tobytes())


def picture(width: int, height: int) -> Image.Image:
    """Red grows to the right, green downwards."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[..., 0] = np.linspace(0, 255, width, dtype=np.uint8)
    pixels[..., 1] = np.linspace(0, 255, height, dtype=np.uint8)[:, None]
    return Image.fromarray(pixels)


def image_file(image: Image.Image, image_format: str = "PNG", **options: object) -> bytes:
    file = BytesIO()
    image.save(file, image_format, **options)
    return file.getvalue()


def image_data(width: int = 64, height: int = 48, image_format: str = "PNG") -> str:
    return encode(image_file(picture(width, height), image_format))


def video_file(
    seconds: float,
    frame_rate: int = 10,
    *,
    sound_s: float | None = None,
    container_format: str = "mp4",
) -> bytes:
    """Frames of one grey each, brighter by 20 every second; a tone as sound, by default as long."""
    waveform = tone(seconds if sound_s is None else sound_s)
    file = BytesIO()
    with av.open(file, "w", format=container_format) as container:
        pictures = container.add_stream("mpeg4", rate=frame_rate)
        pictures.width, pictures.height, pictures.pix_fmt = 64, 48, "yuv420p"
        sound = (
            container.add_stream("aac", rate=SAMPLE_RATE, layout="mono") if len(waveform) else None
        )
        for index in range(round(seconds * frame_rate)):
            grey = np.full((48, 64, 3), 20 + 20 * (index // frame_rate), np.uint8)
            container.mux(pictures.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")))
        container.mux(pictures.encode())
        if sound is not None:
            samples = av.AudioFrame.from_ndarray(waveform[None], format="fltp", layout="mono")
            samples.sample_rate = SAMPLE_RATE
            container.mux(sound.encode(samples))
            container.mux(sound.encode())
    return file.getvalue()
