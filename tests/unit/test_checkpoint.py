from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from MiniCPMO45 import CheckpointError, MiniCPMO
from MiniCPMO45.configuration import MiniCPMOConfig

WEIGHTS = "model.safetensors"


@pytest.fixture
def folder(tmp_path: Path, checkpoint_folder: Path) -> Path:
    return Path(shutil.copytree(checkpoint_folder, tmp_path / "checkpoint", symlinks=False))


def rewrite(folder: Path, change) -> None:
    tensors = load_file(folder / WEIGHTS)
    change(tensors)
    save_file(tensors, folder / WEIGHTS)


def edit_config(folder: Path, **values) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def load(folder: Path, **options) -> MiniCPMO:
    return MiniCPMO.load(str(folder), max_length=64, **options)


def test_shards_load_through_their_index(folder: Path, model):
    tensors = load_file(folder / WEIGHTS)
    names = sorted(tensors)
    weight_map = {}
    for shard in range(3):
        file = f"model-{shard}.safetensors"
        save_file({name: tensors[name] for name in names[shard::3]}, folder / file)
        weight_map.update(dict.fromkeys(names[shard::3], file))
    (folder / WEIGHTS).unlink()
    (folder / f"{WEIGHTS}.index.json").write_text(json.dumps({"weight_map": weight_map}))
    fractions = []
    sharded = load(folder, progress=lambda fraction, text: fractions.append(fraction))
    assert fractions == [0.0, pytest.approx(1 / 3), pytest.approx(2 / 3), 1.0]
    for (name, ours), (_, theirs) in zip(
        sharded.named_parameters(), model.named_parameters(), strict=True
    ):
        assert torch.equal(ours, theirs), name


def test_a_missing_shard_is_named(folder: Path):
    index = {"weight_map": {"llm.lm_head.weight": "model-7.safetensors"}}
    (folder / f"{WEIGHTS}.index.json").write_text(json.dumps(index))
    with pytest.raises(CheckpointError, match=r"missing model-7\.safetensors"):
        load(folder)


def test_a_missing_tensor_is_named(folder: Path):
    rewrite(folder, lambda tensors: tensors.pop("vpm.post_layernorm.bias"))
    with pytest.raises(CheckpointError, match=r"lacks 1 tensors: vpm\.post_layernorm\.bias"):
        load(folder)


def test_a_tensor_of_another_shape_is_named_with_both_shapes(folder: Path):
    rewrite(folder, lambda tensors: tensors.update({"llm.model.norm.weight": torch.ones(5)}))
    with pytest.raises(CheckpointError, match=r"llm\.model\.norm\.weight has shape \[5\].*\[128\]"):
        load(folder)


def test_unexpected_tensors_are_reported_and_the_unused_one_is_not(folder: Path, caplog):
    extra = {"tts.model.embed_tokens.weight": torch.ones(2), "surprise": torch.ones(2)}
    rewrite(folder, lambda tensors: tensors.update(extra))
    load(folder)
    assert "1 unexpected keys: surprise" in caplog.text


def test_tensors_of_other_integers_are_refused(folder: Path):
    whole = {"llm.model.norm.weight": torch.ones(128, dtype=torch.int32)}
    rewrite(folder, lambda tensors: tensors.update(whole))
    with pytest.raises(CheckpointError, match=r"llm\.model\.norm\.weight is torch\.int32"):
        load(folder)


def test_a_damaged_file_is_a_checkpoint_error(folder: Path):
    (folder / WEIGHTS).write_bytes(b"not safetensors at all")
    with pytest.raises(CheckpointError, match="cannot read"):
        load(folder)


def test_an_overlay_replaces_what_it_names(folder: Path, tmp_path: Path, caplog):
    overlay = tmp_path / "overlay.pt"
    torch.save({"llm.model.norm.weight": torch.full((128,), 3.0), "extra": torch.ones(1)}, overlay)
    loaded = load(folder, pt_path=str(overlay))
    assert float(loaded.llm.model.norm.weight.unique()) == 3.0
    assert "1 tensors overlaid; 1 unexpected keys: extra" in caplog.text


