"""Which sessions this worker records, and who writes them down."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from config import ServiceConfig
from core.logs import event
from core.recording import (
    DuplexSessionRecorder,
    RecordingWriter,
    TurnBasedSessionRecorder,
    duplex_id,
    generate_session_id,
    half_duplex_id,
)
from core.recording.earlier import EarlierTurns, read_earlier_turns
from core.recording.folders import is_being_written, session_folder
from core.recording.replay_queue import ReplayQueue
from core.schemas import (
    ChatRequest,
    ChatStreamRequest,
    DuplexPrepareMessage,
    HalfDuplexPrepareMessage,
    StreamingPrefillMessage,
)
from worker_modules.recorded_call import RecordedCall
from worker_modules.recorded_turns import RecordedTurns, system_prompt, voice_name

logger = logging.getLogger(__name__)

FLUSH_S = 5.0


class Recordings:
    """Opens recordings, unless the configuration or a client says no.

    Whoever opens one closes it; so that none is lost, nothing is opened beside the event loop.

    Args:
        worker_id: the label of the worker's GPU.
    """

    def __init__(self, config: ServiceConfig, worker_id: int) -> None:
        self._is_enabled = config.recording.enabled
        self._data_path = config.data_path
        self._worker_id = worker_id
        self._writer = RecordingWriter()
        self._replays = ReplayQueue(config.recording.replay_timeout_s)

    def chat(self, request: ChatRequest | ChatStreamRequest) -> RecordedTurns:
        """Begin to record a chat, with what the user says in it."""
        tts = request.tts
        settings: dict[str, Any] = {"system_prompt": system_prompt(request.messages)}
        if tts.enabled:
            settings["ref_audio"] = voice_name(tts.ref_audio_data, path=tts.ref_audio_path)
        if isinstance(request, ChatStreamRequest):
            settings["streaming"] = request.streaming
        session_id = generate_session_id("chat")
        recorded = self._turns(session_id, "chat", settings, wanted=request.record)
        recorded.read(request.messages)
        recorded.keep_input()
        return recorded

    async def streaming(self, request: StreamingPrefillMessage) -> RecordedTurns:
        """Begin to record a streaming conversation, or go on with its recording."""
        if request.record and request.recording_session_id is not None:
            resumed = await self.resumed(request.recording_session_id)
            if resumed is not None:
                return resumed
        session_id = generate_session_id("stm")
        recorded = self._turns(session_id, "streaming", {}, wanted=request.record)
        voices = (request.tts_ref_audio_base64, request.ref_audio_base64)
        settings = {
            "system_prompt": system_prompt(request.messages),
            "ref_audio": voice_name(*voices),
            "max_slice_nums": request.max_slice_nums,
        }
        recorded.configure(_without_nulls(settings))
        return recorded

    async def resumed(self, session_id: str) -> RecordedTurns | None:
        """Go on with the recording of a conversation, if it is there and nobody else does."""
        if not self._is_enabled:
            return None
        earlier = await asyncio.to_thread(self._earlier, session_id)
        if earlier is None:
            return None
        return self._turns(session_id, "streaming", {}, wanted=True, earlier=earlier)

    def half_duplex(self, client_id: str, request: HalfDuplexPrepareMessage) -> RecordedTurns:
        """Begin to record a half-duplex call."""
        config = request.config
        settings = {
            "system_content_count": len(request.system_content),
            "vad": config.vad.model_dump(),
            "generation": config.generation.model_dump(),
            "tts_enabled": config.tts.enabled,
            "timeout_s": config.session.timeout_s,
        }
        session_id = half_duplex_id(client_id)
        return self._turns(session_id, "half_duplex_audio", settings, wanted=request.record)

    def duplex(self, client_id: str, mode: str, request: DuplexPrepareMessage) -> RecordedCall:
        """Begin to record a full-duplex call; `mode` is `audio` or another."""
        if not (self._is_enabled and request.record):
            return RecordedCall()
        given = request.config.model_dump(exclude_unset=True) if request.config else {}
        settings = {
            "system_prompt": request.system_prompt,
            "ref_audio": voice_name(request.ref_audio_base64, path=request.ref_audio_path),
            "deferred_finalize": request.deferred_finalize,
            "max_slice_nums": request.max_slice_nums,
        }
        recorder = DuplexSessionRecorder(
            duplex_id(client_id),
            "audio_duplex" if mode == "audio" else "omni_duplex",
            self._worker_id,
            given | _without_nulls(settings),
            self._data_path,
            writer=self._writer,
            on_finished=self._replays.put,
        )
        return RecordedCall(recorder)

    def make_left_over_replays(self) -> None:
        """Have the replays made, one after the other, that an earlier end left unmade."""
        if self._is_enabled:
            self._replays.catch_up(self._data_path)

    def close(self, timeout_s: float) -> None:
        """Write what waits, as far as there is time; replays are left for the next start."""
        self._replays.close()
        self._writer.close(timeout_s)

    def _earlier(self, session_id: str) -> EarlierTurns | None:
        try:
            folder = session_folder(self._data_path, session_id)
            self._writer.flush(FLUSH_S)
            return None if is_being_written(folder) else read_earlier_turns(folder)
        except (OSError, ValueError) as error:
            logger.info(event("recording_gone", session_id=session_id, reason=str(error)))
            return None

    def _turns(
        self,
        session_id: str,
        app_type: str,
        settings: dict[str, Any],
        *,
        wanted: bool,
        earlier: EarlierTurns | None = None,
    ) -> RecordedTurns:
        if not (self._is_enabled and wanted):
            return RecordedTurns()
        recorder = TurnBasedSessionRecorder(
            session_id,
            app_type,
            self._worker_id,
            settings,
            self._data_path,
            writer=self._writer,
            earlier=earlier,
        )
        return RecordedTurns(recorder)


def _without_nulls(settings: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if value is not None}
