"""Streaming for callers in the same process: one conversation at a time."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from core.errors import InvalidFieldError, ServiceError
from core.processors.conversation import AnswerTask, Conversation
from core.processors.events import Delta
from core.processors.limits import RequestLimits
from core.processors.sound import float_base64
from core.processors.speech import SpeechTask, read_speech
from core.processors.streaming_reader import StreamingReader
from core.processors.voices import Voices, load_voice_file
from core.schemas import (
    SPEECH_SAMPLE_RATE,
    RollbackResult,
    StreamingChunk,
    StreamingRequest,
    StreamingResponse,
    TTSConfig,
)
from MiniCPMO45 import GenerationOptions, MiniCPMO
from MiniCPMO45.speech_sampling import SpeechSampling

BYTES_PER_MS = 4 * SPEECH_SAMPLE_RATE / 1000


class StreamingView(StreamingReader):
    """Streaming on a loaded model.

    The calls beyond reading serve one conversation at a time, named by its session id, and belong
    to the model's own thread.
    """

    def __init__(self, model: MiniCPMO, limits: RequestLimits, voices: Voices) -> None:
        super().__init__(model, limits, voices)
        self._recording: np.ndarray | None = None
        self._open: tuple[str, Conversation, StreamingRequest] | None = None

    def init_ref_audio(self, path: str) -> None:
        """Speak like the recording in this file from now on."""
        self._recording = load_voice_file(Path(path))

    def init_ref_audio_from_data(self, waveform: np.ndarray) -> None:
        """Speak like this recording, float32 [n_samples] at 16 kHz, from now on."""
        self._recording = np.asarray(waveform, dtype=np.float32)

    def prefill(self, request: StreamingRequest) -> str:
        """Read messages into the conversation `session_id`; the text of the last piece.

        Another conversation than the one before is begun anew.
        """
        if self._open is None or self._open[0] != request.session_id:
            self.reset_session()
            self._open = (request.session_id, self.open(), request)
        conversation = self._open[1]
        self._open = (request.session_id, conversation, request)
        task = self.read_prefill(request, is_continuation=conversation.kv_cache_length > 0)
        return [event.prompt for event in conversation.prefill(task)][-1]

    def generate(
        self,
        session_id: str,
        generate_audio: bool = True,
        max_new_tokens: int = 256,
        do_sample: bool = True,
        length_penalty: float = 1.1,
        enable_speculative_snapshot: bool = False,
    ) -> Iterator[StreamingChunk]:
        """The answer in chunks with text or sound, and a last one that is final and empty."""
        conversation, request = self._conversation(session_id)
        if enable_speculative_snapshot:
            conversation.set_rollback_point()
        task = AnswerTask(
            generation=GenerationOptions(
                streaming=True,
                max_new_tokens=max_new_tokens,
                do_sample=do_sample,
                length_penalty=length_penalty,
            ),
            enable_thinking=request.enable_thinking,
            use_tts_template=request.use_tts_template,
            speech=self._speech(request) if generate_audio else None,
        )
        index = 0
        for event in conversation.answer(task):
            if isinstance(event, Delta) and (event.text or event.waveform is not None):
                sound = None if event.waveform is None else float_base64(event.waveform)
                yield StreamingChunk(
                    chunk_index=index, text_delta=event.text or None, audio_data=sound
                )
                index += 1
        yield StreamingChunk(chunk_index=index, is_final=True)

    def complete_turn(self, request: StreamingRequest) -> StreamingResponse:
        """Read and answer in one call; a failure comes back as `success=False`, with `error`."""
        started_s = time.monotonic()
        try:
            self.prefill(request)
            chunks = list(
                self.generate(
                    request.session_id,
                    generate_audio=request.streaming.generate_audio,
                    max_new_tokens=request.generation.max_new_tokens,
                    do_sample=request.generation.do_sample,
                    length_penalty=request.generation.length_penalty,
                )
            )
            error = None
        except ServiceError as failure:
            chunks, error = [], failure.message
        sound = b"".join(base64.b64decode(chunk.audio_data or "") for chunk in chunks)
        return StreamingResponse(
            session_id=request.session_id,
            full_text="".join(chunk.text_delta or "" for chunk in chunks),
            total_chunks=len(chunks),
            total_duration_ms=(time.monotonic() - started_s) * 1000,
            audio_data=base64.b64encode(sound).decode("ascii") if sound else None,
            audio_duration_ms=len(sound) / BYTES_PER_MS if sound else None,
            error=error,
            success=error is None,
        )

    def can_rollback(self, session_id: str) -> bool:
        """Whether the answer can be taken back."""
        return self._open is not None and self._conversation(session_id)[0].can_roll_back

    def rollback(self, session_id: str) -> RollbackResult:
        """Take the answer back, as if it had never been begun."""
        position = self._conversation(session_id)[0].roll_back()
        if position is None:
            return RollbackResult(success=False, reason="there is no point to go back to")
        return RollbackResult(success=True, restored_position=position)

    def clear_rollback_point(self, session_id: str) -> None:
        """Keep the answer."""
        self._conversation(session_id)[0].clear_rollback_point()

    def reset_session(self) -> None:
        """Forget the conversation and give its place in the cache back."""
        if self._open is not None:
            self._open[1].close()
            self._open = None

    def _conversation(self, session_id: str) -> tuple[Conversation, StreamingRequest]:
        if self._open is None or self._open[0] != session_id:
            raise InvalidFieldError(
                f"prefill of session {session_id} must come first", field="session_id"
            )
        return self._open[1], self._open[2]

    def _speech(self, request: StreamingRequest) -> SpeechTask | None:
        if self._recording is not None and self.voices.can_speak:
            return SpeechTask(self._recording, SpeechSampling())
        given = request.streaming
        tts = TTSConfig(
            enabled=True,
            ref_audio_data=given.ref_audio_data,
            ref_audio_path=given.ref_audio_path,
            sampling=given.tts_sampling,
        )
        return read_speech(self.voices, tts)[0]
