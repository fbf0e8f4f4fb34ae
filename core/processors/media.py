"""Base64 from the wire into waveforms and images, checked before anything large is allocated."""

from __future__ import annotations

import base64
import binascii
from io import BytesIO

import numpy as np
from PIL import Image, ImageOps

from core.errors import InvalidFieldError, TooLargeError
from core.schemas import MODEL_SAMPLE_RATE

IMAGE_FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP")
SAMPLE_BYTES = 4
LARGEST_SAMPLE = 65536.0  # far above full scale, which is 1.0, and far below float overflow
BASE64_PIECE = 1 << 20  # characters decoded at once, so that other threads get their turn


def decode_base64(text: str, field: str) -> bytes:
    """Strict base64: no other characters, correct padding, at least one byte."""
    pieces = bytearray()
    try:
        encoded = text.encode("ascii")
        for start in range(0, len(encoded), BASE64_PIECE):
            if len(pieces) * 4 != start * 3:
                raise ValueError("padding before the end")
            pieces += base64.b64decode(encoded[start : start + BASE64_PIECE], validate=True)
    except (ValueError, binascii.Error) as error:
        raise InvalidFieldError(f"{field} is not valid base64", field=field) from error
    if not pieces:
        raise InvalidFieldError(f"{field} is empty", field=field)
    return bytes(pieces)


def decode_audio(text: str, field: str, limit_s: float) -> np.ndarray:
    """Base64 of little-endian float32 PCM -> float32 [n_samples], 16 kHz mono.

    Raises:
        TooLargeError: it lasts longer than `limit_s` seconds.
        InvalidFieldError: not base64, not whole samples, or samples that are no sound.
    """
    seconds = len(text) * 3 / 4 / SAMPLE_BYTES / MODEL_SAMPLE_RATE
    if seconds > limit_s + 1 / MODEL_SAMPLE_RATE:
        raise too_much_audio(field, limit_s)
    data = decode_base64(text, field)
    if len(data) % SAMPLE_BYTES:
        raise InvalidFieldError(
            f"{field} has {len(data)} bytes, which is not a multiple of {SAMPLE_BYTES}: "
            "float32 PCM is expected",
            field=field,
        )
    waveform = np.frombuffer(data, dtype="<f4").astype(np.float32)
    if not np.isfinite(waveform).all():
        raise InvalidFieldError(f"{field} contains NaN or infinite samples", field=field)
    if np.abs(waveform).max() > LARGEST_SAMPLE:
        raise InvalidFieldError(
            f"{field} contains samples far outside -1..1: float32 PCM is expected", field=field
        )
    return waveform


def decode_image(text: str, field: str, limit_megapixels: float) -> Image.Image:
    """Base64 of an image file -> upright RGB image; of an animation, its first frame.

    Raises:
        TooLargeError: more than `limit_megapixels`, told before the pixels are decoded.
        InvalidFieldError: not base64, another format, or a damaged file.
    """
    data = decode_base64(text, field)
    try:
        image = Image.open(BytesIO(data), formats=IMAGE_FORMATS)
        megapixels = image.width * image.height / 1e6
        if megapixels <= limit_megapixels:
            return ImageOps.exif_transpose(image).convert("RGB")
    except Image.DecompressionBombError:
        megapixels = 2 * (Image.MAX_IMAGE_PIXELS or 0) / 1e6
    except Exception as error:  # Pillow's readers raise many kinds on damaged files
        raise InvalidFieldError(
            f"{field} is not a readable image ({', '.join(IMAGE_FORMATS)})", field=field
        ) from error
    raise TooLargeError(
        f"{field} is an image of {megapixels:.1f} megapixels, the limit is {limit_megapixels:g}",
        field=field,
        limit=limit_megapixels,
    )


def too_much_audio(field: str, limit_s: float) -> TooLargeError:
    """The audio of one request, taken together, lasts too long."""
    return TooLargeError(
        f"{field} brings the audio of the request over the limit of {limit_s:g} seconds",
        field=field,
        limit=limit_s,
    )
