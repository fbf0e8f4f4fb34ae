"""One loaded model and the views through which the service uses it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch

from core.capabilities import ProcessorMode
from core.errors import InvalidFieldError
from core.processors.chat import ChatView
from core.processors.duplex import DuplexView
from core.processors.duplex_reader import ChunkTask
from core.processors.limits import RequestLimits
from core.processors.streaming import StreamingView
from core.processors.voices import FindFile
from core.schemas import (
    MODEL_SAMPLE_RATE,
    ChatStreamRequest,
    DuplexConfig,
    DuplexPrepareMessage,
    Message,
    Role,
    TTSConfig,
)
from MiniCPMO45 import CheckpointError, MiniCPMO
from MiniCPMO45.model import Quantization
from MiniCPMO45.sessions.duplex_options import DuplexOptions
from MiniCPMO45.sessions.speech import SILENCE_CODE, WINDOW_CODES
from MiniCPMO45.vocoder import VocoderBackend

CHAT_VOCODER = "token2wav"
Progress = Callable[[float, str], None]


class UnifiedProcessor:
    """Loads the weights once; views hold no weights, so changing the mode costs nothing.

    Args:
        device: `auto` takes the first visible GPU, else the CPU.
        duplex_config: how full-duplex conversations of this process decide.
        duplex_options: how all others do, where their clients leave it open.
        limits: what a request may bring; None sets no limits.
        progress: called with a fraction and a short text while the weights load.
        n_slots: conversations that should be open at once; see `MiniCPMO.load`.
        compile: the same as `cuda_graphs`, under the name that it had before.
        find_voice_file: gives the file that a request names as its voice, or refuses it.

    Raises:
        CheckpointError, AttentionUnavailableError: the model cannot be loaded as asked.
    """

    modes = tuple(ProcessorMode)

    def __init__(
        self,
        model_path: str,
        pt_path: str | None = None,
        device: str = "auto",
        ref_audio_path: str | None = None,
        duplex_config: DuplexConfig | None = None,
        preload_both_tts: bool = True,
        compile: bool = False,
        chat_vocoder: str = "token2wav",
        attn_implementation: str = "auto",
        *,
        revision: str | None = None,
        limits: RequestLimits | None = None,
        progress: Progress | None = None,
        n_slots: int | None = 1,
        duplex_options: DuplexOptions | None = None,
        vocoder_backend: VocoderBackend = "native",
        cuda_graphs: bool = True,
        quantization: Quantization | None = None,
        find_voice_file: FindFile = Path,
    ) -> None:
        if chat_vocoder != CHAT_VOCODER:
            raise CheckpointError(
                f"the vocoder {chat_vocoder} is not part of this service; "
                f'set audio.chat_vocoder to "{CHAT_VOCODER}", which speaks in every mode'
            )
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        self.model = MiniCPMO.load(
            model_path,
            pt_path=pt_path,
            device=device,
            attn_implementation=attn_implementation,
            revision=revision,
            n_slots=n_slots,
            progress=progress,
            vocoder_backend=vocoder_backend,
            cuda_graphs=cuda_graphs or compile,
            quantization=quantization,
        )
        if self.model.config.embedded:
            torch.set_num_threads(1)  # too small to share: more threads would wait for each other
        limits = limits or RequestLimits()
        self._chat = ChatView(self.model, limits, ref_audio_path, find_voice_file)
        self._streaming = StreamingView(self.model, limits, self._chat.voices)
        self._duplex = DuplexView(
            self.model, limits, self._chat.voices, duplex_options, duplex_config
        )

    def set_chat_mode(self) -> ChatView:
        """The view for chat; a conversation left open in another view is forgotten."""
        self._streaming.reset_session()
        self._duplex.cleanup()
        return self._chat

    def set_streaming_mode(self) -> StreamingView:
        """The view for streaming; a conversation left open in another view is forgotten."""
        self._chat.close()
        self._duplex.cleanup()
        return self._streaming

    set_half_duplex_mode = set_streaming_mode

    def set_duplex_mode(self) -> DuplexView:
        """The view for full duplex; a conversation left open in another view is forgotten."""
        self._chat.close()
        self._streaming.reset_session()
        return self._duplex

    def warm_up(self) -> None:
        """Answer and listen once, so that no client waits for what happens only once.

        Raises:
            ServiceError: the model does not work.
        """
        request = ChatStreamRequest(messages=[Message(role=Role.USER, content="Hi")])
        request.generation.max_new_tokens = 10
        for _ in self._chat.run(self._chat.read(request)):
            continue
        self._warm_up_duplex()
        self._warm_up_speech()

    def _warm_up_speech(self) -> None:
        """Speak in the default voice: what renders it prepares itself for each new length."""
        voices = self._chat.voices
        if not (voices.can_speak and voices.has_default):
            return
        with suppress(InvalidFieldError):  # which whoever asks for that voice will be told
            vocoder = voices.vocoder(voices.choose(TTSConfig())[0])
            for last in (False, False, True):
                vocoder.push([SILENCE_CODE] * WINDOW_CODES, last=last)

    def _warm_up_duplex(self) -> None:
        silence = ChunkTask(np.zeros(MODEL_SAMPLE_RATE, np.float32))
        message = DuplexPrepareMessage(config=DuplexConfig(force_listen_count=0))
        call = self._duplex.open()
        try:
            for _ in (*call.prepare(self._duplex.read_prepare(message)), *call.hear(silence)):
                continue
        finally:
            call.close()

    @property
    def n_slots(self) -> int:
        """Conversations that can be open at once."""
        return self.model.n_slots

    @property
    def kv_cache_length(self) -> int:
        """Tokens in the cache of the conversation or call worked on last, else of the chat."""
        live = self._streaming.kv_cache_length or self._duplex.kv_cache_length
        return live or self._chat.kv_cache_length

    @property
    def kv_cache_usage(self) -> float:
        """The filled part of the cache of all conversations, 0 to 1."""
        return self.model.language.cache.usage

    @property
    def model_name(self) -> str:
        return self.model.name

    @property
    def embedded(self) -> bool:
        """True for the small checkpoints that stand in for the real weights."""
        return self.model.config.embedded

    @property
    def attention_backends(self) -> dict[str, str]:
        return self.model.attention_backends

    @property
    def gpu_memory_used_mb(self) -> float | None:
        """Memory this process holds on the GPU, in MiB; None on the CPU."""
        if self.model.device.type != "cuda":
            return None
        return round(torch.cuda.memory_reserved(self.model.device) / 2**20, 1)
