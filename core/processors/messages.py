"""Wire messages into model messages: every payload is decoded and checked here, and only here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image

from core.errors import InvalidFieldError, TooLargeError
from core.processors.limits import MAX_STACK_FRAMES, RequestLimits
from core.processors.media import decode_audio, decode_image, too_much_audio
from core.processors.video import decode_video
from core.schemas import (
    MODEL_SAMPLE_RATE,
    AudioContent,
    ContentItem,
    ImageContent,
    Message,
    Role,
    TextContent,
    VideoContent,
)
from MiniCPMO45 import ChatMessage

ModelItem = str | Image.Image | np.ndarray


def read_messages(
    messages: Sequence[Message], limits: RequestLimits, *, is_continuation: bool = False
) -> list[ChatMessage]:
    """Decode a request's messages.

    Args:
        is_continuation: they follow others, so that an assistant message may come first.

    Raises:
        InvalidFieldError, TooLargeError: naming the field and the limit.
    """
    if len(messages) > limits.messages:
        raise TooLargeError(
            f"messages has {len(messages)} items, the limit is {limits.messages}",
            field="messages",
            limit=limits.messages,
        )
    if not is_continuation and messages[0].role is Role.ASSISTANT:
        raise InvalidFieldError("messages[0].role must be system or user", field="messages[0].role")
    return _Reader(limits).read(messages)


class _Reader:
    """Reads one request, with the sums that are limited over the request as a whole."""

    def __init__(self, limits: RequestLimits) -> None:
        self.limits = limits
        self.n_samples = 0
        self.n_pixels = 0

    def read(self, messages: Sequence[Message]) -> list[ChatMessage]:
        return [
            ChatMessage(message.role.value, self._content(message, f"messages[{index}].content"))
            for index, message in enumerate(messages)
        ]

    def _content(self, message: Message, field: str) -> str | list[ModelItem]:
        if isinstance(message.content, str):
            return message.content
        n_images = sum(isinstance(item, ImageContent) for item in message.content)
        if n_images > self.limits.images_per_message:
            raise TooLargeError(
                f"{field} has {n_images} images, the limit is {self.limits.images_per_message}",
                field=field,
                limit=self.limits.images_per_message,
            )
        items = [
            model_item
            for index, item in enumerate(message.content)
            for model_item in self._items(item, f"{field}[{index}]")
        ]
        if len(items) == 1 and isinstance(items[0], str):
            return items[0]
        return items

    def _items(self, item: ContentItem, field: str) -> Iterator[ModelItem]:
        match item:
            case TextContent():
                yield item.text
            case AudioContent():
                waveform = decode_audio(item.data, f"{field}.data", self.limits.audio_s)
                yield self._count_audio(waveform, f"{field}.data")
            case ImageContent():
                image = decode_image(item.data, f"{field}.data", self.limits.image_megapixels)
                yield self._count_image(image, f"{field}.data")
            case VideoContent():
                yield from self._video(item, field)

    def _video(self, item: VideoContent, field: str) -> Iterator[ModelItem]:
        if item.stack_frames > MAX_STACK_FRAMES:
            raise InvalidFieldError(
                f"{field}.stack_frames must be at most {MAX_STACK_FRAMES}",
                field=f"{field}.stack_frames",
                limit=MAX_STACK_FRAMES,
            )
        field += ".data"
        for second in decode_video(item.data, field, item.stack_frames, self.limits):
            yield self._count_image(second.frame, field)
            if second.audio is not None:
                yield self._count_audio(second.audio, field)
            if second.stacked is not None:
                yield self._count_image(second.stacked, field)

    def _count_audio(self, waveform: np.ndarray, field: str) -> np.ndarray:
        self.n_samples += len(waveform)
        if self.n_samples / MODEL_SAMPLE_RATE > self.limits.audio_s:
            raise too_much_audio(field, self.limits.audio_s)
        return waveform

    def _count_image(self, image: Image.Image, field: str) -> Image.Image:
        self.n_pixels += image.width * image.height
        limit = self.limits.all_images_megapixels
        if self.n_pixels / 1e6 > limit:
            raise TooLargeError(
                f"{field} brings the images of the request over the limit of "
                f"{limit:g} megapixels together",
                field=field,
                limit=limit,
            )
        return image
