from __future__ import annotations

import sys
import types

import pytest
import torch
from torch.nn import functional

from MiniCPMO45.attention import CausalSpan, attend_span, resolve_backend
from MiniCPMO45.errors import AttentionUnavailableError

CPU = torch.device("cpu")
CUDA = torch.device("cuda")


def plain_causal(query, keys, values):
    """Query by query and head by head, straight from the definition; the queries come last."""
    out = torch.zeros_like(query)
    n_queries, n_heads, head_dim = query.shape
    for t in range(n_queries):
        seen = keys.shape[0] - n_queries + t + 1
        for head in range(n_heads):
            shared = head // (n_heads // keys.shape[1])
            k, v = keys[:seen, shared], values[:seen, shared]
            out[t, head] = functional.softmax(k @ query[t, head] / head_dim**0.5, -1) @ v
    return out


@pytest.mark.parametrize("backend", ["sdpa", "eager"])
@pytest.mark.parametrize(("start", "count"), [(0, 7), (5, 4), (8, 1), (0, 1)])
def test_backends_compute_causal_attention_over_the_filled_cache(backend, start, count):
    torch.manual_seed(0)
    query = torch.randn(count, 4, 8)
    keys, values = torch.randn(2, 12, 2, 8)
    span = CausalSpan.build(3, count, 0, start, CPU)
    result = attend_span(query, keys, values, span, backend)
    filled = start + count
    torch.testing.assert_close(result, plain_causal(query, keys[:filled], values[:filled]))


def test_flash_attention_gets_the_cache_and_its_filled_length(monkeypatch):
    calls = {}

    def flash_attn_with_kvcache(query, keys, values, *, cache_seqlens, causal):
        calls.update(lengths=cache_seqlens.tolist(), causal=causal, capacity=keys.shape[1])
        return query

    fake = types.ModuleType("flash_attn")
    fake.flash_attn_with_kvcache = flash_attn_with_kvcache  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "flash_attn", fake)
    query, keys = torch.randn(2, 4, 8), torch.randn(12, 2, 8)
    span = CausalSpan.build(0, 2, 0, 7, CPU)
    assert attend_span(query, keys, keys, span, "flash_attention_2").shape == query.shape
    assert calls == {"lengths": [9], "causal": True, "capacity": 12}


def test_auto_falls_back_to_sdpa_without_flash_attention():
    assert resolve_backend("auto", CPU) == "sdpa"


@pytest.mark.parametrize("name", ["sdpa", "eager"])
def test_a_named_backend_is_honoured(name):
    assert resolve_backend(name, CUDA) == name


def test_flash_attention_that_is_missing_is_refused_by_name():
    with pytest.raises(AttentionUnavailableError, match="not installed"):
        resolve_backend("flash_attention_2", CUDA)


def test_an_unknown_backend_is_refused_with_the_choices():
    with pytest.raises(AttentionUnavailableError, match="flash_attention_2, sdpa or eager"):
        resolve_backend("magic", CPU)
