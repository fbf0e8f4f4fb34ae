"""Recording of what goes turn by turn: chats, streaming conversations, half-duplex calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.recording.contents import samples_begun, turn_audio
from core.recording.earlier import EarlierTurns
from core.recording.journal import read_journal
from core.recording.pcm import cut_wav
from core.recording.recorder import SessionRecorder
from core.schemas import SPEECH_SAMPLE_RATE

if TYPE_CHECKING:
    import numpy as np

FLOAT_BYTES = 4


class TurnBasedSessionRecorder(SessionRecorder):
    """A turn begins with what the user said; the answer follows in chunks."""

    n_turns = 0
    _n_images = 0
    _n_videos = 0
    _text = ""

    @property
    def turn_index(self) -> int:
        """The turn that is open, or else the last one; -1 before the first."""
        return self.n_turns - 1

    def next_image_index(self) -> int:
        """The number of the next picture of the user."""
        self._n_images += 1
        return self._n_images - 1

    def next_video_index(self) -> int:
        """The number of the next video of the user."""
        self._n_videos += 1
        return self._n_videos - 1

    def start_turn(self, user_input: dict[str, Any], request_ts_ms: float | None = None) -> None:
        """The user has spoken; `user_input` is the turn's `input` in `recording.json`."""
        self.n_turns += 1
        self._text = ""
        self._note(
            {
                "event": "turn",
                "turn_index": self.turn_index,
                "request_ts_ms": self.elapsed_ms if request_ts_ms is None else request_ts_ms,
                "input": user_input,
            }
        )

    def add_streaming_chunk(self, text_delta: str | None, audio_base64: str | None) -> None:
        """More of the answer: text, and sound in base64 of float32, 24 kHz."""
        if audio_base64:
            self.save_ai_audio_turn(self.turn_index, audio_base64)
        self._note_answer(text_delta or "", _n_samples(audio_base64 or ""))

    def end_turn(self, timing: dict[str, Any], text: str | None = None) -> None:
        """The answer is over; `text` is all of it, where that is not the sum of its chunks."""
        self._note(
            {
                "event": "turn_end",
                "turn_index": self.turn_index,
                "timing": timing,
                "text": self._text if text is None else text,
            }
        )

    def cut_turn(self, text: str, played_ms: float) -> None:
        """Only the beginning of the last answer was heard: `text`, and the chunks begun by then."""
        turn = self.turn_index

        def cut() -> None:
            n_begun = samples_begun(read_journal(self.folder), turn, played_ms)
            n_samples = cut_wav(self.folder / turn_audio(turn), n_begun, SPEECH_SAMPLE_RATE)
            self._append(
                {"event": "turn_cut", "turn_index": turn, "text": text, "n_samples": n_samples}
            )

        self._put(cut)

    def record_chat_turn(
        self,
        user_input: dict[str, Any],
        text: str,
        pcm: np.ndarray | None,
        timing: dict[str, Any],
        request_ts_ms: float = 0.0,
    ) -> None:
        """A whole turn; `pcm` is the spoken answer, float32 [n_samples] at 24 kHz."""
        self.start_turn(user_input, request_ts_ms)
        if pcm is not None:
            self.save_ai_audio_turn(self.turn_index, pcm)
        self._note_answer(text, 0 if pcm is None else pcm.size)
        self.end_turn(timing)

    def _resume(self, earlier: EarlierTurns) -> None:
        super()._resume(earlier)
        self.n_turns = earlier.n_turns
        self._n_images, self._n_videos = earlier.n_images, earlier.n_videos

    def _note_answer(self, text: str, n_samples: int) -> None:
        self._text += text
        self._note(
            {
                "event": "answer",
                "turn_index": self.turn_index,
                "text": text,
                "n_samples": n_samples,
            }
        )


def _n_samples(audio_base64: str) -> int:
    n_bytes = len(audio_base64) // 4 * 3 - audio_base64.count("=", -2)
    return n_bytes // FLOAT_BYTES
