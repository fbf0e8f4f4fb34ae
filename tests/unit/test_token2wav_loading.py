"""Reading a token2wav folder: exact keys, both spellings of weight norm, tags as plain data."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from MiniCPMO45.errors import CheckpointError
from MiniCPMO45.tiny.token2wav import FLOW, HIFT, flow_yaml, hift_state, write_token2wav
from MiniCPMO45.token2wav import Token2Wav, Token2WavOptions
from MiniCPMO45.token2wav.configuration import FlowConfig, HiFTConfig
from MiniCPMO45.token2wav.flow import Flow
from MiniCPMO45.token2wav.flow_yaml import read_flow_yaml
from MiniCPMO45.token2wav.hift import HiFT
from MiniCPMO45.token2wav.loading import build_hift
from MiniCPMO45.token2wav.weights import StateDict, fold_weight_norm
from tests.unit.token2wav_support import CPU, published_layout

PUBLISHED_YAML = """\
flow: !new:cosyvoice2.flow.flow.CausalMaskedDiffWithXvec
    input_size: 512
    output_size: 80
    spk_embed_dim: 192
    output_type: 'mel'
    vocab_size: 6561
    encoder: !new:cosyvoice2.transformer.upsample_encoder_v2.UpsampleConformerEncoderV2
        input_size: 512
        output_size: 512
        input_layer: 'linear'
        num_blocks: 6
        pos_enc_layer_type: 'rel_pos_espnet'
        normalize_before: True
        dropout_rate: 0.1
    decoder: !new:cosyvoice2.flow.flow_matching.CausalConditionalCFM
        inference_cfg_rate: 0.7
        estimator: !new:cosyvoice2.flow.decoder_dit.DiT
            in_channels: 320
            depth: 16
