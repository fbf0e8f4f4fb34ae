"""Live audio: mel front end, encoder with its cache, projector."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from MiniCPMO45.audio import audio_placeholder
from MiniCPMO45.streaming_mel import MelRecord, StreamingMel, StreamingMelSettings
from tests.golden.arrays import RecordedArrays
from tests.golden.case import Case, CaseResult
from tests.golden.context import Context
from tests.golden.inputs import SAMPLE_RATE, build_input

MEL_ABSOLUTE = 2e-5
ABSOLUTE = 1e-4
_PREFIX = "05_audio_streaming_"
_DUPLEX = StreamingMelSettings(redundancy_ms=20)
_MARKER = "<audio>./</audio>"


def run(context: Context) -> Iterator[CaseResult]:
    for recording in context.names("05"):
        recorded, arrays = context.json(recording), context.arrays(recording)
        name = recording.removeprefix(_PREFIX)
        if "cuts" in recorded:
            yield from _turn(context, name, recorded, arrays)
        else:
            yield from _duplex(context, name, recorded, arrays)


class _Ear:
    """Mel front end, encoder cache and projector of one stream."""

    def __init__(self, context: Context, settings: StreamingMelSettings) -> None:
        self._model = context.model
        self.mel = StreamingMel(settings)
        self.cache = self._model.apm.new_cache()

    @torch.inference_mode()
    def hear(self, samples: np.ndarray, *, prefix: int = 0, suffix: int = 0, last: bool = False):
        """Features ``[mels, frames]`` and embeddings ``[tokens, D]`` of the next piece."""
        mel = self.mel.push(samples, last=last)
        hidden = self._model.apm.stream(mel, self.cache, prefix_frames=prefix, suffix_frames=suffix)
        rows = self._model.audio_projection_layer.pool(hidden, [mel.shape[2]])
        return mel[0], rows[0]


def _duplex(
    context: Context, name: str, recorded: Mapping[str, Any], arrays: RecordedArrays
) -> Iterator[CaseResult]:
    """One second at a time; what a chunk does not take waits for the next."""
    config = recorded.get("config")
    ear = _Ear(context, _settings(config) if config else _DUPLEX)
    settings = ear.mel.settings
    if config:
        yield _check_config(name, config, settings)
    waiting = np.zeros(0, np.float32)
    wave = build_input(recorded["input"])
    all_rows: list[Tensor] = []
    for index, chunk in enumerate(recorded["chunks"]):
        case = Case("05", f"{name} chunk{index}")
        if "samples_waiting_before" in chunk:
            case.equal("waiting before", chunk["samples_waiting_before"], len(waiting))
        waiting = np.append(waiting, wave[index * SAMPLE_RATE : (index + 1) * SAMPLE_RATE])
        if index == 0:
            waiting = np.pad(waiting, (max(0, settings.padded_first_samples - len(waiting)), 0))
        n_taken = ear.mel.needed_samples
        prefix = settings.redundancy_frames if index else 0
        suffix = settings.redundancy_frames
        mel, rows = ear.hear(waiting[:n_taken], prefix=prefix, suffix=suffix)
        waiting = waiting[n_taken:]
        if "samples_waiting_after" in chunk:
            case.equal("waiting after", chunk["samples_waiting_after"], len(waiting))
        if chunk.get("encoder_args"):
            args = {
                "use_extra_context": True,
                "prefix_extra_frames": prefix,
                "suffix_extra_frames": suffix,
            }
            case.equal("encoder_args", chunk["encoder_args"], args)
        _check_chunk(case, chunk, f"chunk{index}", arrays, ear, mel, rows)
        all_rows.append(rows)
        yield case.result()
    if "embed" in arrays:
        case = Case("05", f"{name} embed")
        case.close("embed", arrays["embed"], all_rows, absolute=ABSOLUTE)
        yield case.result()


def _turn(
    context: Context, name: str, recorded: Mapping[str, Any], arrays: RecordedArrays
) -> Iterator[CaseResult]:
    """One question in pieces, nothing cut behind the convolutions, the last piece flagged."""
    ear = _Ear(context, _settings(recorded["config"]))
    yield _check_config(name, recorded["config"], ear.mel.settings)
    wave, cuts = build_input(recorded["input"]), recorded["cuts"]
    chunks = recorded["chunks"]
    cache_length: int | None = None
    for index, chunk in enumerate(chunks):
        case = Case("05", f"{name} chunk{index}")
        piece = wave[cuts[index] : cuts[index + 1]]
        if index == 0:
            piece = np.pad(piece, (max(0, ear.mel.settings.padded_first_samples - len(piece)), 0))
        mel, rows = ear.hear(piece, last=index == len(chunks) - 1)
        _check_chunk(case, chunk, f"chunk{index}", arrays, ear, mel, rows)
        prompt = chunk["prompt"].replace(_MARKER, audio_placeholder(len(piece)))
        if cache_length is not None:
            cache_length += len(context.model.tokenizer.encode(prompt))
            case.equal("llm_cache_len", chunk["llm_cache_len"], cache_length)
        cache_length = chunk["llm_cache_len"]
        yield case.result()


def _check_chunk(
    case: Case,
    chunk: Mapping[str, Any],
    key: str,
    arrays: RecordedArrays,
    ear: _Ear,
    mel: Tensor,
    rows: Tensor,
) -> None:
    case.equal("mel_frames", chunk["mel_frames"], mel.shape[1])
    case.equal("encoder_cache_len", chunk["encoder_cache_len"], ear.cache.length)
    if "n_embed" in chunk:
        case.equal("n_embed", chunk["n_embed"], len(rows))
    if "mel_sum" in chunk:
        mean = chunk["mel_sum"] / mel.numel()
        case.close("mel mean", mean, mel.double().mean(), absolute=MEL_ABSOLUTE)
    if "mel_state" in chunk and ear.mel.record is not None:
        case.equal("mel_state", chunk["mel_state"], _published_record(ear.mel.record))
    if f"{key}.mel" in arrays:
        case.close("mel", arrays[f"{key}.mel"], mel, absolute=MEL_ABSOLUTE)
    if f"{key}.embed" in arrays:
        case.close("embed", arrays[f"{key}.embed"], rows, absolute=ABSOLUTE)


def _published_record(record: MelRecord) -> dict[str, Any]:
    """Our record of a push under the recorded field names."""
    return {
        "type": "exact_chunk",
        "chunk_number": record.n_pushes,
        "emitted_frames": record.emitted_frames,
        "stable_T": record.stable_frames,
        "T_full": record.total_frames,
        "base_T": record.base_frame,
        "stable_T_global": record.base_frame + record.stable_frames,
        "buffer_len_samples": record.buffer_samples,
        "left_samples_dropped": record.dropped_samples,
        "core_start": record.core_start,
        "core_end": record.core_end,
    }


def _settings(config: Mapping[str, Any]) -> StreamingMelSettings:
    return StreamingMelSettings(
        chunk_ms=config["chunk_ms"],
        first_chunk_ms=config["first_chunk_ms"],
        redundancy_ms=config["cnn_redundancy_ms"],
        slide_trigger_s=config["trigger_seconds"],
        slide_stride_s=config["slide_seconds"],
    )


def _check_config(
    name: str, config: Mapping[str, Any], settings: StreamingMelSettings
) -> CaseResult:
    case = Case("05", f"{name} config")
    effective_ms = settings.first_chunk_samples * 1000 / SAMPLE_RATE
    case.equal("effective_first_chunk_ms", config["effective_first_chunk_ms"], effective_ms)
    case.equal("redundancy", config["cnn_redundancy_frames"], settings.redundancy_frames)
    return case.result()
