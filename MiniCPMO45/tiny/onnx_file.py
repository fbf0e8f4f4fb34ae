"""Writes ONNX models byte by byte (https://onnx.ai/onnx/intro/concepts.html), as protocol buffers.

Only what the two small graphs of the demonstration checkpoint need is here, so that building them
takes no library.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

IR_VERSION = 8
OPSET = 13
FLOAT, INT8, INT32, INT64 = 1, 3, 6, 7
_ELEMENT_TYPES = {"float32": FLOAT, "int8": INT8, "int32": INT32, "int64": INT64}
_INT_ATTRIBUTE, _INTS_ATTRIBUTE = 2, 7


@dataclass(frozen=True)
class Value:
    """An input or output of a graph; a named dimension may have any size."""

    name: str
    element_type: int
    shape: Sequence[int | str]


@dataclass(frozen=True)
class Node:
    """One operation; attributes are whole numbers or lists of them."""

    operation: str
    inputs: Sequence[str]
    output: str
    attributes: Mapping[str, int | Sequence[int]] = field(default_factory=dict)


def model_bytes(
    name: str,
    inputs: Sequence[Value],
    nodes: Sequence[Node],
    outputs: Sequence[Value],
    constants: Mapping[str, np.ndarray],
) -> bytes:
    """A whole model, ready to be written to a file."""
    graph = b"".join(
        [
            *(_message(1, _node(node)) for node in nodes),
            _text(2, name),
            *(_message(5, _tensor(key, value)) for key, value in constants.items()),
            *(_message(11, _value(value)) for value in inputs),
            *(_message(12, _value(value)) for value in outputs),
        ]
    )
    opset = _text(1, "") + _number(2, OPSET)
    return _number(1, IR_VERSION) + _message(7, graph) + _message(8, opset)


def _node(node: Node) -> bytes:
    parts = [_text(1, name) for name in node.inputs]
    parts += [_text(2, node.output), _text(4, node.operation)]
    parts += [_message(5, _attribute(*item)) for item in node.attributes.items()]
    return b"".join(parts)


def _attribute(name: str, value: int | Sequence[int]) -> bytes:
    if isinstance(value, int):
        return _text(1, name) + _number(3, value) + _number(20, _INT_ATTRIBUTE)
    numbers = b"".join(_number(8, number) for number in value)
    return _text(1, name) + numbers + _number(20, _INTS_ATTRIBUTE)


def _tensor(name: str, values: np.ndarray) -> bytes:
    sizes = b"".join(_number(1, size) for size in values.shape)
    element_type = _number(2, _ELEMENT_TYPES[values.dtype.name])
    return sizes + element_type + _text(8, name) + _message(9, values.tobytes())


def _value(value: Value) -> bytes:
    sizes = b"".join(
        _message(1, _text(2, size) if isinstance(size, str) else _number(1, size))
        for size in value.shape
    )
    tensor_type = _number(1, value.element_type) + _message(2, sizes)
    return _text(1, value.name) + _message(2, _message(1, tensor_type))


def _number(tag: int, value: int) -> bytes:
    return _variable_length(tag << 3) + _variable_length(value)


def _text(tag: int, value: str) -> bytes:
    return _message(tag, value.encode())


def _message(tag: int, content: bytes) -> bytes:
    return _variable_length(tag << 3 | 2) + _variable_length(len(content)) + content


def _variable_length(value: int) -> bytes:
    """Seven bits a byte, the lowest first; negative numbers as 64-bit two's complement."""
    value &= (1 << 64) - 1
    groups = bytearray()
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*groups, value])
