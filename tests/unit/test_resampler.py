"""Resampler: position code, attention details, published keys and sizes."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from MiniCPMO45.configuration import MiniCPMOConfig, VisionConfig
from MiniCPMO45.resampler import Resampler, code_table, grid_places, position_code

SMALL = MiniCPMOConfig(hidden_size=256, query_num=5, vision_config=VisionConfig(hidden_size=32))


def small_resampler(config: MiniCPMOConfig = SMALL) -> Resampler:
    torch.manual_seed(0)
    resampler = Resampler(config).eval()
    for parameter in resampler.parameters():
        nn.init.normal_(parameter, std=0.1)
    return resampler


def codes_of(target_sizes: list[tuple[int, int]], like: torch.Tensor) -> torch.Tensor:
    sizes = torch.tensor(target_sizes)
    places = grid_places(sizes, like.shape[1], like.device)
    table = code_table(int(sizes.max()), like.shape[2] // 2, like.device, like.dtype)
    return position_code(places, table)


def code_of(rows: int, columns: int, width: int) -> torch.Tensor:
    codes = codes_of([(rows, columns)], torch.empty(1, rows * columns, width))
    return codes[0].view(rows, columns, width)


def test_position_code_has_the_documented_values() -> None:
    code = code_of(70, 70, 4096)
    expected = {0: -0.9589243, 1: -0.9706589, 1024: 0.2836622, 2048: 0.9092974, 3072: -0.4161468}
    assert [code[2, 5, place].item() for place in expected] == pytest.approx(
        list(expected.values()), abs=1e-6
    )
    assert code[69, 69, 100].item() == pytest.approx(0.2040749, abs=1e-6)


def test_position_code_does_not_depend_on_the_grid() -> None:
    assert torch.equal(code_of(3, 90, 64)[:2, :4], code_of(2, 4, 64))


def test_padding_has_no_position() -> None:
    codes = codes_of([(2, 2), (1, 3)], torch.empty(2, 5, 64))
    assert not codes[0, 4:].any() and not codes[1, 3:].any() and codes[1, :3].any()


def test_position_code_is_rounded_once_from_float32() -> None:
    like = torch.empty(1, 60 * 60, 256, dtype=torch.bfloat16)
    rounded = codes_of([(60, 60)], like)[0]
    assert torch.equal(rounded, code_of(60, 60, 256).flatten(0, 1).bfloat16())


@torch.inference_mode()
def test_forward_follows_the_published_formula() -> None:
    resampler = small_resampler()
    features, target = torch.randn(1, 12, 32), torch.tensor([[3, 4]])
    reference = nn.MultiheadAttention(256, 2, batch_first=True).eval()
    reference.load_state_dict(resampler.attn.state_dict())
    value = resampler.ln_kv(features @ resampler.state_dict()["kv_proj.weight"].T)
    key = value + code_of(3, 4, 256).flatten(0, 1)
    query = resampler.ln_q(resampler.query)[None]
    expected = resampler.ln_post(reference(query, key, value)[0]) @ resampler.proj
    assert torch.allclose(resampler(features, target), expected, atol=1e-4)


@torch.inference_mode()
def test_padding_does_not_change_a_tile() -> None:
    resampler = small_resampler()
    features, targets = torch.randn(2, 12, 32), torch.tensor([[3, 4], [2, 3]])
    together = resampler(features, targets)
    alone = resampler(features[1:, :6], targets[1:])
    assert torch.allclose(together[1:], alone, atol=1e-5)


@torch.inference_mode()
def test_equal_widths_need_no_input_projection() -> None:
    config = MiniCPMOConfig(hidden_size=128, vision_config=VisionConfig(hidden_size=128))
    resampler = small_resampler(config)
    assert "kv_proj.weight" not in resampler.state_dict()
    assert resampler(torch.randn(1, 4, 128), torch.tensor([[2, 2]])).shape == (1, 64, 128)


def test_norm_epsilon_is_1e_6() -> None:
    norms = [m for m in small_resampler().modules() if isinstance(m, nn.LayerNorm)]
    assert [norm.eps for norm in norms] == [1e-6] * 3


def test_published_keys_shapes_and_size() -> None:
    with torch.device("meta"):
        resampler = Resampler(MiniCPMOConfig())
    width = 4096
    expected = {
        "query": (64, width),
        "proj": (width, width),
        "kv_proj.weight": (width, 1152),
        "attn.in_proj_weight": (3 * width, width),
        "attn.in_proj_bias": (3 * width,),
        "attn.out_proj.weight": (width, width),
        "attn.out_proj.bias": (width,),
    }
    for norm in ("ln_q", "ln_kv", "ln_post"):
        expected |= {f"{norm}.weight": (width,), f"{norm}.bias": (width,)}
    state = resampler.state_dict()
    assert {key: tuple(tensor.shape) for key, tensor in state.items()} == expected
    assert sum(tensor.numel() for tensor in state.values()) == 88_907_776


@torch.inference_mode()
def test_meta_construction_then_loading_gives_the_same_model() -> None:
    real = small_resampler()
    with torch.device("meta"):
        loaded = Resampler(SMALL)
    loaded.load_state_dict(real.state_dict(), assign=True)
    features, target = torch.randn(1, 12, 32), torch.tensor([[3, 4]])
    assert torch.equal(loaded(features, target), real(features, target))
