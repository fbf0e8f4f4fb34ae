"""The listening networks as the two ONNX graphs of a token2wav folder, with 8-bit weights."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from torch import Tensor, nn

from MiniCPMO45.int8 import quantise
from MiniCPMO45.tiny.onnx_file import FLOAT, INT32, INT64, Node, Value, model_bytes
from training.nano.speech_codec import (
    FEATURE_BANDS,
    FILTER_BANKS,
    N_DIGITS,
    SPEAKER_WIDTH,
    SpeakerEncoder,
    SpeechTokenizer,
)

_HALVING = {"kernel_shape": [3], "strides": [2], "pads": [1, 1]}
_WIDE = {"kernel_shape": [5], "pads": [2, 2]}


def tokenizer_graph(tokenizer: SpeechTokenizer) -> bytes:
    """Features ``[1, 128, T]`` and their length to ids ``[1, ceil(T / 4)]``."""
    nodes = [
        *_convolution("halve", "feats", "halved", _HALVING),
        Node("Relu", ["halved"], "half_rate"),
        *_convolution("quarter", "half_rate", "block0", _HALVING),
    ]
    depth = len(tokenizer.blocks.wide)
    for index in range(depth):
        name = f"block{index}"
        nodes += [
            Node("Relu", [name], f"{name}.active"),
            *_convolution(f"blocks.wide.{index}", f"{name}.active", f"{name}.wide", _WIDE),
            Node("Relu", [f"{name}.wide"], f"{name}.wide_active"),
            *_convolution(f"blocks.narrow.{index}", f"{name}.wide_active", f"{name}.change", {}),
            Node("Add", [name, f"{name}.change"], f"block{index + 1}"),
        ]
    nodes += [
        Node("Relu", [f"block{depth}"], "active"),
        *_convolution("digits", "active", "open", {}),
        Node("Tanh", ["open"], "bounded"),
        Node("Round", ["bounded"], "signs"),
        Node("Add", ["signs", "one"], "digits_of_code"),
        Node("Transpose", ["digits_of_code"], "rows", {"perm": [0, 2, 1]}),
        Node("MatMul", ["rows", "places"], "sums"),
        Node("Reshape", ["sums", "row"], "flat"),
        Node("Cast", ["flat"], "ids", {"to": INT64}),
        Node("Cast", ["feats_length"], "length", {"to": INT64}),
        Node("Add", ["length", "three"], "rounded_up"),
        Node("Div", ["rounded_up", "four"], "n_ids"),
        Node("Slice", ["ids", "zero", "n_ids", "axis"], "indices"),
    ]
    weights, unpacking = _weights(tokenizer)
    constants = weights | {
        "one": np.ones((), np.float32),
        "places": np.power(3, np.arange(N_DIGITS), dtype=np.float32)[:, None],
        "row": np.array([1, -1], np.int64),
        "zero": np.zeros(1, np.int64),
        "axis": np.ones(1, np.int64),
        "three": np.full(1, 3, np.int64),
        "four": np.full(1, 4, np.int64),
    }
    inputs = [Value("feats", FLOAT, [1, FEATURE_BANDS, "T"]), Value("feats_length", INT32, [1])]
    outputs = [Value("indices", INT64, [1, "N"])]
    return model_bytes("speech_tokenizer", inputs, unpacking + nodes, outputs, constants)


def speaker_graph(speaker: SpeakerEncoder) -> bytes:
    """Filter banks ``[1, m, 80]`` to an embedding ``[1, 192]``."""
    nodes = [
        Node("Transpose", ["banks"], "columns", {"perm": [0, 2, 1]}),
        *_convolution("first", "columns", "coarse", _WIDE),
        Node("Relu", ["coarse"], "coarse_active"),
        *_convolution("second", "coarse_active", "fine", _WIDE),
        Node("Relu", ["fine"], "fine_active"),
        Node("ReduceMean", ["fine_active"], "average", {"axes": [2], "keepdims": 0}),
        Node("Transpose", ["embedding.weight"], "matrix", {"perm": [1, 0]}),
        Node("MatMul", ["average", "matrix"], "product"),
        Node("Add", ["product", "embedding.bias"], "embedding"),
    ]
    weights, unpacking = _weights(speaker)
    inputs = [Value("banks", FLOAT, [1, "m", FILTER_BANKS])]
    outputs = [Value("embedding", FLOAT, [1, SPEAKER_WIDTH])]
    return model_bytes("speaker_encoder", inputs, unpacking + nodes, outputs, weights)


def _convolution(
    layer: str, source: str, target: str, attributes: Mapping[str, list[int]]
) -> list[Node]:
    inputs = [source, f"{layer}.weight", f"{layer}.bias"]
    return [Node("Conv", inputs, target, attributes)]


def _weights(module: nn.Module) -> tuple[dict[str, np.ndarray], list[Node]]:
    """Constants, matrices as 8-bit integers and scales, and the nodes that multiply them."""
    state: Mapping[str, Tensor] = module.state_dict()
    constants: dict[str, np.ndarray] = {}
    nodes: list[Node] = []
    for name, tensor in state.items():
        weight = tensor.detach().float().cpu()
        if weight.ndim == 1:
            constants[name] = weight.numpy()
            continue
        values, scales = quantise(weight.flatten(1))
        parts = [f"{name}.values", f"{name}.scales"]
        constants[parts[0]] = values.view_as(weight).numpy()
        constants[parts[1]] = scales.numpy()
        nodes.append(Node("DequantizeLinear", parts, name, {"axis": 0}))
    return constants, nodes
