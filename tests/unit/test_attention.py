from __future__ import annotations

import sys
import types

import pytest
import torch
from torch.nn import functional

from MiniCPMO45.attention import CausalSpan, attend_cached, resolve_backend
from MiniCPMO45.errors import AttentionUnavailableError

CPU = torch.device("cpu")
CUDA = torch.device("cuda")


def plain_causal(query, keys, values, lengths):
    """Row by row and query by query, straight from the definition."""
    out = torch.zeros_like(query)
    group = query.shape[2] // keys.shape[2]
    for row, length in enumerate(lengths):
        for t in range(query.shape[1]):
            seen = length - query.shape[1] + t + 1
            for head in range(query.shape[2]):
                k, v = keys[row, :seen, head // group], values[row, :seen, head // group]
                weights = functional.softmax(k @ query[row, t, head] / query.shape[3] ** 0.5, -1)
                out[row, t, head] = weights @ v
    return out


@pytest.mark.parametrize("backend", ["sdpa", "eager"])
@pytest.mark.parametrize(
    ("lengths", "n_queries", "exact"),
    [([7], 7, True), ([9], 4, True), ([9], 1, True), ([9, 4], 1, False), ([6, 9], 3, False)],
)
def test_backends_compute_causal_attention_over_the_filled_cache(
    backend, lengths, n_queries, exact
):
    torch.manual_seed(0)
    rows, capacity = len(lengths), 12
    query = torch.randn(rows, n_queries, 4, 8)
    keys, values = torch.randn(2, rows, capacity, 2, 8)
    indices = torch.stack([torch.arange(n - n_queries, n) for n in lengths])
    span = CausalSpan.build(indices, max(lengths), exact=exact)
    result = attend_cached(query, keys, values, span, backend)
    torch.testing.assert_close(result, plain_causal(query, keys, values, lengths))


def test_flash_attention_gets_the_cache_rows_and_their_filled_lengths(monkeypatch):
    calls = {}

    def flash_attn_with_kvcache(query, keys, values, *, cache_seqlens, causal):
        calls.update(lengths=cache_seqlens.tolist(), causal=causal, capacity=keys.shape[1])
        return query

    fake = types.ModuleType("flash_attn")
    fake.flash_attn_with_kvcache = flash_attn_with_kvcache  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "flash_attn", fake)
    query, keys = torch.randn(2, 1, 4, 8), torch.randn(2, 12, 2, 8)
    span = CausalSpan.build(torch.tensor([[8], [3]]), 9, exact=False)
    attend_cached(query, keys, keys, span, "flash_attention_2")
    assert calls == {"lengths": [9, 4], "causal": True, "capacity": 12}


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
