"""Records what the official library does, at published sizes with random weights, on the CPU.

Run it from the repository root with an interpreter prepared as ``requirements.txt`` says::

    python -m tests.golden.token2wav.make_recordings

The library expects a GPU and a native torchaudio; both are replaced by what they would return.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch

from tests.golden.token2wav import inputs

FOLDER = Path(__file__).parent / "recordings"
ENCODER = {
    "input_size": 512,
    "output_size": 512,
    "input_layer": "linear",
    "pre_lookahead_len": 3,
    "num_blocks": 6,
    "num_up_blocks": 4,
    "up_stride": 2,
    "up_scale_factor": 2,
    "attention_heads": 8,
    "pos_enc_layer_type": "rel_pos_espnet",
    "selfattention_layer_type": "rel_selfattn",
    "key_bias": True,
    "linear_units": 2048,
    "dropout_rate": 0.1,
    "positional_dropout_rate": 0.1,
    "attention_dropout_rate": 0.1,
    "normalize_before": True,
}
ESTIMATOR = {
    "in_channels": 320,
    "out_channels": 80,
    "mlp_ratio": 4.0,
    "depth": 16,
    "num_heads": 8,
    "head_dim": 64,
    "hidden_size": 512,
}


def without_native_torchaudio() -> None:
    """Let torchaudio's Python code be imported without its shared library."""
    extension = types.ModuleType("torchaudio._extension")
    extension.fail_if_no_align = lambda function: function  # type: ignore[attr-defined]
    extension._IS_TORCHAUDIO_EXT_AVAILABLE = False  # type: ignore[attr-defined]
    sys.modules["torchaudio._extension"] = extension


