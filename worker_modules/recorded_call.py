"""What a full-duplex call tells a recorder, if there is one."""

from __future__ import annotations

from dataclasses import dataclass

from core.processors import ChunkTask, Decision
from core.recording import DuplexSessionRecorder
from core.schemas import DuplexResultMessage
from worker_modules.recorded import Recorded


@dataclass(frozen=True)
class RecordedChunk:
    """A chunk whose media are kept already, and whose answer is still to come."""

    index: int
    receive_ts_ms: float
    user_audio: str
    user_frame: str | None
    n_samples: int


class RecordedCall(Recorded[DuplexSessionRecorder]):
    """The chunks of one call; without a recorder nothing is kept of them."""

    def __init__(self, recorder: DuplexSessionRecorder | None = None) -> None:
        super().__init__(recorder)
        self._n_chunks = 0

    @property
    def is_empty(self) -> bool:
        return not self._n_chunks

    def take(self, task: ChunkTask, frame: str | None) -> RecordedChunk | None:
        """Keep what the user sent; `frame` is the first picture, in base64."""
        recorder = self._recorder
        if recorder is None:
            return None
        index = self._n_chunks
        self._n_chunks += 1
        sound = recorder.save_user_audio(index, task.samples)
        picture = None if frame is None else recorder.save_user_frame(index, frame)
        return RecordedChunk(index, recorder.elapsed_ms, sound, picture, len(task.samples))

    def answer(
        self, chunk: RecordedChunk | None, result: DuplexResultMessage, decision: Decision
    ) -> None:
        """Keep what the model made of a chunk."""
        recorder, sound = self._recorder, decision.waveform
        if recorder is None or chunk is None:
            return
        path = None
        if sound is not None:
            path = recorder.save_ai_audio(recorder.turn_index, chunk.index, sound)
        recorder.record_chunk(
            chunk.index,
            chunk.receive_ts_ms,
            result.model_dump(exclude={"audio_data"}),
            decision.prefill_s * 1000 if decision.n_units else None,
            chunk.user_audio,
            chunk.user_frame,
            path,
            0 if sound is None else sound.size,
            chunk.n_samples,
        )

    def fail(self, chunk: RecordedChunk | None) -> None:
        """The model could not take a chunk in."""
        if self._recorder is not None and chunk is not None:
            failed = {"is_listen": True, "skipped": True, "reason": "error"}
            self._recorder.record_chunk(
                chunk.index,
                chunk.receive_ts_ms,
                failed,
                user_audio_rel=chunk.user_audio,
                user_frame_rel=chunk.user_frame,
                user_audio_samples=chunk.n_samples,
            )

    def cut(self, audio_epoch: int) -> None:
        """The speech of this epoch was cut off."""
        if self._recorder is not None:
            self._recorder.record_cut(audio_epoch)

    def playback(self, audio_epoch: int, played_ms: float) -> None:
        """The client has played so much of an epoch."""
        if self._recorder is not None:
            self._recorder.record_playback(audio_epoch, played_ms)
