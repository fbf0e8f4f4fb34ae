"""Whole clips: mel features, encoder, projector, and clips inside a prompt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch

from MiniCPMO45.audio import audio_placeholder, log_mel, offline_features
from MiniCPMO45.model import fill
from tests.golden.arrays import RecordedArrays
from tests.golden.case import Case, CaseResult
from tests.golden.context import Context
from tests.golden.inputs import build_input

RECORDING = "04_audio_offline"
MEL_ABSOLUTE = 2e-5
ABSOLUTE = 1e-4
_MARKER = "<audio>./</audio>"


def run(context: Context) -> Iterator[CaseResult]:
    recorded, arrays = context.json(RECORDING), context.arrays(RECORDING)
    for entry in recorded["clips"]:
        yield _clip(context, entry, arrays)
    for name, entry in recorded.items():
        if isinstance(entry, dict) and "waves" in entry:
            yield _prompt(context, name, entry, arrays)


@torch.inference_mode()
def _clip(context: Context, entry: Mapping[str, Any], arrays: RecordedArrays) -> CaseResult:
    key, model = entry["key"], context.model
    case = Case("04", key)
    wave = build_input(entry)
    check_wave(case, arrays, key, wave)

    features = offline_features([wave])
    case.equal("mel_lens", entry["mel_lens"], features.lengths)
    case.close("mel", arrays[f"{key}.mel"], features.mel, absolute=MEL_ABSOLUTE)
    if f"{key}.mel_fixed_floor" in arrays:
        fixed = log_mel(wave, floor="fixed", pad_to_30s=True)[None]
        case.close("fixed mel", arrays[f"{key}.mel_fixed_floor"], fixed, absolute=MEL_ABSOLUTE)
    for name, field in ((False, "placeholder_whole"), (True, "placeholder_1s_chunks")):
        case.equal(field, entry[field], audio_placeholder(len(wave), chunked=name))

    block = int(model.config.audio_chunk_length * 50)
    for name, chunk_frames in (("chunk1s", block), ("full", None)):
        hidden = model.apm(features.mel, features.lengths, chunk_frames, compat=context.compat)
        rows = model.encode_audio(
            features, blockwise=chunk_frames is not None, compat=context.compat
        )
        case.close(name, arrays[f"{key}.encoder_{name}"], hidden, absolute=ABSOLUTE)
        case.close(f"embed {name}", arrays[f"{key}.embed_{name}"], rows, absolute=ABSOLUTE)
        case.equal("n_embed", entry["n_embed"], len(rows))
    return case.result()


@torch.inference_mode()
def _prompt(
    context: Context, name: str, entry: Mapping[str, Any], arrays: RecordedArrays
) -> CaseResult:
    model, tokenizer = context.model, context.model.tokenizer
    case = Case("04", name)
    waves = build_input(entry["waves"])
    text = entry["text"]
    for wave in waves:
        text = text.replace(_MARKER, audio_placeholder(len(wave)), 1)
    ids = tokenizer.encode(text)
    case.equal("input_ids", entry["input_ids"], ids)
    starts = [i + 1 for i, index in enumerate(ids) if index == tokenizer.id_of("<|audio_start|>")]
    ends = [i for i, index in enumerate(ids) if index == tokenizer.id_of("<|audio_end|>")]
    bounds = list(zip(starts, ends, strict=True))
    case.equal("audio_bounds", entry["audio_bounds"], bounds)

    features = offline_features(waves, entry["audio_parts"])
    case.equal("mel_lens", entry["mel_lens"], [features.lengths])
    case.equal("mel batch", entry["mel_batch_shape"], features.mel.shape)
    embeddings = model.llm.embed(torch.tensor(ids))
    fill(embeddings, bounds, model.encode_audio(features, compat=context.compat))
    for index, (first, end) in enumerate(bounds):
        span = f"span{index}"
        case.close(span, arrays[f"{name}.{span}"], embeddings[first:end], absolute=ABSOLUTE)
    return case.result()


def check_wave(case: Case, arrays: RecordedArrays, key: str, wave: np.ndarray) -> None:
    """Compare the rebuilt waveform with the recorded check values, where there are any."""
    if f"{key}.wave_head" in arrays:
        head = arrays.whole(f"{key}.wave_head")
        values = wave.astype(np.float64)
        case.close("input head", head, wave[: len(head)], absolute=1e-6)
        case.close("input sum", arrays[f"{key}.wave_sum"], values.sum(), absolute=1e-3)
        case.close("input power", arrays[f"{key}.wave_sumsq"], (values**2).sum(), absolute=1e-3)
