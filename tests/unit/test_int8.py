"""Weights as 8-bit integers: how they are rounded, loaded, joined and stored."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from MiniCPMO45 import CheckpointError, MiniCPMO, int8
from MiniCPMO45.int8 import (
    FEW_ROWS_ON_CPU,
    Int8Linear,
    dequantise,
    plain_product,
    product,
    quantise,
    quantise_linears,
    rounded_product,
    weight_of,
)
from MiniCPMO45.joined_linears import side_by_side
from MiniCPMO45.sessions.base import Session
from MiniCPMO45.token2wav.weights import read_state_dict
from MiniCPMO45.weight_files import SCALE_ENDING
from training.nano.model import as_integers, lay_over, store_as_integers
from training.nano.token2wav import new_flow

WEIGHTS = "model.safetensors"
LAYER = "llm.model.layers.0.mlp.up_proj.weight"
DECODER_LAYERS = ("llm.model.layers.", "tts.model.layers.")
IDS = list(range(40, 90))


@pytest.fixture
def integers(tmp_path: Path, checkpoint_folder: Path) -> Path:
    """The recorded checkpoint, stored as integers by its writer."""
    folder = Path(shutil.copytree(checkpoint_folder, tmp_path / "checkpoint"))
    store_as_integers(folder)
    return folder


def scores_of(model: MiniCPMO) -> Tensor:
    with Session(model) as session:
        return session.scores(session.feed_ids(IDS))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_no_weight_is_off_by_more_than_half_a_step_of_its_row(dtype: torch.dtype) -> None:
    weight = torch.randn(40, 300, dtype=dtype) * torch.logspace(-3, 2, 40, dtype=dtype)[:, None]
    values, scales = quantise(weight)
    off = (dequantise(values, scales) - weight.float()).abs() / scales.float()[:, None]
    rounded_scale = 127 * torch.finfo(dtype).eps  # moves the ends of a row, not its middle
    assert float(off.max()) <= 0.5 + rounded_scale
    assert float(off.mean()) < 0.26


def test_a_row_of_zeros_stays_one() -> None:
    values, scales = quantise(torch.zeros(2, 8))
    assert not values.any()
    assert not scales.any()


def test_integers_and_their_scales_round_to_themselves() -> None:
    values, scales = quantise(torch.randn(30, 200))
    again = quantise(dequantise(values, scales))
    assert torch.equal(again.values, values)


def test_a_layer_of_integers_is_near_the_one_it_stands_in_for() -> None:
    linear = nn.Linear(256, 96, bias=False).requires_grad_(False)
    rows = torch.randn(7, 256)
    expected = linear(rows)
    off = Int8Linear(linear.weight)(rows) - expected
    assert float(off.norm() / expected.norm()) < 0.01


@pytest.mark.parametrize("n_rows", [1, FEW_ROWS_ON_CPU])
def test_few_rows_are_rounded_to_bfloat16_on_the_cpu(n_rows: int) -> None:
    rows, weight = torch.randn(n_rows, 256), quantise(torch.randn(96, 256))
    found, expected = product(rows, weight), plain_product(rows, weight)
    assert torch.equal(found, rounded_product(rows, weight))
    assert found.dtype == torch.float32
    assert 1e-4 < float((found - expected).norm() / expected.norm()) < 2**-8


@pytest.mark.parametrize(
    "rows",
    [
        torch.ones(FEW_ROWS_ON_CPU + 1, 256),
        torch.ones(1, 256, dtype=torch.bfloat16),
        torch.ones(1, 24),
    ],
    ids=["more rows", "rounded already", "a width the kernel does not know"],
)
def test_other_rows_are_multiplied_by_a_copy_of_the_integers(rows: Tensor) -> None:
    weight = quantise(torch.randn(96, rows.shape[1]).to(rows.dtype))
    assert torch.equal(product(rows, weight), plain_product(rows, weight))


def test_a_version_of_pytorch_without_the_kernel_computes_the_same_without_rounding(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(int8, "KERNEL_ON_CPU", None)
    rows, weight = torch.randn(1, 256), quantise(torch.randn(96, 256))
    assert torch.equal(product(rows, weight), plain_product(rows, weight))


def test_only_the_named_layers_become_integers() -> None:
    layers = nn.Sequential(nn.Linear(8, 8), nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 8)))
    quantise_linears(layers, {"1.0.weight"})
    rounded = [name for name, each in layers.named_modules() if is_rounded(each)]
    assert rounded == ["1.0"]


def test_layers_side_by_side_give_what_they_give_alone_and_share_memory() -> None:
    linears = [Int8Linear(torch.randn(width, 64)) for width in (48, 16, 16)]
    rows = torch.randn(5, 64)
    alone = torch.cat([linear(rows) for linear in linears], dim=1)
    joined = side_by_side(linears)
    torch.testing.assert_close(product(rows, joined), alone)
    assert {weight_of(linear)[0].untyped_storage().data_ptr() for linear in linears} == {
        joined[0].untyped_storage().data_ptr()
    }
    again = torch.cat([linear(rows) for linear in linears], dim=1)
    torch.testing.assert_close(again, alone)


def test_a_checkpoint_loads_as_integers_what_it_would_quantise_to(
    checkpoint_folder: Path, model: MiniCPMO
) -> None:
    loaded = MiniCPMO.load(str(checkpoint_folder), max_length=64, quantization="int8")
    plain = MiniCPMO.load(str(checkpoint_folder), max_length=64)
    quantise_linears(plain.llm.model.layers)
    assert loaded.llm.lm_head.weight.dtype == torch.float32
    for ours, theirs in zip(
        loaded.llm.model.layers.modules(), plain.llm.model.layers.modules(), strict=True
    ):
        assert not isinstance(ours, nn.Linear)
        if isinstance(ours, Int8Linear) and isinstance(theirs, Int8Linear):
            assert torch.equal(ours.weight, theirs.weight)
            assert torch.equal(ours.scales, theirs.scales)
    expected = scores_of(model)
    assert float((scores_of(loaded) - expected).norm() / expected.norm()) < 0.03


def test_a_checkpoint_stored_as_integers_keeps_those_of_few_rows_and_loads_the_rest_as_floats(
    integers: Path, model: MiniCPMO
) -> None:
    stored = load_file(integers / WEIGHTS)
    loaded = MiniCPMO.load(str(integers), max_length=64)
    kept = {f"{name}.weight" for name, each in loaded.named_modules() if is_rounded(each)}
    linears = {name for name in stored if "_proj.weight" in name and stored[name].ndim == 2}
    assert kept == {name for name in linears if name.startswith(DECODER_LAYERS)} - scales(stored)
    for (name, ours), (_, original) in zip(
        loaded.named_parameters(), model.named_parameters(), strict=True
    ):
        if name in kept:
            assert torch.equal(ours, stored[name]), name
        elif name + SCALE_ENDING in stored:
            expected = dequantise(stored[name], stored[name + SCALE_ENDING])
            assert torch.equal(ours, expected), name
        else:
            assert torch.equal(ours, original.half().float()), name
    expected = scores_of(model)
    assert float((scores_of(loaded) - expected).norm() / expected.norm()) < 0.03


def is_rounded(module: nn.Module) -> bool:
    return isinstance(module, Int8Linear)


def scales(stored: dict[str, Tensor]) -> set[str]:
    return {name for name in stored if name.endswith(SCALE_ENDING)}


def test_integers_become_floats_where_other_weights_are_laid_over_them(
    integers: Path, tmp_path: Path
) -> None:
    learnt = {LAYER: torch.randn(load_file(integers / WEIGHTS)[LAYER].shape)}
    torch.save(learnt, tmp_path / "overlay.pt")
    loaded = MiniCPMO.load(str(integers), pt_path=str(tmp_path / "overlay.pt"), max_length=64)
    assert {parameter.dtype for parameter in loaded.parameters()} == {torch.float32}
    assert torch.equal(dict(loaded.named_parameters())[LAYER], learnt[LAYER])


def test_an_answer_is_chosen_from_the_same_scores_up_to_bfloat16(integers: Path) -> None:
    def one_by_one(model: MiniCPMO) -> Tensor:
        with Session(model) as session:
            hidden = session.feed_ids(IDS)
            for token in IDS[:5]:
                hidden = session.feed_token(torch.tensor(token))
            return session.scores(hidden)

    kept = MiniCPMO.load(str(integers), max_length=64)
    expected = one_by_one(floats_of(integers))
    assert float((one_by_one(kept) - expected).norm() / expected.norm()) < 0.02


def floats_of(integers: Path) -> MiniCPMO:
    """The same weights in float32."""
    lay_over(integers, [])
    return MiniCPMO.load(str(integers), max_length=64)


def test_training_goes_on_from_a_checkpoint_stored_as_integers(
    integers: Path, tmp_path: Path
) -> None:
    stored = load_file(integers / WEIGHTS)
    learnt = torch.randn(stored[LAYER].shape)
    save_file({LAYER: learnt}, tmp_path / "stage.safetensors")
    lay_over(integers, [tmp_path / "stage.safetensors"])
    weights = load_file(integers / WEIGHTS)
    assert {tensor.dtype for tensor in weights.values()} == {torch.float32}
    assert torch.equal(weights.pop(LAYER), learnt)
    for name, tensor in weights.items():
        if name + SCALE_ENDING in stored:
            assert torch.equal(tensor, dequantise(stored[name], stored[name + SCALE_ENDING]))


def test_a_share_of_new_weights_leaves_the_rest_to_the_old_ones(
    integers: Path, tmp_path: Path
) -> None:
    stored = load_file(integers / WEIGHTS)
    old = dequantise(stored[LAYER], stored[LAYER + SCALE_ENDING])
    learnt = torch.randn(stored[LAYER].shape)
    save_file({LAYER: learnt}, tmp_path / "stage.safetensors")
    lay_over(integers, [tmp_path / "stage.safetensors"], share=0.25)
    mixed = load_file(integers / WEIGHTS)[LAYER]
    torch.testing.assert_close(mixed, 0.75 * old + 0.25 * learnt)


def test_integers_in_a_checkpoint_stay_the_same_where_the_model_holds_integers(
    integers: Path,
) -> None:
    loaded = MiniCPMO.load(str(integers), max_length=64, quantization="int8")
    stored = load_file(integers / WEIGHTS)
    assert torch.equal(dict(loaded.named_parameters())[LAYER], stored[LAYER])


def test_a_checkpoint_takes_a_quarter_of_the_bytes_and_is_not_rounded_twice(
    integers: Path, checkpoint_folder: Path
) -> None:
    sizes = [(folder / WEIGHTS).stat().st_size for folder in (integers, checkpoint_folder)]
    assert sizes[0] < 0.35 * sizes[1]
    with pytest.raises(ValueError, match="stored as integers already"):
        store_as_integers(integers)


def without_scale(stored: dict[str, Tensor]) -> None:
    del stored[LAYER + SCALE_ENDING]


def of_another_shape(stored: dict[str, Tensor]) -> None:
    stored[LAYER + SCALE_ENDING] = torch.ones(3)


def of_no_integers(stored: dict[str, Tensor]) -> None:
    stored["llm.model.norm.weight_scale"] = torch.ones(3)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (without_scale, rf"{LAYER} is stored as integers without {LAYER}_scale"),
        (of_another_shape, rf"{LAYER}_scale has shape \[3\]"),
        (of_no_integers, r"llm\.model\.norm\.weight_scale: there are no integers"),
    ],
)
def test_integers_and_scales_that_do_not_fit_are_named(
    integers: Path, damage: Callable[[dict[str, Tensor]], None], message: str
) -> None:
    stored = load_file(integers / WEIGHTS)
    damage(stored)
    (integers / WEIGHTS).unlink()
    save_file(stored, integers / WEIGHTS)
    with pytest.raises(CheckpointError, match=message):
        MiniCPMO.load(str(integers), max_length=64)


def test_the_parts_that_make_sound_load_from_integers_as_from_what_they_stand_for(
    tmp_path: Path,
) -> None:
    path = tmp_path / "flow.pt"
    flow = new_flow()
    state = {name: value.detach() for name, value in flow.state_dict().items()}
    torch.save(as_integers(state), path)
    read = read_state_dict(path)
    assert read.keys() == state.keys()
    for name, value in state.items():
        assert read[name].shape == value.shape, name
        step = value.abs().max() / 127
        assert (read[name].float() - value).abs().max() <= 0.51 * step + 1e-3 * value.abs().max()
    assert path.stat().st_size < 0.3 * sum(4 * value.numel() for value in state.values())
