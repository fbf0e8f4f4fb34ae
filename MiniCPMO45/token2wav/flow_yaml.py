"""Reading ``flow.yaml`` as data: its object tags are labels, and nothing is ever instantiated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from MiniCPMO45.errors import CheckpointError
from MiniCPMO45.token2wav.configuration import (
    EncoderConfig,
    EstimatorConfig,
    FlowConfig,
    HiFTConfig,
    build,
)

# What the networks are built for; a file that asks for something else is refused.
SUPPORTED = {
    "flow": {"output_type": "mel"},
    "flow.encoder": {
        "input_layer": "linear",
        "pos_enc_layer_type": "rel_pos_espnet",
        "selfattention_layer_type": "rel_selfattn",
        "normalize_before": True,
        "activation_type": "swish",
    },
}


class _PlainLoader(yaml.SafeLoader):
    """A safe loader that reads a node of any ``!tag`` as if the tag were not there."""

    def construct_untagged(self, _suffix: str, node: yaml.Node) -> Any:
        if isinstance(node, yaml.MappingNode):
            return self.construct_mapping(node, deep=True)
        if isinstance(node, yaml.SequenceNode):
            return self.construct_sequence(node, deep=True)
        assert isinstance(node, yaml.ScalarNode)
        return self.construct_scalar(node)


_PlainLoader.add_multi_constructor("!", _PlainLoader.construct_untagged)


def read_flow_yaml(path: Path) -> tuple[FlowConfig, HiFTConfig]:
    """The sizes of a token2wav folder.

    A top-level ``hift`` mapping is optional; without it the vocoder has the published sizes.

    Raises:
        CheckpointError: the file is missing, is not YAML, or describes other networks.
    """
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=_PlainLoader)
    except OSError as error:
        raise CheckpointError(f"cannot read {path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise CheckpointError(f"{path} is not valid YAML: {error}") from error
    flow = _mapping(document, "flow", path)
    encoder = _mapping(flow, "encoder", path)
    decoder = _mapping(flow, "decoder", path)
    estimator = _mapping(decoder, "estimator", path)
    _refuse_unsupported(flow, "flow")
    _refuse_unsupported(encoder, "flow.encoder")
    networks = {
        "encoder": build(EncoderConfig, encoder),
        "estimator": build(EstimatorConfig, estimator),
        "inference_cfg_rate": decoder.get("inference_cfg_rate", FlowConfig.inference_cfg_rate),
    }
    flow_config = build(FlowConfig, {**flow, **networks})
    hift_config = build(HiFTConfig, document.get("hift") or {})
    flow_config.validate()
    hift_config.validate()
    if hift_config.in_channels != flow_config.output_size:
        raise CheckpointError(f"{path}: hift.in_channels must equal flow.output_size")
    return flow_config, hift_config


def _mapping(parent: Any, key: str, path: Path) -> dict[str, Any]:
    value = parent.get(key) if isinstance(parent, dict) else None
    if not isinstance(value, dict):
        raise CheckpointError(f"{path} has no mapping {key!r}")
    return value


def _refuse_unsupported(values: dict[str, Any], name: str) -> None:
    for key, wanted in SUPPORTED[name].items():
        if values.get(key, wanted) != wanted:
            raise CheckpointError(
                f"flow.yaml: {name}.{key} is {values[key]!r}, only {wanted!r} is supported"
            )
