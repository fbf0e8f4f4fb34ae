"""Videos from the wire: one frame a second, its sound, and tiles of the frames in between."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from core.errors import InvalidFieldError, TooLargeError
from core.processors import video as video_module
from core.processors.grid import tile_images
from core.processors.limits import RequestLimits
from core.processors.messages import read_messages
from core.processors.video import VideoSecond, decode_video
from core.schemas import Message
from tests.wire_media import encode, tone, video_file

FIELD = "messages[0].content[0].data"
ENCODER_DELAY = 1200  # samples of silence that AAC may put in front, or cut from the end


def decode(
    data: bytes, stack_frames: int = 1, limits: RequestLimits | None = None
) -> list[VideoSecond]:
    return decode_video(encode(data), FIELD, stack_frames, limits or RequestLimits())


def grey(image: Image.Image) -> float:
    return float(np.asarray(image).mean())


def test_a_video_gives_one_frame_a_second() -> None:
    seconds = decode(video_file(3))
    assert [grey(second.frame) for second in seconds] == pytest.approx([20, 40, 60], abs=4)
    assert seconds[0].frame.mode == "RGB"


def test_each_second_brings_its_own_sound() -> None:
    seconds = decode(video_file(3))
    lengths = [len(second.audio) for second in seconds if second.audio is not None]
    assert lengths[:2] == [16000, 16000]
    assert lengths[2] == pytest.approx(16000, abs=ENCODER_DELAY)
    middle = seconds[1].audio
    assert middle is not None and middle.dtype == np.float32
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(np.sqrt(np.mean(tone(1) ** 2)), rel=0.1)


def test_a_silent_video_brings_no_sound() -> None:
    assert [second.audio for second in decode(video_file(2, sound_s=0))] == [None, None]


def test_sound_that_ends_early_is_filled_up_with_silence() -> None:
    first, second = decode(video_file(2, sound_s=0.5))
    assert first.audio is not None and second.audio is not None
    assert len(second.audio) == 1600
    assert not second.audio.any()


def test_a_started_second_counts() -> None:
    assert len(decode(video_file(2.2))) == 3


@pytest.mark.parametrize("container_format", ["mp4", "matroska", "avi"])
def test_containers_are_recognised_by_content(container_format: str) -> None:
    assert len(decode(video_file(2, container_format=container_format))) == 2


def test_stacked_frames_are_tiled_between_the_main_ones() -> None:
    first, second = decode(video_file(2), stack_frames=3)
    assert first.stacked is not None and second.stacked is not None
    assert first.stacked.size in {(64 * 2 + 6, 48), (64, 48 * 2 + 6)}
    assert grey(second.stacked) > grey(first.stacked)


def test_a_long_video_is_sampled_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(video_module, "MAX_FRAMES", 4)
    seconds = decode(video_file(6))
    assert len(seconds) == 4
    assert [grey(second.frame) for second in seconds] == pytest.approx([20, 40, 80, 120], abs=4)


def test_a_video_item_is_spliced_into_its_message() -> None:
    content = [
        {"type": "text", "text": "look"},
        {"type": "video", "data": encode(video_file(2)), "stack_frames": 2},
    ]
    message = Message.model_validate({"role": "user", "content": content})
    (read,) = read_messages([message], RequestLimits())
    kinds = [str, *[Image.Image, np.ndarray, Image.Image] * 2]
    assert [type(item) for item in read.content] == kinds


@pytest.mark.parametrize(
    "data",
    [
        b"#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n",
        b"no video at all",
        video_file(1)[:600],
        b"\x00\x00\x00\x18ftypmp42" + bytes(100),
    ],
    ids=["playlist", "text", "cut", "header"],
)
def test_what_is_no_video_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidFieldError, match="not a readable video") as caught:
        decode(data)
    assert caught.value.field == FIELD


@pytest.mark.parametrize(
    "limits",
    [
        RequestLimits(video_s=1.5),
        RequestLimits(video_mb=0.001),
        RequestLimits(image_megapixels=0.0001),
    ],
    ids=["duration", "size", "pixels"],
)
def test_a_video_over_a_limit_is_refused(limits: RequestLimits) -> None:
    with pytest.raises(TooLargeError) as caught:
        decode(video_file(2), limits=limits)
    assert caught.value.field == FIELD
    assert caught.value.limit is not None


def test_the_sound_of_a_video_counts_towards_the_audio_limit() -> None:
    content = [{"type": "video", "data": encode(video_file(3))}]
    message = Message.model_validate({"role": "user", "content": content})
    with pytest.raises(TooLargeError, match="audio"):
        read_messages([message], RequestLimits(audio_s=2))


def test_too_many_stacked_frames_are_refused() -> None:
    content = [{"type": "video", "data": "AAAA", "stack_frames": 11}]
    message = Message.model_validate({"role": "user", "content": content})
    with pytest.raises(InvalidFieldError) as caught:
        read_messages([message], RequestLimits())
    assert (caught.value.field, caught.value.limit) == ("messages[0].content[0].stack_frames", 10)


@pytest.mark.parametrize(
    ("size", "n_images", "expected"),
    [
        ((40, 30), 1, (40, 30)),
        ((40, 30), 2, (40, 66)),
        ((30, 40), 2, (66, 40)),
        ((40, 30), 3, (40, 102)),
        ((40, 30), 4, (86, 66)),
        ((40, 30), 5, (224, 30)),
        ((40, 30), 9, (408, 30)),
    ],
)
def test_tiles_lie_where_the_picture_gets_squarest(
    size: tuple[int, int], n_images: int, expected: tuple[int, int]
) -> None:
    assert tile_images([Image.new("RGB", size)] * n_images).size == expected


def test_tiles_are_centred_on_white_and_parted_by_black() -> None:
    red, wide = Image.new("RGB", (40, 40), "red"), Image.new("RGB", (40, 20), "red")
    tiled = np.asarray(tile_images([red, wide, red, red]))
    assert tiled[0, 42].tolist() == [0, 0, 0]  # the line
    assert tiled[2, 60].tolist() == [255, 255, 255]  # above the wide picture
    assert tiled[20, 60].tolist() == [255, 0, 0]
