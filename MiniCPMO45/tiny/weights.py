"""Random values for every tensor, scaled so that activations stay near one.

A tensor's noise depends on its name and shape alone, never on the order of writing. Channel 0 of
the language model and of the speech-token generator is special: every embedding holds the same
number there and no layer writes to it, so the output heads can use it as a bias. Channel 1 of the
language model is kept like that, too, and says what may only follow sound: see `decisions`.
"""

from __future__ import annotations

import hashlib
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from MiniCPMO45.tiny.bigrams import teach_followers
from MiniCPMO45.tiny.decisions import teach_decisions
from MiniCPMO45.tiny.layout import Shape, checkpoint_layout

Weights = dict[str, NDArray[np.float32]]

CONSTANT = 4.0
"""What every embedding holds in channel 0."""

TABLES = {
    ".embed_tokens.weight": 1.0,
    ".emb_text.weight": 1.0,
    ".emb_code.0.weight": 1.0,
    ".query": 1.0,
    ".original1": 1.0,
    ".position_embedding.weight": 0.3,
    ".embed_positions.weight": 0.3,
}
"""Standard deviations of what is looked up instead of multiplied, by the end of the name."""

GAINS = {
    ".o_proj.weight": 0.35,
    ".out_proj.weight": 0.3,
    ".down_proj.weight": 0.3,
    ".fc2.weight": 0.3,
    "lm_head.weight": 1.5,
    ".q_norm.weight": 1.5,
    ".k_norm.weight": 1.5,
}
"""Factors on the neutral scale. Less goes into the residual streams, so that they keep what they
carry; attention is sharper than random vectors make it, so that prompts do not average out."""

CODE_LOGIT_SPREAD = 2.5
END_CODE_GAIN = 1.75
"""Times the constant channel: the end code is among the best 25, so clips end by themselves."""


def build_weights(config: dict[str, Any], tokenizer: Tokenizer) -> Weights:
    """All tensors of the checkpoint in float32, by name."""
    layout = checkpoint_layout(config)
    weights = {name: random_tensor(name, shape) for name, shape in layout.items()}
    _reserve_constant_channel(weights)
    _shape_code_head(weights, "tts.head_code.0.parametrizations.weight")
    teach_followers(
        tokenizer, weights["llm.model.embed_tokens.weight"], weights["llm.lm_head.weight"]
    )
    teach_decisions(tokenizer, weights, CONSTANT)
    return weights


def random_tensor(name: str, shape: Shape) -> NDArray[np.float32]:
    """Normally distributed around the neutral value of this kind of parameter."""
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")
    noise = np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)
    gain = _by_ending(GAINS, name) or 1.0
    if name.endswith("bias"):
        return noise * np.float32(0.02)
    if len(shape) == 1:  # the factors of a norm
        return np.float32(gain) * (1 + np.float32(0.05) * noise)
    spread = _by_ending(TABLES, name) or gain / math.sqrt(math.prod(shape[1:]))
    return noise * np.float32(spread)


def _by_ending(values: dict[str, float], name: str) -> float | None:
    return next((value for ending, value in values.items() if name.endswith(ending)), None)


def _reserve_constant_channel(weights: Weights) -> None:
    for name, values in weights.items():
        if name.endswith((".embed_tokens.weight", ".emb_text.weight", ".emb_code.0.weight")):
            values[:, 0] = CONSTANT
        elif name.endswith((".o_proj.weight", ".down_proj.weight")):
            values[0] = 0.0


def _shape_code_head(weights: Weights, name: str) -> None:
    """Give the last code, which ends speech, a constant logit and all others random ones."""
    magnitudes, directions = weights[f"{name}.original0"], weights[f"{name}.original1"]
    magnitudes[:] = CODE_LOGIT_SPREAD
    directions[:, 0] = 0.0
    magnitudes[-1] = END_CODE_GAIN
    directions[-1] = np.eye(1, directions.shape[1], dtype=np.float32)
