"""One loaded model and the views through which the service uses it."""

from __future__ import annotations

from collections.abc import Callable

import torch

from core.capabilities import ProcessorMode
from core.processors.chat import ChatView
from core.processors.limits import RequestLimits
from core.processors.streaming import StreamingView
from core.schemas import ChatStreamRequest, DuplexConfig, Message, Role
from MiniCPMO45 import MiniCPMO

Progress = Callable[[float, str], None]


class UnifiedProcessor:
    """Loads the weights once; views hold no weights, so changing the mode costs nothing.

    The settings of duplex and compilation belong to modes that chat does not need.

    Args:
        device: `auto` takes the first visible GPU, else the CPU.
        limits: what a request may bring; None sets no limits.
        progress: called with a fraction and a short text while the weights load.
        n_slots: conversations that can be open at once.

    Raises:
        CheckpointError, AttentionUnavailableError: the model cannot be loaded as asked.
    """

    modes = (ProcessorMode.CHAT, ProcessorMode.STREAMING)

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
        n_slots: int = 1,
    ) -> None:
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
        )
        if self.model.config.embedded:
            torch.set_num_threads(1)  # too small to share: more threads would wait for each other
        limits = limits or RequestLimits()
        self._chat = ChatView(self.model, limits, ref_audio_path)
        self._streaming = StreamingView(self.model, limits, self._chat.voices)

    def set_chat_mode(self) -> ChatView:
        """The view for chat; a conversation left open in the streaming view is forgotten."""
        self._streaming.reset_session()
        return self._chat

    def set_streaming_mode(self) -> StreamingView:
        """The view for streaming; a conversation left open in the chat view is forgotten."""
        self._chat.close()
        return self._streaming

    def warm_up(self) -> None:
        """Answer once, so that the first client does not wait for what happens only once.

        Raises:
            ServiceError: the model does not work.
        """
        request = ChatStreamRequest(messages=[Message(role=Role.USER, content="Hi")])
        request.generation.max_new_tokens = 10
        for _ in self._chat.run(self._chat.read(request)):
            continue

    @property
    def kv_cache_length(self) -> int:
        """Tokens in the cache of the streaming conversation worked on last, else of the chat."""
        return self._streaming.kv_cache_length or self._chat.kv_cache_length

    @property
    def model_name(self) -> str:
        return self.model.name

    @property
    def embedded(self) -> bool:
        """True for the small random checkpoint that stands in for the real weights."""
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
