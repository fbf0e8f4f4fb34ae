"""Vision transformer: positions, masks, backends, published keys and sizes."""

from __future__ import annotations

import dataclasses
import sys
from itertools import pairwise
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from MiniCPMO45 import MiniCPMO
from MiniCPMO45.configuration import VisionConfig
from MiniCPMO45.image import batch_slices, preprocess_image
from MiniCPMO45.vision import VisionTransformer, axis_buckets, position_ids
from tests.golden.inputs import picture

SMALL = VisionConfig(
    hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4
)

# Where float32 rounding moves a patch off floor(70 * i / n); complete for n up to 140.
ROUNDED_BUCKETS = {
    25: {5: 13, 10: 27, 15: 41, 20: 55},
    49: {7: 9, 14: 19, 35: 49, 42: 59},
    50: {5: 6, 10: 13, 15: 20, 20: 27, 30: 41, 40: 55},
    55: {11: 13, 22: 27, 33: 41, 44: 55},
    58: {29: 34},
    77: {55: 49},
    82: {41: 34},
    86: {43: 34},
    94: {47: 34},
    98: {7: 4, 14: 9, 35: 24, 42: 29, 56: 39, 70: 49, 84: 59},
    100: {10: 6, 20: 13, 30: 20, 40: 27, 80: 55},
    110: {11: 6, 22: 13, 33: 20, 44: 27, 66: 41, 88: 55},
    115: {23: 13, 46: 27, 69: 41, 92: 55},
    135: {27: 13, 54: 27},
}


def small_transformer(backend: str = "sdpa") -> VisionTransformer:
    torch.manual_seed(0)
    return VisionTransformer(SMALL, backend).eval()  # pyright: ignore[reportArgumentType]


def strips(target_sizes: list[tuple[int, int]]) -> tuple[Tensor, Tensor, Tensor]:
    """Random pixels, patch mask and target sizes of a padded batch."""
    sizes = torch.tensor(target_sizes)
    lengths = sizes.prod(dim=1)
    mask = torch.arange(int(lengths.max())) < lengths[:, None]
    pixels = torch.randn(len(sizes), 3, 14, 14 * mask.shape[1], generator=torch.manual_seed(1))
    pixels *= mask.repeat_interleave(14, dim=1)[:, None, None]
    return pixels, mask, sizes