def test_an_overlay_refolds_the_speech_head(folder: Path, tmp_path: Path, model):
    key = "tts.head_code.0.parametrizations.weight.original0"
    overlay = tmp_path / "overlay.pt"
    torch.save({key: 2 * dict(model.named_parameters())[key]}, overlay)
    row = torch.ones(1, 64)
    doubled = load(folder, pt_path=str(overlay)).tts.head_code[0](row)
    torch.testing.assert_close(doubled, 2 * model.tts.head_code[0](row))


def test_an_overlay_of_another_shape_is_refused(folder: Path, tmp_path: Path):
    overlay = tmp_path / "overlay.pt"
    torch.save({"llm.model.norm.weight": torch.ones(7)}, overlay)
    with pytest.raises(CheckpointError, match=r"shape \[7\]"):
        load(folder, pt_path=str(overlay))


def test_a_missing_overlay_is_a_checkpoint_error(folder: Path):
    with pytest.raises(CheckpointError, match="pt_path"):
        load(folder, pt_path=str(folder / "nowhere.pt"))


@pytest.mark.parametrize("path", ["/nowhere/at/all", "./nowhere"])
def test_a_path_that_is_no_folder_is_not_taken_for_a_hub_id(path: str):
    with pytest.raises(CheckpointError, match="is not a folder"):
        MiniCPMO.load(path)


def test_another_model_is_refused_by_type_and_version(folder: Path):
    edit_config(folder, version="2.6")
    with pytest.raises(CheckpointError, match=r"version '2\.6'"):
        load(folder)


def test_a_quantised_checkpoint_is_refused(folder: Path):
    edit_config(folder, quantization_config={"quant_method": "awq"})
    with pytest.raises(CheckpointError, match=r"quant_method 'awq'"):
        load(folder)


def test_a_tokenizer_larger_than_the_model_is_refused(folder: Path):
    edit_config(folder, vocab_size=1000)
    cut = {"llm.model.embed_tokens.weight", "llm.lm_head.weight"}
    rewrite(
        folder,
        lambda tensors: tensors.update({key: tensors[key][:1000].clone() for key in cut}),
    )
    with pytest.raises(CheckpointError, match="1142 entries, the model only 1000"):
        load(folder)


def test_weights_load_in_the_asked_dtype(folder: Path):
    loaded = load(folder, dtype=torch.bfloat16)
    assert {parameter.dtype for parameter in loaded.parameters()} == {torch.bfloat16}
    assert loaded.language.cache.keys.dtype == torch.bfloat16


def test_the_last_vision_layer_follows_the_configuration(folder: Path):
    config = MiniCPMOConfig.from_folder(folder)
    assert config.drop_vision_last_layer
    kept = len(load(folder).vpm.encoder.layers)
    assert kept == config.vision_config.num_hidden_layers - 1


def test_published_sizes_have_the_published_keys_and_parameter_counts():
    from tests.gpu.full_size import PUBLISHED

    with torch.device("meta"):
        published = MiniCPMO(PUBLISHED)
    counts = {}
    for name, parameter in published.named_parameters():
        prefix = name.split(".")[0]
        counts.setdefault(prefix, []).append(parameter.numel())
    # The unused table tts.model.embed_tokens (32000 x 768) is the one tensor we leave out.
    assert {prefix: (len(sizes), sum(sizes)) for prefix, sizes in counts.items()} == {
        "llm": (399, 8_189_195_264),
        "vpm": (437, 417_792_240),
        "resampler": (13, 88_907_776),
        "apm": (367, 307_216_384),
        "audio_projection_layer": (4, 20_979_712),
        "tts": (193, 347_696_290 - 32000 * 768),
    }
