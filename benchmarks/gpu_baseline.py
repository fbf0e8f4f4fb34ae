"""A plain implementation to compare with: transformers' decoders, eager, with dynamic caches."""

from __future__ import annotations

from collections.abc import Callable

import torch
from transformers.cache_utils import DynamicCache
from transformers.models.llama import LlamaConfig, LlamaModel
from transformers.models.qwen3 import Qwen3Config, Qwen3ForCausalLM

from tests.gpu.full_size import PUBLISHED

CACHED = 1024


def _random(kind: type[torch.nn.Module], config: object, device: torch.device) -> torch.nn.Module:
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.bfloat16)
    try:
        with device:
            return kind(config).eval().requires_grad_(False)
    finally:
        torch.set_default_dtype(before)


@torch.inference_mode()
def baseline_times(
    device: torch.device, median_ms: Callable[[Callable[[], object]], float]
) -> dict[str, float]:
    """Milliseconds of the language model's step and prompt, and of 25 steps of the speech model."""
    times = language_times(device, median_ms)
    torch.cuda.empty_cache()
    return {**times, **speech_times(device, median_ms)}


def language_times(
    device: torch.device, median_ms: Callable[[Callable[[], object]], float]
) -> dict[str, float]:
    config = Qwen3Config(
        vocab_size=PUBLISHED.vocab_size,
        hidden_size=PUBLISHED.hidden_size,
        intermediate_size=PUBLISHED.intermediate_size,
        num_hidden_layers=PUBLISHED.num_hidden_layers,
        num_attention_heads=PUBLISHED.num_attention_heads,
        num_key_value_heads=PUBLISHED.num_key_value_heads,
        head_dim=PUBLISHED.head_dim,
    )
    llm = _random(Qwen3ForCausalLM, config, device)
    prompt = torch.randint(1000, (1, CACHED), device=device)

    def read() -> DynamicCache:
        cache = DynamicCache()
        llm(input_ids=prompt, past_key_values=cache, logits_to_keep=1)
        return cache

    cache = read()

    def step() -> None:
        scores = llm(input_ids=prompt[:, :1], past_key_values=cache).logits[0, -1]
        torch.multinomial(scores.float().softmax(-1), 1).item()

    return {"prefill_1024_ms": median_ms(read), "token_1k_ms": median_ms(step)}


def speech_times(
    device: torch.device, median_ms: Callable[[Callable[[], object]], float]
) -> dict[str, float]:
    tts = PUBLISHED.tts_config
    config = LlamaConfig(
        vocab_size=tts.num_audio_tokens,
        hidden_size=tts.hidden_size,
        intermediate_size=tts.intermediate_size,
        num_hidden_layers=tts.num_hidden_layers,
        num_attention_heads=tts.num_attention_heads,
        num_key_value_heads=tts.num_key_value_heads,
    )
    backbone = _random(LlamaModel, config, device)
    head = torch.randn(tts.num_audio_tokens, tts.hidden_size, device=device).bfloat16()
    code = torch.zeros(1, 1, dtype=torch.long, device=device)

    def second() -> None:
        cache = DynamicCache()
        for _ in range(25):
            hidden = backbone(input_ids=code, past_key_values=cache).last_hidden_state[0, -1]
            torch.multinomial((hidden @ head.T).float().softmax(-1), 1).item()

    return {"speech_25_codes_ms": median_ms(second)}