@pytest.mark.parametrize("n_patches", range(1, 141))
def test_position_buckets_round_as_the_weights_were_trained(n_patches: int) -> None:
    rounded = ROUNDED_BUCKETS.get(n_patches, {})
    expected = [rounded.get(i, 70 * i // n_patches) for i in range(n_patches)]
    assert axis_buckets(n_patches, 70).tolist() == expected


def test_documented_buckets_of_32_patches() -> None:
    expected = "0 2 4 6 8 10 13 15 17 19 21 24 26 28 30 32 35 37 39 41 43 45 48 50 52 54 56 59 61"
    assert axis_buckets(32, 70).tolist() == [*map(int, expected.split()), 63, 65, 67]


@pytest.mark.parametrize("n_patches", [1, 7, 32, 140, 714])
def test_buckets_stay_inside_the_table_and_in_order(n_patches: int) -> None:
    buckets = axis_buckets(n_patches, 70)
    assert len(buckets) == n_patches and 0 <= int(buckets.min()) and int(buckets.max()) < 70
    assert torch.equal(buckets, buckets.sort().values)


def test_position_ids_run_over_rows_and_pad_with_zero() -> None:
    ids = position_ids(torch.tensor([[2, 3], [1, 1]]), 8, 70)
    assert ids.tolist() == [[0, 23, 46, 2450, 2473, 2496, 0, 0], [0] * 8]


@torch.inference_mode()
@pytest.mark.parametrize("backend", ["sdpa", "eager"])
def test_padding_does_not_change_a_tile(backend: str) -> None:
    model = small_transformer(backend)
    sizes = [(3, 5), (4, 7), (2, 2)]
    pixels, mask, targets = strips(sizes)
    together = model(pixels, mask, targets)
    for row, (height, width) in enumerate(sizes):
        n_patches = height * width
        alone = model(
            pixels[row : row + 1, :, :, : 14 * n_patches],
            mask[row : row + 1, :n_patches],
            targets[row : row + 1],
        )
        assert torch.allclose(together[row, :n_patches], alone[0], atol=1e-5)


@torch.inference_mode()
def test_eager_and_sdpa_agree() -> None:
    batch = strips([(3, 5), (4, 7)])
    mask = batch[1]
    sdpa, eager = small_transformer("sdpa")(*batch), small_transformer("eager")(*batch)
    assert torch.allclose(sdpa[mask], eager[mask], atol=1e-5)


def varlen_attention(
    query: Tensor, key: Tensor, value: Tensor, offsets: Tensor, *rest: object
) -> Tensor:
    """What flash-attn's packed kernel computes, one tile after the other."""
    assert offsets.dtype == torch.int32
    assert rest[1:] == (int(offsets.diff().max()),) * 2
    # [total, heads, head_dim] -> [heads, total, head_dim]
    query, key, value = (rows.transpose(0, 1) for rows in (query, key, value))
    parts = [
        functional.scaled_dot_product_attention(
            query[:, first:end], key[:, first:end], value[:, first:end]
        )
        for first, end in pairwise(offsets.tolist())
    ]
    return torch.cat(parts, dim=1).transpose(0, 1)


@torch.inference_mode()
def test_packed_tiles_give_the_same_as_padded_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    flash_attn = ModuleType("flash_attn")
    flash_attn.flash_attn_varlen_func = varlen_attention  # pyright: ignore[reportAttributeAccessIssue]
    monkeypatch.setitem(sys.modules, "flash_attn", flash_attn)
    batch = strips([(3, 5), (4, 7), (2, 2)])
    mask = batch[1]
    packed = small_transformer("flash_attention_2")(*batch)
    assert torch.allclose(packed[mask], small_transformer("sdpa")(*batch)[mask], atol=1e-5)


@torch.inference_mode()
def test_runs_in_bfloat16() -> None:
    pixels, mask, targets = strips([(3, 5), (4, 7)])
    exact = small_transformer()(pixels, mask, targets)
    rounded = small_transformer().bfloat16()(pixels.bfloat16(), mask, targets)
    assert rounded.dtype == torch.bfloat16
    assert torch.allclose(rounded[mask].float(), exact[mask], atol=0.1)


def test_all_norms_use_the_configured_epsilon() -> None:
    model = VisionTransformer(dataclasses.replace(SMALL, layer_norm_eps=1e-3), "sdpa")
    norms = [module for module in model.modules() if isinstance(module, nn.LayerNorm)]
    assert len(norms) == 5 and {norm.eps for norm in norms} == {1e-3}
    assert VisionConfig().layer_norm_eps == 1e-6


@pytest.mark.parametrize(("n_layers", "n_parameters"), [(27, 417_792_240), (26, 402_552_736)])
def test_published_size(n_layers: int, n_parameters: int) -> None:
    with torch.device("meta"):
        model = VisionTransformer(
            dataclasses.replace(VisionConfig(), num_hidden_layers=n_layers), "sdpa"
        )
    assert sum(parameter.numel() for parameter in model.parameters()) == n_parameters


def test_published_keys_and_shapes() -> None:
    with torch.device("meta"):
        state = VisionTransformer(VisionConfig(num_hidden_layers=1), "sdpa").state_dict()
    width, inner = 1152, 4304
    layer = "encoder.layers.0"
    expected = {
        "embeddings.patch_embedding.weight": (width, 3, 14, 14),
        "embeddings.patch_embedding.bias": (width,),
        "embeddings.position_embedding.weight": (4900, width),
        f"{layer}.mlp.fc1.weight": (inner, width),
        f"{layer}.mlp.fc1.bias": (inner,),
        f"{layer}.mlp.fc2.weight": (width, inner),
        f"{layer}.mlp.fc2.bias": (width,),
    }
    for projection in ("q_proj", "k_proj", "v_proj", "out_proj"):
        expected[f"{layer}.self_attn.{projection}.weight"] = (width, width)
        expected[f"{layer}.self_attn.{projection}.bias"] = (width,)
    for norm in (f"{layer}.layer_norm1", f"{layer}.layer_norm2", "post_layernorm"):
        expected |= {f"{norm}.weight": (width,), f"{norm}.bias": (width,)}
    assert {key: tuple(tensor.shape) for key, tensor in state.items()} == expected


@torch.inference_mode()
def test_meta_construction_then_loading_gives_the_same_model() -> None:
    real = small_transformer()
    with torch.device("meta"):
        loaded = VisionTransformer(SMALL, "sdpa")
    loaded.load_state_dict(real.state_dict(), assign=True)
    batch = strips([(3, 5), (4, 7)])
    mask = batch[1]
    assert torch.equal(loaded(*batch)[mask], real(*batch)[mask])


@torch.inference_mode()
def test_more_tiles_than_one_vision_batch_give_the_rows_of_each_picture(model: MiniCPMO) -> None:
    settings = model.image_settings
    images = [preprocess_image(picture(k, 900 + 90 * k, 700), settings, 9) for k in range(4)]
    assert len(batch_slices(images).pixels) > model.config.vision_batch_size
    together = model.encode_images(images)
    alone = torch.cat([model.encode_images([image]) for image in images])
    assert torch.allclose(together, alone, atol=1e-5)
