"""The two ONNX graphs that listen to a reference voice: random, small, in the published form."""

from __future__ import annotations

import numpy as np

from MiniCPMO45.tiny.onnx_file import FLOAT, INT32, INT64, Node, Value, model_bytes
from MiniCPMO45.tiny.weights import random_tensor

N_BANDS = 128
N_DIGITS = 8
HIDDEN = 8
SPEAKER_BANDS = 80
SPEAKER_HIDDEN = 32


def speech_tokenizer() -> bytes:
    """Features ``[1, 128, T]`` and their length to ids ``[1, ceil(T / 4)]`` in 0..6560.

    Two convolutions halve the rate, and eight values rounded to 0, 1 or 2 are the digits of the
    id (finite scalar quantisation, https://arxiv.org/abs/2309.15505).
    """
    halving = {"kernel_shape": [3], "strides": [2], "pads": [1, 1]}
    constants = {
        "first": 4 * random_tensor("speech_tokenizer.conv1.weight", (HIDDEN, N_BANDS, 3)),
        "second": 4 * random_tensor("speech_tokenizer.conv2.weight", (N_DIGITS, HIDDEN, 3)),
        "one": np.ones((), np.float32),
        "places": np.power(3, np.arange(N_DIGITS), dtype=np.float32)[:, None],
        "row": np.array([1, -1], np.int64),
        "zero": np.zeros(1, np.int64),
        "axis": np.ones(1, np.int64),
        "three": np.full(1, 3, np.int64),
        "four": np.full(1, 4, np.int64),
    }
    nodes = [
        Node("Conv", ["feats", "first"], "halved", halving),
        Node("Tanh", ["halved"], "bent"),
        Node("Conv", ["bent", "second"], "quartered", halving),
        Node("Tanh", ["quartered"], "bounded"),
        Node("Add", ["bounded", "one"], "shifted"),
        Node("Round", ["shifted"], "digits"),
        Node("Transpose", ["digits"], "rows", {"perm": [0, 2, 1]}),
        Node("MatMul", ["rows", "places"], "sums"),
        Node("Reshape", ["sums", "row"], "flat"),
        Node("Cast", ["flat"], "ids", {"to": INT64}),
        Node("Cast", ["feats_length"], "length", {"to": INT64}),
        Node("Add", ["length", "three"], "rounded_up"),
        Node("Div", ["rounded_up", "four"], "n_ids"),
        Node("Slice", ["ids", "zero", "n_ids", "axis"], "indices"),
    ]
    return model_bytes(
        "speech_tokenizer",
        [Value("feats", FLOAT, [1, N_BANDS, "T"]), Value("feats_length", INT32, [1])],
        nodes,
        [Value("indices", INT64, [1, "N"])],
        constants,
    )


def speaker_encoder(width: int) -> bytes:
    """Filter banks ``[1, m, 80]`` to an embedding ``[1, width]``."""
    constants = {
        "first": random_tensor("speaker_encoder.linear1.weight", (SPEAKER_BANDS, SPEAKER_HIDDEN)),
        "second": random_tensor("speaker_encoder.linear2.weight", (SPEAKER_HIDDEN, width)),
    }
    nodes = [
        Node("MatMul", ["banks", "first"], "hidden"),
        Node("Relu", ["hidden"], "active"),
        Node("ReduceMean", ["active"], "average", {"axes": [1], "keepdims": 0}),
        Node("MatMul", ["average", "second"], "embedding"),
    ]
    return model_bytes(
        "speaker_encoder",
        [Value("banks", FLOAT, [1, "m", SPEAKER_BANDS])],
        nodes,
        [Value("embedding", FLOAT, [1, width])],
        constants,
    )
