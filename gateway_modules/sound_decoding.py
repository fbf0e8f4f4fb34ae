"""A sound file of any common format as 16 kHz mono 16-bit PCM, the way voices are kept."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from core.schemas import MODEL_SAMPLE_RATE

if TYPE_CHECKING:
    from av import AudioFrame

BYTES_PER_SAMPLE = 2
FORMATS = "WAV, MP3, FLAC, Ogg, WebM, M4A, AAC or AIFF"


class SoundError(Exception):
    """The data holds no sound that can be used; the text says why."""


@dataclass(frozen=True)
class Pcm16:
    """Little-endian 16-bit samples, 16 kHz, mono.

    Args:
        is_cropped: the recording went on after these samples.
    """

    data: bytes
    is_cropped: bool = False

    @property
    def n_samples(self) -> int:
        return len(self.data) // BYTES_PER_SAMPLE

    @property
    def duration_s(self) -> float:
        return self.n_samples / MODEL_SAMPLE_RATE


def decode_sound(data: bytes, max_s: float) -> Pcm16:
    """The beginning of a sound file, at most `max_s` seconds of it. Blocks; use a thread.

    Raises:
        SoundError: another format, a damaged file, or no sound in it.
    """
    import av  # 20 MB of libraries, which a gateway that decodes nothing does without
    from av.container import InputContainer
    from av.error import FFmpegError

    n_bytes_max = int(max_s * MODEL_SAMPLE_RATE) * BYTES_PER_SAMPLE
    pcm = bytearray()
    try:
        demuxer = _container_format(data)
        with av.open(BytesIO(data), format=demuxer, metadata_errors="ignore") as container:
            assert isinstance(container, InputContainer)
            resampler = av.AudioResampler(format="s16", layout="mono", rate=MODEL_SAMPLE_RATE)
            for frame in container.decode(container.streams.audio[0]):
                for resampled in resampler.resample(frame):
                    pcm += _samples(resampled)
                if len(pcm) > n_bytes_max:
                    return Pcm16(bytes(pcm[:n_bytes_max]), is_cropped=True)
            for resampled in resampler.resample(None):
                pcm += _samples(resampled)
    except (FFmpegError, ValueError, IndexError) as error:
        raise SoundError(f"not a readable sound file ({FORMATS})") from error
    return Pcm16(bytes(pcm[:n_bytes_max]), is_cropped=len(pcm) > n_bytes_max)


def _samples(frame: AudioFrame) -> memoryview:
    """The samples of a mono frame, without the padding after them."""
    return memoryview(frame.planes[0])[: frame.samples * BYTES_PER_SAMPLE]


def _container_format(data: bytes) -> str:
    """The demuxer to use. It is never guessed by FFmpeg: some formats name other files to open."""
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return "wav"
    if data[4:8] == b"ftyp":
        return "mp4"
    if data[:4] == b"FORM" and data[8:11] == b"AIF":
        return "aiff"
    beginnings = {b"fLaC": "flac", b"OggS": "ogg", b"\x1aE\xdf\xa3": "matroska", b"ID3": "mp3"}
    for beginning, name in beginnings.items():
        if data.startswith(beginning):
            return name
    if data[:1] == b"\xff" and len(data) > 1 and data[1] & 0xE0 == 0xE0:  # an MPEG audio frame
        is_adts = data[1] & 0x06 == 0
        return "aac" if is_adts else "mp3"
    raise ValueError("unknown container")
