"""Sound files of many formats, made for tests."""

from __future__ import annotations

from io import BytesIO

import av
import numpy as np

from tests.wire_media import tone

CODECS = {  # container -> codec, rate
    "wav": ("pcm_s16le", 44100),
    "mp3": ("mp3", 44100),
    "flac": ("flac", 48000),
    "ogg": ("libopus", 48000),
    "webm": ("libopus", 48000),
    "mp4": ("aac", 44100),
    "adts": ("aac", 44100),
    "aiff": ("pcm_s16be", 22050),
}


def sound_file(seconds: float, container: str = "wav", waveform: np.ndarray | None = None) -> bytes:
    """A stereo file, by default of a tone; `waveform` is float32 at 16 kHz."""
    codec, rate = CODECS[container]
    mono = tone(seconds) if waveform is None else waveform
    both = np.stack([mono, mono])  # [n] -> [2, n]
    frame = av.AudioFrame.from_ndarray(both, format="fltp", layout="stereo")
    frame.sample_rate = 16000
    file = BytesIO()
    with av.open(file, "w", format=container) as output:
        stream = output.add_stream(codec, rate=rate, layout="stereo")
        resampler = av.AudioResampler(format=stream.format, layout="stereo", rate=rate)
        for resampled in [*resampler.resample(frame), *resampler.resample(None)]:
            output.mux(stream.encode(resampled))
        output.mux(stream.encode())
    return file.getvalue()


def silence(seconds: float) -> bytes:
    return sound_file(seconds, waveform=np.zeros(int(seconds * 16000), np.float32))
