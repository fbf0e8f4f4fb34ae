"""The published sizes with random weights, for checks that need no real weights."""

from __future__ import annotations

import gc
import math
import unittest
from pathlib import Path
from typing import ClassVar

import torch

from MiniCPMO45 import MiniCPMO
from MiniCPMO45.configuration import AudioConfig, MiniCPMOConfig, TTSConfig, VisionConfig
from tests.unit.token2wav_support import networks

# Any tokenizer of the family serves: its ids are all below the published vocabulary size.
TOKENIZER_FOLDER = Path(__file__).parents[1] / "golden" / "data" / "tiny"

PUBLISHED = MiniCPMOConfig(
    vocab_size=151748,
    hidden_size=4096,
    intermediate_size=12288,
    num_hidden_layers=36,
    num_attention_heads=32,
    num_key_value_heads=8,
    head_dim=128,
    rope_theta=1e6,
    max_position_embeddings=40960,
    drop_vision_last_layer=False,
    stream_input=True,
    vision_config=VisionConfig(),
    audio_config=AudioConfig(
        d_model=1024, encoder_layers=24, encoder_attention_heads=16, encoder_ffn_dim=4096
    ),
    tts_config=TTSConfig(
        llm_dim=4096,
        num_audio_tokens=6562,
        num_text_tokens=152064,
        audio_bos_token_id=151687,
        text_eos_token_id=151692,
        normalize_projected_hidden=True,
        attention_type="full_attention",
    ),
)


@unittest.skipIf(not torch.cuda.is_available(), "needs a CUDA device")
class GpuTestCase(unittest.TestCase):
    """Tests that share what ``setUpClass`` puts on a GPU; the next class finds it empty again."""

    _in_body: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls._in_body = frozenset(vars(cls))

    @classmethod
    def tearDownClass(cls) -> None:
        for name in [name for name in vars(cls) if not name.startswith("_")]:
            if name not in cls._in_body:
                delattr(cls, name)
        networks.cache_clear()
        gc.collect()
        torch.cuda.empty_cache()


def random_model(
    device: torch.device,
    *,
    seed: int = 0,
    dtype: torch.dtype = torch.bfloat16,
    cuda_graphs: bool = False,
    **options: object,
) -> MiniCPMO:
    """A model of the published sizes with activations of a sane scale."""
    with torch.device("meta"):
        model = MiniCPMO(PUBLISHED)
    model = model.to(dtype).to_empty(device=device)
    torch.manual_seed(seed)
    for name, parameter in model.named_parameters():
        if parameter.ndim == 1:
            parameter.data.fill_(0.0 if name.endswith("bias") else 1.0)
        else:
            parameter.data.normal_(std=1.0 / math.sqrt(parameter[0].numel()))
    model.finish_loading(device=device, dtype=dtype, **options)  # type: ignore[arg-type]
    model.read_processing_files(TOKENIZER_FOLDER)
    model.name = "random-full-size"
    if cuda_graphs:
        model.capture_graphs()
    return model
