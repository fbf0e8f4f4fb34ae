"""How much one request may bring; without limits unless the caller sets them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import inf

MAX_STACK_FRAMES = 10
IMAGES_WORTH_OF_PIXELS = 16  # all images and frames of a request together, in largest images


@dataclass(frozen=True)
class RequestLimits:
    """Limits of one request, under the names they have in the configuration."""

    messages: float = inf
    images_per_message: float = inf
    image_megapixels: float = inf
    audio_s: float = inf
    video_s: float = inf
    video_mb: float = inf
    max_new_tokens: float = inf
    ref_audio_max_s: float = inf

    @classmethod
    def from_settings(cls, settings: object) -> RequestLimits:
        """The limits out of a settings object that has them, among others, as attributes."""
        return cls(**{field.name: getattr(settings, field.name) for field in fields(cls)})

    @property
    def all_images_megapixels(self) -> float:
        """Of all images and video frames of a request together."""
        return self.image_megapixels * IMAGES_WORTH_OF_PIXELS
