"""A worker without its endpoints: the model, who holds it, and how loading goes."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.logs import event
from core.processors import (
    ChatView,
    DuplexView,
    RequestLimits,
    StreamingView,
    UnifiedProcessor,
)
from core.processors.voices import FindFile
from core.schemas import (
    API_VERSION,
    ChatRequest,
    ChatResponse,
    DuplexGenerateResult,
    StreamingChunk,
    StreamingRequest,
    StreamingResponse,
    WorkerHealthResponse,
    WorkerStatus,
)
from MiniCPMO45.model import Quantization
from MiniCPMO45.sessions.duplex_options import DuplexOptions
from MiniCPMO45.vocoder import VocoderBackend
from worker_modules.state import WorkerState

logger = logging.getLogger(__name__)

_OVERALL_STATUS = {WorkerStatus.LOADING: "initializing", WorkerStatus.ERROR: "error"}


class MiniCPMOWorker:
    """One model and its state. The synchronous calls are for callers in the same process.

    Args:
        gpu_id: a label for health and logs; the device is always the first visible one.
        n_slots: sessions to be served at the same time, as far as memory goes; None for as many as
            it holds.
        limits: what a request may bring; None sets no limits.
        duplex_options: how full-duplex calls decide whose clients leave it open.
    """

    def __init__(
        self,
        model_path: str,
        gpu_id: int = 0,
        pt_path: str | None = None,
        ref_audio_path: str | None = None,
        duplex_pause_timeout: float = 60.0,
        compile: bool = False,
        chat_vocoder: str = "token2wav",
        attn_implementation: str = "auto",
        *,
        revision: str | None = None,
        n_slots: int | None = 1,
        limits: RequestLimits | None = None,
        duplex_options: DuplexOptions | None = None,
        vocoder_backend: VocoderBackend = "native",
        cuda_graphs: bool = True,
        quantization: Quantization | None = None,
        find_voice_file: FindFile = Path,
    ) -> None:
        self.gpu_id = gpu_id
        self.duplex_pause_timeout = duplex_pause_timeout
        self.state = WorkerState(n_slots or 1)
        self.processor: UnifiedProcessor | None = None
        self.load_progress = 0.0
        self.load_message = "waiting for the inference thread"
        self._boot_id = secrets.token_hex(8)
        self._arguments: dict[str, Any] = {
            "model_path": model_path,
            "pt_path": pt_path,
            "ref_audio_path": ref_audio_path,
            "compile": compile,
            "chat_vocoder": chat_vocoder,
            "attn_implementation": attn_implementation,
            "revision": revision,
            "n_slots": n_slots,
            "limits": limits,
            "duplex_options": duplex_options,
            "vocoder_backend": vocoder_backend,
            "cuda_graphs": cuda_graphs,
            "quantization": quantization,
            "find_voice_file": find_voice_file,
        }

    def load_model(self) -> None:
        """Load the weights; `load_progress` and `load_message` tell how far it is.

        Raises:
            ModelError: the model cannot be loaded as asked.
        """
        processor = UnifiedProcessor(**self._arguments, progress=self.report)
        self.report(1.0, "warming up")
        processor.warm_up()
        self.processor = processor
        self.report(1.0, "ready")

    @property
    def n_slots(self) -> int:
        """Sessions that the loaded model has room for."""
        assert self.processor is not None, "load_model comes first"
        return self.processor.n_slots

    def report(self, fraction: float, message: str) -> None:
        """Note and log how far loading is."""
        if message != self.load_message:
            logger.info(event("loading", progress=round(fraction, 3), step=message))
        self.load_progress, self.load_message = fraction, message

    @property
    def chat_view(self) -> ChatView:
        assert self.processor is not None, "load_model comes first"
        return self.processor.set_chat_mode()

    @property
    def streaming_view(self) -> StreamingView:
        assert self.processor is not None, "load_model comes first"
        return self.processor.set_streaming_mode()

    @property
    def duplex_view(self) -> DuplexView:
        assert self.processor is not None, "load_model comes first"
        return self.processor.set_duplex_mode()

    def chat(self, request: ChatRequest) -> ChatResponse:
        """A whole answer."""
        return self.chat_view.chat(request)

    def chat_prefill(self, session_id: str, msgs: list[Any], **options: Any) -> str:
        """Read a conversation; see `ChatView.prefill`."""
        return self.chat_view.prefill(session_id, msgs, **options)

    def chat_non_streaming_generate(self, session_id: str, **options: Any) -> str:
        """Answer what was prefilled; see `ChatView.generate`."""
        return self.chat_view.generate(session_id, **options)

    def chat_streaming_generate(self, session_id: str, **options: Any) -> Iterator[StreamingChunk]:
        """Answer what was prefilled, in chunks; see `ChatView.streaming_generate`."""
        return self.chat_view.streaming_generate(session_id, **options)

    def streaming_prefill(self, request: StreamingRequest) -> str:
        """Read messages; see `StreamingView.prefill`."""
        return self.streaming_view.prefill(request)

    def streaming_init_tts(self, ref_audio_path: str) -> None:
        """Choose the voice; see `StreamingView.init_ref_audio`."""
        self.streaming_view.init_ref_audio(ref_audio_path)

    def streaming_generate(self, session_id: str, **options: Any) -> Iterator[StreamingChunk]:
        """Answer in chunks; see `StreamingView.generate`."""
        return self.streaming_view.generate(session_id, **options)

    def streaming_complete_turn(self, request: StreamingRequest) -> StreamingResponse:
        """Read and answer; see `StreamingView.complete_turn`."""
        return self.streaming_view.complete_turn(request)

    def reset_streaming_session(self) -> None:
        """Forget the conversation of the calls above."""
        self.streaming_view.reset_session()

    half_duplex_prefill = streaming_prefill
    half_duplex_init_tts = streaming_init_tts
    half_duplex_generate = streaming_generate
    half_duplex_complete_turn = streaming_complete_turn
    reset_half_duplex_session = reset_streaming_session

    def duplex_prepare(self, *arguments: Any, **options: Any) -> str:
        """Begin a full-duplex call; see `DuplexView.prepare`."""
        return self.duplex_view.prepare(*arguments, **options)

    def duplex_prefill(self, *arguments: Any, **options: Any) -> dict[str, object]:
        """Read one unit; see `DuplexView.prefill`."""
        return self.duplex_view.prefill(*arguments, **options)

    def duplex_generate(self, force_listen: bool = False) -> DuplexGenerateResult:
        """Decide and speak; see `DuplexView.generate`."""
        return self.duplex_view.generate(force_listen)

    def duplex_finalize(self) -> None:
        """Close the unit; see `DuplexView.finalize`."""
        self.duplex_view.finalize()

    def duplex_stop(self) -> None:
        """End the call; see `DuplexView.stop`."""
        self.duplex_view.stop()

    def duplex_cleanup(self) -> None:
        """Forget the call; see `DuplexView.cleanup`."""
        self.duplex_view.cleanup()

    def health(self) -> WorkerHealthResponse:
        """Everything `GET /health` tells; never waits for the model."""
        state, processor = self.state, self.processor
        health = WorkerHealthResponse(
            status=_OVERALL_STATUS.get(state.status, "healthy"),
            worker_status=state.status,
            gpu_id=self.gpu_id,
            model_loaded=state.model_loaded,
            current_session_id=state.current_session_id,
            total_requests=state.total_requests,
            avg_inference_time_ms=round(state.avg_inference_time_ms, 1),
            boot_id=self._boot_id,
            version=API_VERSION,
            queue_depth=state.queue_depth,
            slots_total=len(state.slots),
            slots_busy=len(state.busy_slots),
            sessions=state.sessions,
            load_progress=self.load_progress,
            load_message=self.load_message,
        )
        if processor is None:
            return health
        return health.model_copy(
            update={
                "kv_cache_length": processor.kv_cache_length,
                "gpu_memory_used_mb": processor.gpu_memory_used_mb,
                "modes": [mode.value for mode in processor.modes],
                "attention_backends": processor.attention_backends,
                "model_name": processor.model_name,
                "embedded_model": processor.embedded,
            }
        )