"""


@pytest.fixture(scope="module")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoint") / "token2wav"
    write_token2wav(folder)
    return folder


@pytest.fixture
def folder(tiny_folder: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(tiny_folder, tmp_path / "token2wav"))


def change(file: Path, **tensors: torch.Tensor | None) -> None:
    """Replace tensors of a state dict (``__`` stands for a dot); None removes one."""
    state = torch.load(file, weights_only=True)
    for name, tensor in tensors.items():
        key = name.replace("__", ".")
        state.pop(key, None)
        if tensor is not None:
            state[key] = tensor
    torch.save(state, file)


def test_the_published_flow_has_the_librarys_keys_shapes_and_size():
    with torch.device("meta"):
        shapes = {k: tuple(v.shape) for k, v in Flow(FlowConfig()).state_dict().items()}
    assert shapes == published_layout()["flow.pt"]
    assert len(shapes) == 605
    assert sum(torch.Size(shape).numel() for shape in shapes.values()) == 155_802_352


def test_the_published_vocoder_has_the_librarys_keys_shapes_and_size():
    layout = published_layout()["hift.pt"]
    assert len(layout) == 328
    assert sum(torch.Size(shape).numel() for shape in layout.values()) == 20_821_295
    folded = fold_weight_norm({key: torch.ones(shape) for key, shape in layout.items()})
    with torch.device("meta"):
        expected = {k: tuple(v.shape) for k, v in HiFT(HiFTConfig()).state_dict().items()}
    assert {key: tuple(value.shape) for key, value in folded.items()} == expected


def test_the_recipe_spells_the_vocoder_as_published():
    assert hift_state(HIFT).keys() == published_layout()["hift.pt"].keys()


def test_the_published_yaml_gives_the_published_sizes(tmp_path):
    path = tmp_path / "flow.yaml"
    path.write_text(PUBLISHED_YAML)
    assert read_flow_yaml(path) == (FlowConfig(), HiFTConfig())


def test_the_tiny_folder_loads_with_its_own_sizes(tiny_folder):
    assert read_flow_yaml(tiny_folder / "flow.yaml") == (FLOW, HIFT)
    model = Token2Wav.load(tiny_folder)
    assert model.sample_rate == 24000
    assert model.device == CPU


def test_what_only_prepares_the_solver_takes_no_memory_once_loaded(tiny_folder):
    flow = Token2Wav.load(tiny_folder).synthesizer.flow
    networks = flow.estimator.modulation_networks
    dropped = {id(weight) for network in networks for weight in network.parameters()}
    places = {(id(weight) in dropped, weight.device.type) for weight in flow.parameters()}
    assert places == {(True, "meta"), (False, "cpu")}


def test_tags_of_the_yaml_are_never_obeyed(tmp_path):
    made = tmp_path / "made"
    path = tmp_path / "flow.yaml"
    hook = f"extra: !new:os.mkdir ['{made}']\nother: !apply:os.mkdir ['{made}']\n"
    path.write_text(PUBLISHED_YAML + hook + "name: !ref <flow>\n")
    assert read_flow_yaml(path)[0] == FlowConfig()
    path.write_text(PUBLISHED_YAML + f"extra: !!python/object/apply:os.mkdir ['{made}']\n")
    with pytest.raises(CheckpointError, match="not valid YAML"):
        read_flow_yaml(path)
    assert not made.exists()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("output_type: 'mel'", "output_type: 'wave'", "flow.output_type is 'wave'"),
        ("input_layer: 'linear'", "input_layer: 'conv'", "flow.encoder.input_layer is 'conv'"),
        ("normalize_before: True", "normalize_before: False", "normalize_before is False"),
        ("in_channels: 320", "in_channels: 300", "four times out_channels"),
        ("    input_size: 512\n    output", "    input_size: 256\n    output", "must be equal"),
        (
            "        input_size: 512\n",
            "        attention_heads: 7\n",
            "multiple of attention_heads",
        ),
        ("        input_size: 512\n", "        up_stride: 3\n", "up_scale_factor must equal"),
        ("    decoder:", "    coder:", "no mapping 'decoder'"),
        ("flow: !new", "flow: {!new", "not valid YAML"),
        (PUBLISHED_YAML, PUBLISHED_YAML + "hift: {base_channels: 20}\n", "multiple of 8"),
        (
            PUBLISHED_YAML,
            PUBLISHED_YAML + "hift: {in_channels: 40}\n",
            "hift.in_channels must equal",
        ),
        (
            PUBLISHED_YAML,
            PUBLISHED_YAML + "hift: {upsample_rates: [8, 5]}\n",
            "one upsample kernel",
        ),
    ],
)
def test_a_yaml_that_does_not_fit_is_refused_by_field(tmp_path, old, new, message):
    assert old in PUBLISHED_YAML
    path = tmp_path / "flow.yaml"
    path.write_text(PUBLISHED_YAML.replace(old, new))
    with pytest.raises(CheckpointError, match=message):
        read_flow_yaml(path)


@pytest.mark.parametrize(
    "file",
    ["flow.yaml", "flow.pt", "hift.pt", "campplus.onnx", "speech_tokenizer_v2_25hz.onnx"],
)
def test_a_missing_or_damaged_file_is_named(folder, file):
    (folder / file).write_bytes(b"\0no such thing")
    with pytest.raises(CheckpointError, match=file):
        Token2Wav.load(folder)
    (folder / file).unlink()
    with pytest.raises(CheckpointError, match=file):
        Token2Wav.load(folder)


def test_every_key_that_does_not_fit_is_reported(folder):
    change(
        folder / "flow.pt",
        encoder_proj__bias=None,
        encoder__after_norm__weight=None,
        surplus=torch.ones(2),
        encoder_proj__weight=torch.ones(80, 31),
    )
    with pytest.raises(CheckpointError) as caught:
        Token2Wav.load(folder)
    message = str(caught.value)
    assert "2 missing: encoder.after_norm.weight, encoder_proj.bias" in message
    assert "1 unexpected: surplus" in message
    assert "1 mis-shaped: encoder_proj.weight [80, 31] instead of [80, 32]" in message


def test_a_file_that_holds_more_than_tensors_is_refused(folder):
    torch.save({"flow": {"nested": torch.ones(1)}}, folder / "flow.pt")
    with pytest.raises(CheckpointError, match="not a flat dictionary of tensors"):
        Token2Wav.load(folder)


def parameters(state: StateDict) -> list[torch.Tensor]:
    return list(build_hift(state, HIFT, CPU).state_dict().values())


def test_prefixes_and_spellings_of_the_vocoder_load_alike():
    state = hift_state(HIFT)
    prefixed = {f"generator.{key}": value for key, value in state.items()}
    old_names = {
        key.replace(".parametrizations.weight.original0", ".weight_g").replace(
            ".parametrizations.weight.original1", ".weight_v"
        ): value
        for key, value in state.items()
    }
    assert "ups.0.weight_v" in old_names
    plain = fold_weight_norm(state)
    for variant in (prefixed, old_names, plain):
        for loaded, expected in zip(parameters(variant), parameters(state), strict=True):
            assert torch.equal(loaded, expected)


def test_weight_norm_is_folded_as_pytorch_computes_it():
    torch.manual_seed(0)
    for layer in (torch.nn.Conv1d(3, 5, 4), torch.nn.ConvTranspose1d(3, 5, 4)):
        normed = torch.nn.utils.parametrizations.weight_norm(layer)
        state = {f"layer.{key}": value for key, value in normed.state_dict().items()}
        state["layer.parametrizations.weight.original0"] *= 1.7  # in place, so the layer follows
        torch.testing.assert_close(fold_weight_norm(state)["layer.weight"], layer.weight.data)


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({"conv.weight_g": torch.ones(2, 1, 1)}, "conv.weight lacks one half"),
        (
            {"conv.weight_g": torch.ones(3, 1, 1), "conv.weight_v": torch.ones(2, 3, 1)},
            r"a gain of shape \[3, 1, 1\]",
        ),
    ],
)
def test_halves_of_a_weight_norm_must_fit(tensors, message):
    with pytest.raises(CheckpointError, match=message):
        fold_weight_norm(tensors)


def test_a_causal_vocoder_is_refused_unless_the_classic_one_lies_beside_it(folder):
    classic = folder / "hift_original.pt"
    shutil.copy(folder / "hift.pt", classic)
    change(
        folder / "hift.pt",
        conv_pre__parametrizations__weight__original1=torch.ones(32, 80, 5),
    )
    Token2Wav.load(folder)
    classic.unlink()
    with pytest.raises(CheckpointError, match=r"causal vocoder.*hift_original\.pt"):
        Token2Wav.load(folder)


def test_a_lookahead_code_without_embedding_is_refused(tiny_folder):
    with pytest.raises(CheckpointError, match="lookahead code 6561"):
        Token2Wav.load(tiny_folder, options=Token2WavOptions(lookahead_code=6561))


def test_the_yaml_of_the_recipe_reads_back_for_published_sizes(tmp_path):
    path = tmp_path / "flow.yaml"
    path.write_text(flow_yaml(FlowConfig(), HiFTConfig()))
    assert read_flow_yaml(path) == (FlowConfig(), HiFTConfig())
