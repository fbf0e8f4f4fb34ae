"""Sounds and pictures from the wire: what comes through, and what is refused with which words."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from core.errors import InvalidFieldError, TooLargeError
from core.processors.limits import RequestLimits
from core.processors.media import BASE64_PIECE, decode_audio, decode_base64, decode_image
from core.processors.messages import read_messages
from core.schemas import Message
from tests.wire_media import audio_data, encode, image_data, image_file, picture, tone

FIELD = "messages[0].content[1].data"
NO_LIMIT = float("inf")


@pytest.mark.parametrize("n_bytes", [1, 2, 3, BASE64_PIECE * 3 // 4, BASE64_PIECE])
def test_base64_of_any_length_is_decoded(n_bytes: int) -> None:
    data = bytes(index % 251 for index in range(n_bytes))
    assert decode_base64(encode(data), FIELD) == data


@pytest.mark.parametrize(
    "text", ["", "A", "AA", "AAA", "AA=A", "AA==AA==", "AA AA", "AAA\n", "AAA-", "ÄAAA", "=AAA"]
)
def test_anything_but_strict_base64_is_refused(text: str) -> None:
    with pytest.raises(InvalidFieldError) as caught:
        decode_base64(text, FIELD)
    assert caught.value.field == FIELD


def test_padding_at_a_piece_boundary_is_refused() -> None:
    inner = "A" * (BASE64_PIECE - 4) + "AA=="
    with pytest.raises(InvalidFieldError):
        decode_base64(inner + "AAAA", FIELD)


def test_audio_is_float32_as_sent() -> None:
    waveform = decode_audio(audio_data(0.5), FIELD, NO_LIMIT)
    assert waveform.dtype == np.float32
    np.testing.assert_array_equal(waveform, tone(0.5))


@pytest.mark.parametrize("n_bytes", [1, 2, 3, 5, 4001])
def test_audio_must_be_whole_samples(n_bytes: int) -> None:
    with pytest.raises(InvalidFieldError, match="multiple of 4"):
        decode_audio(encode(bytes(n_bytes)), FIELD, NO_LIMIT)


@pytest.mark.parametrize("sample", [np.nan, np.inf, -np.inf, 1e30])
def test_audio_must_be_sound(sample: float) -> None:
    waveform = tone(0.1)
    waveform[7] = sample
    with pytest.raises(InvalidFieldError) as caught:
        decode_audio(encode(waveform.tobytes()), FIELD, NO_LIMIT)
    assert caught.value.field == FIELD


def test_audio_over_the_limit_names_the_limit() -> None:
    assert len(decode_audio(audio_data(1.0), FIELD, 1.0)) == 16000
    with pytest.raises(TooLargeError, match="1 seconds") as caught:
        decode_audio(audio_data(1.01), FIELD, 1.0)
    assert (caught.value.field, caught.value.limit) == (FIELD, 1.0)


@pytest.mark.parametrize("image_format", ["PNG", "JPEG", "GIF", "WEBP", "BMP"])
def test_raster_formats_become_rgb(image_format: str) -> None:
    image = decode_image(image_data(64, 48, image_format), FIELD, NO_LIMIT)
    assert (image.mode, image.size) == ("RGB", (64, 48))


def test_a_lossless_picture_keeps_its_pixels() -> None:
    image = decode_image(image_data(64, 48), FIELD, NO_LIMIT)
    np.testing.assert_array_equal(np.asarray(image), np.asarray(picture(64, 48)))


def test_a_photo_taken_sideways_is_turned_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate by 90 degrees to see it upright
    data = image_file(picture(64, 48), "JPEG", exif=exif)
    assert decode_image(encode(data), FIELD, NO_LIMIT).size == (48, 64)


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "1", "CMYK"])
def test_other_colour_modes_become_rgb(mode: str) -> None:
    image_format = "JPEG" if mode == "CMYK" else "PNG"
    data = image_file(picture(20, 10).convert(mode), image_format)
    assert decode_image(encode(data), FIELD, NO_LIMIT).mode == "RGB"


@pytest.mark.parametrize(
    "data",
    [
        b"this is no picture",
        image_file(picture(640, 480))[:800],
        image_file(picture(64, 48), "TIFF"),
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    ],
    ids=["text", "cut", "tiff", "postscript", "svg"],
)
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidFieldError, match="not a readable image") as caught:
        decode_image(encode(data), FIELD, NO_LIMIT)
    assert caught.value.field == FIELD


def test_a_picture_over_the_limit_is_refused_before_its_pixels_are_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the pixels were decoded")

    data = image_data(2000, 1001)
    monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile.load", refuse)
    with pytest.raises(TooLargeError, match=r"2\.0 megapixels, the limit is 2") as caught:
        decode_image(data, FIELD, 2)
    assert (caught.value.field, caught.value.limit) == (FIELD, 2)


def messages(*contents: object) -> list[Message]:
    return [Message.model_validate({"role": "user", "content": content}) for content in contents]


def text(words: str) -> dict[str, str]:
    return {"type": "text", "text": words}


def audio(seconds: float) -> dict[str, str]:
    return {"type": "audio", "data": audio_data(seconds)}


def image(width: int, height: int) -> dict[str, str]:
    return {"type": "image", "data": image_data(width, height)}


def test_content_items_become_model_items_in_order() -> None:
    (message,) = read_messages(messages([text("look"), image(64, 48), audio(0.2)]), RequestLimits())
    assert message.role == "user"
    assert [type(item) for item in message.content] == [str, Image.Image, np.ndarray]


def test_a_list_of_one_text_is_that_text() -> None:
    assert read_messages(messages([text("hi")], "ho"), RequestLimits())[0].content == "hi"


def test_a_conversation_cannot_open_with_the_assistant() -> None:
    opening = [Message.model_validate({"role": "assistant", "content": "hi"})]
    with pytest.raises(InvalidFieldError) as caught:
        read_messages(opening, RequestLimits())
    assert caught.value.field == "messages[0].role"


@pytest.mark.parametrize(
    ("limits", "contents", "field"),
    [
        (RequestLimits(messages=1), ["a", "b"], "messages"),
        (
            RequestLimits(images_per_message=1),
            [[image(8, 8), image(8, 8)]],
            "messages[0].content",
        ),
        (RequestLimits(audio_s=1), ["a", [audio(0.6), audio(0.6)]], "messages[1].content[1].data"),
        (
            RequestLimits(image_megapixels=0.005),
            [[image(100, 50)] * 16, [image(100, 50)]],
            "messages[1].content[0].data",
        ),
    ],
    ids=["messages", "images", "audio", "pixels"],
)
def test_what_a_request_brings_in_sum_is_limited(
    limits: RequestLimits, contents: list[object], field: str
) -> None:
    with pytest.raises(TooLargeError) as caught:
        read_messages(messages(*contents), limits)
    assert caught.value.field == field
    assert caught.value.limit is not None
