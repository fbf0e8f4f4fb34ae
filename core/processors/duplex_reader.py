"""Full-duplex messages into tasks: every payload is decoded and checked here, on any thread."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from core.errors import InvalidFieldError, TooLargeError
from core.processors.duplex_options import call_options
from core.processors.limits import RequestLimits
from core.processors.media import decode_audio, decode_image
from core.processors.speech import SPEECH_UNAVAILABLE
from core.processors.voices import PATH_FIELD, Voices
from core.schemas import (
    MODEL_SAMPLE_RATE,
    DuplexAudioChunkMessage,
    DuplexConfig,
    DuplexPrepareMessage,
    DuplexVideoFrameMessage,
    TTSConfig,
)
from MiniCPMO45 import MiniCPMO
from MiniCPMO45.sessions.duplex_options import DuplexOptions

CHUNK_LIMIT_S = 5.0
FRAMES_PER_CHUNK = 8
SHORTEST_VOICE_S = 0.5
DEFAULT_SLICES = 1
HEARD_VOICE = "ref_audio_base64"
SPOKEN_VOICE = "tts_ref_audio_base64"
VOICE_PLACE = "[音频嵌入]"
NO_VOICE = "no voice is configured and none was sent; the call is text only"


@dataclass(frozen=True)
class CallTask:
    """How a call begins.

    `prefix` and `suffix` are token ids, `prompt` what they say. `heard_voice` goes to the language
    model, `spoken_voice` to the vocoder; both are float32 [n_samples] at 16 kHz. Without the
    second one the call is text only.
    """

    prefix: list[int]
    suffix: list[int]
    prompt: str
    options: DuplexOptions
    heard_voice: np.ndarray | None = None
    spoken_voice: np.ndarray | None = None
    spoken_voice_field: str = HEARD_VOICE
    max_slice_nums: int = DEFAULT_SLICES
    deferred_finalize: bool = True
    warning: str | None = None


@dataclass(frozen=True)
class ChunkTask:
    """Sound, float32 [n_samples] at 16 kHz, and the pictures that go with it."""

    samples: np.ndarray
    frames: list[Image.Image] = field(default_factory=list)
    force_listen: bool = False
    max_slice_nums: int | None = None

    @property
    def duration_s(self) -> float:
        return self.samples.size / MODEL_SAMPLE_RATE


class DuplexReader:
    """Reads what clients send, in the words of their messages.

    Args:
        service: options of calls whose clients leave them open.
    """

    def __init__(
        self, model: MiniCPMO, limits: RequestLimits, voices: Voices, service: DuplexOptions
    ) -> None:
        self.model = model
        self.limits = limits
        self.service = service
        self.voices = voices

    def read_prepare(
        self, message: DuplexPrepareMessage, prompt_wav_path: str | None = None
    ) -> CallTask:
        """Check and decode the start of a call.

        Args:
            prompt_wav_path: file with the voice to speak in, for callers in the same process.

        Raises:
            InvalidFieldError, TooLargeError: naming the field and the limit.
        """
        config = message.config or DuplexConfig()
        options = call_options(config, self.service)
        warnings: list[str] = []
        heard = self._voice(message.ref_audio_base64, message.ref_audio_path, HEARD_VOICE, warnings)
        spoken, spoken_field = heard, HEARD_VOICE
        if message.tts_ref_audio_base64 is not None or prompt_wav_path is not None:
            spoken_field = SPOKEN_VOICE
            spoken = self._voice(
                message.tts_ref_audio_base64, prompt_wav_path, spoken_field, warnings
            )
        if not options.generate_audio:
            spoken = None
        elif not self.voices.can_speak:
            spoken = None
            warnings.append(SPEECH_UNAVAILABLE)
        elif spoken is None:
            warnings.append(NO_VOICE)
        prefix, suffix, prompt = self.prompt(message.system_prompt, with_voice=heard is not None)
        return CallTask(
            prefix=prefix,
            suffix=suffix,
            prompt=prompt,
            options=options,
            heard_voice=heard,
            spoken_voice=spoken,
            spoken_voice_field=spoken_field,
            max_slice_nums=message.max_slice_nums or config.max_slice_nums or DEFAULT_SLICES,
            deferred_finalize=message.deferred_finalize,
            warning="; ".join(warnings) or None,
        )

    def read_chunk(self, message: DuplexAudioChunkMessage) -> ChunkTask:
        """Check and decode one chunk.

        Raises:
            InvalidFieldError, TooLargeError: naming the field and the limit.
        """
        if message.audio_base64 is None:
            raise InvalidFieldError("Missing audio_base64", field="audio_base64")
        samples = decode_audio(message.audio_base64, "audio_base64", CHUNK_LIMIT_S)
        frames = message.frame_base64_list or []
        if len(frames) > FRAMES_PER_CHUNK:
            raise TooLargeError(
                f"frame_base64_list has {len(frames)} frames, the limit is {FRAMES_PER_CHUNK}",
                field="frame_base64_list",
                limit=FRAMES_PER_CHUNK,
            )
        images = [
            self._frame(frame, f"frame_base64_list[{index}]") for index, frame in enumerate(frames)
        ]
        return ChunkTask(samples, images, message.force_listen, message.max_slice_nums)

    def read_frame(self, message: DuplexVideoFrameMessage) -> Image.Image:
        """Decode a picture that was sent by itself.

        Raises:
            InvalidFieldError, TooLargeError: naming the field and the limit.
        """
        return self._frame(message.frame, "frame")

    def prompt(self, system_prompt: str, *, with_voice: bool) -> tuple[list[int], list[int], str]:
        """Ids before and after the place of the voice, and the whole as text.

        The names of special tokens in `system_prompt` are ordinary characters.
        """
        tokenizer = self.model.tokenizer
        start, audio_start, audio_end, end = tokenizer.ids_of(
            ["<|im_start|>", "<|audio_start|>", "<|audio_end|>", "<|im_end|>"]
        )
        text = f"system\n{system_prompt}\n"
        prefix = [start, *tokenizer.encode_plain(text), audio_start]
        voice = VOICE_PLACE if with_voice else ""
        visible = f"<|im_start|>{text}<|audio_start|>{voice}<|audio_end|><|im_end|>"
        return prefix, [audio_end, end], visible

    def _frame(self, data: str, name: str) -> Image.Image:
        return decode_image(data, name, self.limits.image_megapixels)

    def _voice(
        self, data: str | None, path: str | None, name: str, warnings: list[str]
    ) -> np.ndarray | None:
        """The recording that was sent, else the default one, if there is any."""
        if data is None and path is None and not self.voices.has_default:
            return None
        tts = TTSConfig(ref_audio_data=data, ref_audio_path=path)
        try:
            recording, warning = self.voices.choose(tts, name)
        except InvalidFieldError as error:
            if error.field != PATH_FIELD:
                raise
            text = error.message.removeprefix("tts.")
            raise InvalidFieldError(text, field="ref_audio_path") from error
        if recording.size < SHORTEST_VOICE_S * MODEL_SAMPLE_RATE:
            raise InvalidFieldError(
                f"{name} must last at least {SHORTEST_VOICE_S:g} seconds",
                field=name,
                limit=SHORTEST_VOICE_S,
            )
        if warning is not None and warning not in warnings:
            warnings.append(warning)
        return recording