@contextmanager
def on_the_cpu() -> Iterator[None]:
    """Read ``device="cuda"`` as the CPU."""

    def moved(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, device: Any = None, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        return call

    with (
        patch.object(torch, "tensor", moved(torch.tensor)),
        patch.object(torch, "zeros", moved(torch.zeros)),
    ):
        yield


@contextmanager
def given_noise(name: str) -> Iterator[None]:
    """Draw the excitation's noise from numpy; the noise nothing uses is zero."""
    rng = inputs.generator(f"excitation {name}")

    def randn_like(like: torch.Tensor) -> torch.Tensor:
        if like.shape[-1] == 1:
            return torch.zeros_like(like)
        return torch.from_numpy(rng.standard_normal(like.shape, dtype=np.float32))

    with patch.object(torch, "randn_like", randn_like):
        yield


def fill(module: torch.nn.Module) -> dict[str, list[int]]:
    """Give every parameter its random values; the shapes by name."""
    state = module.state_dict()
    shapes = {name: list(tensor.shape) for name, tensor in state.items()}
    with torch.no_grad():
        for name, tensor in state.items():
            tensor.copy_(torch.from_numpy(inputs.weight(name, tuple(tensor.shape))))
    module.eval()
    return shapes


def build_library() -> tuple[Any, dict[str, dict[str, list[int]]]]:
    """The library's object with random weights, and the layout of its two files."""
    from stepaudio2.cosyvoice2.flow.decoder_dit import DiT
    from stepaudio2.cosyvoice2.flow.flow import CausalMaskedDiffWithXvec
    from stepaudio2.cosyvoice2.flow.flow_matching import CausalConditionalCFM
    from stepaudio2.cosyvoice2.transformer.upsample_encoder_v2 import UpsampleConformerEncoderV2
    from stepaudio2.flashcosyvoice.modules.hifigan import HiFTGenerator
    from stepaudio2.token2wav import Token2wav

    flow = CausalMaskedDiffWithXvec(
        input_size=512,
        output_size=80,
        spk_embed_dim=192,
        output_type="mel",
        vocab_size=inputs.N_CODES,
        encoder=UpsampleConformerEncoderV2(**ENCODER),
        decoder=CausalConditionalCFM(DiT(**ESTIMATOR), inference_cfg_rate=0.7),
    )
    hift = HiFTGenerator()
    layout = {"flow.pt": fill(flow), "hift.pt": fill(hift)}
    table: torch.Tensor = flow.decoder.get_buffer("rand_noise")
    table.copy_(torch.from_numpy(inputs.flow_noise(table.shape[2])))
    library = Token2wav.__new__(Token2wav)
    library.float16 = False
    library.n_timesteps = inputs.FLOW_STEPS
    library.flow, library.hift = flow, hift
    library.mel_cache_len, library.source_cache_len = 8, 3840
    library.speech_window = torch.from_numpy(np.hamming(2 * 3840))
    return library, layout


def give_prompt(library: Any, name: str, n_tokens: int) -> None:
    prompt = inputs.prompt(name, n_tokens)
    mel = torch.from_numpy(prompt.mel)
    library._prepare_prompt = lambda _path: (
        torch.from_numpy(prompt.tokens),
        torch.tensor([n_tokens]),
        torch.from_numpy(prompt.speaker),
        mel,
        torch.tensor([mel.shape[1]]),
    )


def record_turn(library: Any, name: str, n_tokens: int, sizes: tuple[int, ...]) -> dict[str, Any]:
    give_prompt(library, name, n_tokens)
    recorded: dict[str, Any] = {}
    mels: list[torch.Tensor] = []
    inference_chunk = library.flow.inference_chunk

    def watched(*args: Any, **kwargs: Any) -> Any:
        mel, cache = inference_chunk(*args, **kwargs)
        mels.append(mel)
        return mel, cache

    with (
        on_the_cpu(),
        given_noise(name),
        patch.object(library.flow, "inference_chunk", watched),
    ):
        flow_cache, library.hift_cache_dict = library.set_stream_cache("")
        library.stream_cache = {key: value.clone() for key, value in flow_cache.items()}
        for index, window in enumerate(inputs.windows(name, sizes)):
            last = index == len(sizes) - 1
            waveform = library.stream(window, None, last_chunk=last, return_waveform=True)
            recorded[f"{name}.{index}.mel"] = inputs.sparse(mels[-1].numpy())
            recorded[f"{name}.{index}.waveform"] = inputs.sparse(waveform)
            recorded[f"{name}.{index}.n_samples"] = np.array(waveform.size)
    return recorded


def record_offline(library: Any) -> dict[str, Any]:
    name, n_tokens = "offline", 30
    prompt = inputs.prompt(name, n_tokens)
    codes = inputs.windows(name, (inputs.OFFLINE_CODES,))
    mel = library.flow.inference(
        torch.tensor(codes),
        torch.tensor([inputs.OFFLINE_CODES]),
        torch.from_numpy(prompt.tokens),
        torch.tensor([n_tokens]),
        torch.from_numpy(prompt.mel),
        torch.tensor([2 * n_tokens]),
        torch.from_numpy(prompt.speaker),
        inputs.FLOW_STEPS,
    )
    with given_noise(name), torch.inference_mode():
        waveform, _ = library.hift(speech_feat=mel)
    return {
        "offline.mel": inputs.sparse(mel.numpy()),
        "offline.waveform": inputs.sparse(waveform.numpy()),
    }


def record_prompt_features() -> dict[str, Any]:
    import s3tokenizer
    import torchaudio.compliance.kaldi as kaldi  # pyright: ignore[reportMissingImports]
    from stepaudio2.flashcosyvoice.utils.audio import mel_spectrogram
    from torchaudio.transforms import Resample  # pyright: ignore[reportMissingImports]

    recorded: dict[str, Any] = {}
    for name, rate in inputs.RECORDINGS.items():
        samples = torch.from_numpy(inputs.recording(name, rate))
        speech = samples if rate == 16000 else Resample(rate, 16000)(samples)
        sound = samples if rate == 24000 else Resample(rate, 24000)(samples)
        banks = kaldi.fbank(speech[None], num_mel_bins=80, dither=0, sample_frequency=16000)
        features = {
            "speech": speech,
            "sound": sound,
            "tokenizer_features": s3tokenizer.log_mel_spectrogram(speech),
            "filter_banks": banks - banks.mean(dim=0, keepdim=True),
            "mel": mel_spectrogram(sound[None])[0].T,
        }
        for key, value in features.items():
            recorded[f"{name}.{key}"] = inputs.sparse(value.contiguous().numpy())
            recorded[f"{name}.{key}.shape"] = np.array(value.shape)
    return recorded


def main() -> None:
    without_native_torchaudio()
    torch.set_num_threads(1)
    recorded = record_prompt_features()
    library, layout = build_library()
    for name, (n_tokens, sizes) in inputs.TURNS.items():
        recorded |= record_turn(library, name, n_tokens, sizes)
    recorded |= record_offline(library)
    FOLDER.mkdir(exist_ok=True)
    np.savez_compressed(FOLDER / "library.npz", **recorded)
    (FOLDER / "layout.json").write_text(layout_text(layout))


def layout_text(layout: dict[str, dict[str, list[int]]]) -> str:
    """JSON with one tensor a line."""
    files = [
        f'"{file}": {{\n' + ",\n".join(f'"{key}": {shape}' for key, shape in shapes.items()) + "\n}"
        for file, shapes in layout.items()
    ]
    return "{\n" + ",\n".join(files) + "\n}\n"


if __name__ == "__main__":
    main()
