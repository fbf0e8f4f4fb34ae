"""Full duplex for callers in the same process: one call at a time, driven step by step."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from core.errors import InvalidFieldError, ServiceError
from core.processors.duplex_call import UNIT_SAMPLES, DuplexCall
from core.processors.duplex_reader import CallTask, ChunkTask, DuplexReader
from core.processors.duplex_result import Decision, generate_result
from core.processors.limits import RequestLimits
from core.processors.model_errors import service_errors
from core.processors.voices import Voices, load_voice_file
from core.schemas import (
    SPEECH_SAMPLE_RATE,
    DuplexChunkResult,
    DuplexConfig,
    DuplexGenerateResult,
    DuplexOfflineInput,
    DuplexOfflineOutput,
    DuplexPrepareMessage,
)
from MiniCPMO45 import MiniCPMO
from MiniCPMO45.sessions.duplex import DuplexState
from MiniCPMO45.sessions.duplex_options import DuplexOptions


class DuplexView(DuplexReader):
    """Full duplex on a loaded model.

    The calls beyond reading serve one conversation at a time and belong to the model's own thread.

    Args:
        config: settings of conversations that this process prepares itself.
    """

    def __init__(
        self,
        model: MiniCPMO,
        limits: RequestLimits,
        voices: Voices,
        service: DuplexOptions | None = None,
        config: DuplexConfig | None = None,
    ) -> None:
        super().__init__(model, limits, voices, service or DuplexOptions())
        self.config = config or DuplexConfig()
        self.kv_cache_length = 0
        self._call: DuplexCall | None = None

    def open(self, *, seed: int | None = None) -> DuplexCall:
        """A new call, beside all others."""
        return DuplexCall(self.model, self.voices, self._note_length, seed=seed)

    def prepare(
        self,
        prefix_system_prompt: str | None = None,
        suffix_system_prompt: str | None = None,
        ref_audio_path: str | None = None,
        prompt_wav_path: str | None = None,
    ) -> str:
        """Begin a conversation anew; the prompt it begins with.

        Args:
            prefix_system_prompt: what the model is told; with a suffix, the prompt itself up to
                the voice, in which the names of special tokens count.
            suffix_system_prompt: the prompt behind the voice.
            ref_audio_path: file with the voice the model hears; the default voice if None.
            prompt_wav_path: file with the voice it speaks in; the same if None.
        """
        message = DuplexPrepareMessage(ref_audio_path=ref_audio_path, config=self.config)
        if prefix_system_prompt is not None and suffix_system_prompt is None:
            message.system_prompt = prefix_system_prompt
        task = self.read_prepare(message, prompt_wav_path)
        if suffix_system_prompt is not None:
            encode, prefix = self.model.tokenizer.encode, prefix_system_prompt or ""
            task = replace(
                task,
                prefix=encode(prefix),
                suffix=encode(suffix_system_prompt),
                prompt=prefix + suffix_system_prompt,
            )
        self._begin(task)
        return task.prompt

    def prefill(
        self,
        audio_waveform: np.ndarray | Sequence[float] | None = None,
        frame_list: Sequence[Image.Image] | None = None,
        max_slice_nums: int = 1,
    ) -> dict[str, object]:
        """Read one unit: a second of float32 sound at 16 kHz, pictures, or both."""
        audio = None if audio_waveform is None else np.asarray(audio_waveform, np.float32)
        with service_errors():
            heard = self._open_call().session.prefill(audio, frame_list or (), max_slice_nums)
        return {
            "success": heard.success,
            "reason": heard.reason,
            "vision_slices": heard.n_slices,
        }

    def generate(self, force_listen: bool = False) -> DuplexGenerateResult:
        """Decide for the unit that was read, and speak."""
        decision = Decision()
        with service_errors():
            decision.add(self._open_call().session.generate(force_listen=force_listen), 0)
        return generate_result(decision)

    def finalize(self) -> None:
        """Close the unit; it must be done before the next one is read."""
        session = self._open_call().session
        with service_errors():
            if session.state is DuplexState.UNFINALIZED:
                session.finalize()
        self._note_length(session.kv_cache_length)

    def stop(self) -> None:
        """End the conversation: nothing more is read or said until the next `prepare`."""
        self._open_call().session.stop()

    def cleanup(self) -> None:
        """Forget the conversation and give its place in the cache back."""
        if self._call is not None:
            self._call.close()
            self._call = None

    def offline_inference(self, task_input: DuplexOfflineInput) -> DuplexOfflineOutput:
        """Run a recording as a call, up to the end of the first answer.

        Its n-th picture goes with its n-th second. A failure comes back as `success=False`.
        """
        started_s = time.monotonic()
        output = DuplexOfflineOutput(success=True)
        try:
            self._run_offline(task_input, output)
        except ServiceError as error:
            output.success, output.error = False, error.message
        finally:
            self.cleanup()
        output.full_text = "".join(chunk.text for chunk in output.chunks)
        output.total_chunks = len(output.chunks)
        output.total_duration_ms = (time.monotonic() - started_s) * 1000
        return output

    def _run_offline(self, task_input: DuplexOfflineInput, output: DuplexOfflineOutput) -> None:
        message = DuplexPrepareMessage(
            system_prompt=task_input.system_prompt,
            ref_audio_path=task_input.ref_audio_path,
            config=task_input.config,
        )
        task = self.read_prepare(message)
        if task_input.user_audio_path is None:
            raise InvalidFieldError("user_audio_path is missing", field="user_audio_path")
        samples = load_voice_file(Path(task_input.user_audio_path), "user_audio_path")
        pictures = [_load_picture(path) for path in task_input.image_paths or []]
        call = self._begin(task)
        for index, start in enumerate(range(0, samples.size, UNIT_SAMPLES)):
            piece = samples[start : start + UNIT_SAMPLES]
            second = np.pad(piece, (0, UNIT_SAMPLES - piece.size))
            started_s = time.monotonic()
            (decision,) = filter(None, call.hear(ChunkTask(second, pictures[index : index + 1])))
            result = generate_result(decision)
            output.chunks.append(
                DuplexChunkResult(
                    chunk_idx=index,
                    phase="listen" if result.is_listen else "speak",
                    is_listen=result.is_listen,
                    text=result.text,
                    has_audio=result.audio_data is not None,
                    audio_data=result.audio_data,
                    end_of_turn=result.end_of_turn,
                    elapsed_ms=(time.monotonic() - started_s) * 1000,
                )
            )
            if decision.waveform is not None:
                output.audio_duration_s += decision.waveform.size / SPEECH_SAMPLE_RATE
            if result.end_of_turn:
                return

    def _begin(self, task: CallTask) -> DuplexCall:
        self.cleanup()
        call = self._call = self.open()
        for _ in call.prepare(task):
            continue
        return call

    def _open_call(self) -> DuplexCall:
        if self._call is None:
            raise InvalidFieldError("prepare must come first", field="type")
        return self._call

    def _note_length(self, length: int) -> None:
        self.kv_cache_length = length


def _load_picture(path: str) -> Image.Image:
    try:
        return Image.open(path).convert("RGB")
    except OSError as error:
        raise InvalidFieldError(
            f"{Path(path).name} is not a readable image", field="image_paths"
        ) from error
