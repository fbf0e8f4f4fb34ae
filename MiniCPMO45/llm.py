"""The pre-norm decoder shared by the language model (Qwen3) and the speech-token backbone (Llama).

Qwen3: https://arxiv.org/abs/2505.09388. Grouped-query attention, RMSNorm, SwiGLU, rotary positions
in the rotate-half layout; Qwen3 also normalises queries and keys per head.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from MiniCPMO45.attention import AttentionBackend, attend_span
from MiniCPMO45.configuration import MiniCPMOConfig, TTSConfig
from MiniCPMO45.int8 import Int8Linear, Weight, product
from MiniCPMO45.joined_linears import side_by_side
from MiniCPMO45.kv_cache import CacheSlot, KVCache
from MiniCPMO45.packed_rows import PackedRows


@dataclass(frozen=True)
class DecoderShape:
    """Sizes of one decoder stack."""

    hidden_size: int
    intermediate_size: int
    n_layers: int
    n_heads: int
    n_kv_heads: int
    head_dim: int
    rms_norm_eps: float
    rope_theta: float
    qk_norm: bool

    @classmethod
    def of_language_model(cls, config: MiniCPMOConfig) -> DecoderShape:
        return cls(
            hidden_size=config.hidden_size,
            intermediate_size=config.intermediate_size,
            n_layers=config.num_hidden_layers,
            n_heads=config.num_attention_heads,
            n_kv_heads=config.num_key_value_heads,
            head_dim=config.head_dim,
            rms_norm_eps=config.rms_norm_eps,
            rope_theta=config.rope_theta,
            qk_norm=True,
        )

    @classmethod
    def of_speech_backbone(cls, config: TTSConfig) -> DecoderShape:
        return cls(
            hidden_size=config.hidden_size,
            intermediate_size=config.intermediate_size,
            n_layers=config.num_hidden_layers,
            n_heads=config.num_attention_heads,
            n_kv_heads=config.num_key_value_heads,
            head_dim=config.hidden_size // config.num_attention_heads,
            rms_norm_eps=config.rms_norm_eps,
            rope_theta=config.rope_theta,
            qk_norm=False,
        )


class RMSNorm(nn.Module):
    """Root-mean-square norm: normalise in float32, cast back, then scale."""

    def __init__(self, width: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(width))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        wide = x.float()
        wide = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + self.eps)
        return self.weight * wide.to(x.dtype)


class RotaryTable:
    """Cosines and sines of every position, ``[capacity, head_dim]`` in the activation dtype.

    ``frequency_dtype`` bfloat16 rounds the frequencies the way a whole-module cast does.
    """

    def __init__(
        self,
        shape: DecoderShape,
        capacity: int,
        *,
        device: torch.device,
        dtype: torch.dtype,
        frequency_dtype: torch.dtype = torch.float32,
    ) -> None:
        exponents = torch.arange(0, shape.head_dim, 2, dtype=torch.float32) / shape.head_dim
        self.frequencies = (1.0 / shape.rope_theta**exponents).to(frequency_dtype).float()
        cos, sin = self._waves(torch.arange(capacity))  # [capacity, head_dim]
        self.cos = cos.to(device, dtype)
        self.sin = sin.to(device, dtype)

    def at(self, positions: Tensor) -> tuple[Tensor, Tensor]:
        """Rows for ``positions`` ``[N]`` as two ``[N, 1, head_dim]``."""
        return self.cos[positions].unsqueeze(1), self.sin[positions].unsqueeze(1)

    @torch.inference_mode()
    def turn(self, slot: CacheSlot, first: int, shifts: Tensor) -> None:
        """Move all cached keys from position ``first`` on by ``shifts`` positions, ``[T]``, or
        ``[1]`` for all of them, best on the CPU.

        Computed in float32 and rounded once. Keys of deeper layers keep what they saw.
        """
        cos, sin = (wave.to(slot.cache.keys.device)[:, None] for wave in self._waves(shifts.cpu()))
        rows = slice(first, slot.length)
        for keys in slot.cache.keys[:, slot.index, rows]:  # a layer at a time, to save memory
            keys.copy_(rotate(keys.float(), cos, sin))  # [T, kv_heads, head_dim]

    def _waves(self, positions: Tensor) -> tuple[Tensor, Tensor]:
        angles = positions.float()[:, None] * self.frequencies
        angles = torch.cat((angles, angles), dim=-1)  # -> [T, head_dim]
        return angles.cos(), angles.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary position embedding of ``x`` ``[..., heads, head_dim]``."""
    first, second = x.chunk(2, dim=-1)
    return x * cos + torch.cat((-second, first), dim=-1) * sin


def joined_weight(*linears: nn.Linear | Int8Linear) -> Weight | None:
    """Weights of layers side by side; None where only some of them are integers."""
    return side_by_side(linears) if len({type(linear) for linear in linears}) == 1 else None


class Attention(nn.Module):
    def __init__(self, shape: DecoderShape) -> None:
        super().__init__()
        self.head_dim = shape.head_dim
        query_width = shape.n_heads * shape.head_dim
        kv_width = shape.n_kv_heads * shape.head_dim
        self.q_proj = nn.Linear(shape.hidden_size, query_width, bias=False)
        self.k_proj = nn.Linear(shape.hidden_size, kv_width, bias=False)
        self.v_proj = nn.Linear(shape.hidden_size, kv_width, bias=False)
        self.o_proj = nn.Linear(query_width, shape.hidden_size, bias=False)
        if shape.qk_norm:
            self.q_norm = RMSNorm(shape.head_dim, shape.rms_norm_eps)
            self.k_norm = RMSNorm(shape.head_dim, shape.rms_norm_eps)
        else:
            self.q_norm = self.k_norm = nn.Identity()
        self._n_heads = [shape.n_heads, shape.n_kv_heads, shape.n_kv_heads]
        self._joined: Weight | None = None

    def forward(
        self, x: Tensor, keys: Tensor, values: Tensor, step: ForwardStep, backend: AttentionBackend
    ) -> Tensor:
        query, key, value = self.heads(x, step.rotary)
        rows = step.rows
        keys[rows.slots, rows.indices] = key  # the cache keeps normalised, rotated keys
        values[rows.slots, rows.indices] = value
        mixed = [
            attend_span(
                query[span.first : span.first + span.count],
                keys[span.slot],
                values[span.slot],
                span,
                backend,
            )
            for span in rows.spans
        ]
        joined = torch.cat(mixed) if len(mixed) > 1 else mixed[0]
        return self.o_proj(joined.flatten(1))  # [N, heads, head_dim] -> [N, hidden]

    def join(self) -> None:
        """Compute queries, keys and values by one product from now on, and turn them at once."""
        self._joined = joined_weight(self.q_proj, self.k_proj, self.v_proj)

    def heads(self, x: Tensor, rotary: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """``[N, hidden]`` to queries and keys, normalised and turned, and values, each
        ``[N, heads, head_dim]``."""
        shape = (x.shape[0], -1, self.head_dim)
        if self._joined is None:
            query = rotate(self.q_norm(self.q_proj(x).view(shape)), *rotary)
            key = rotate(self.k_norm(self.k_proj(x).view(shape)), *rotary)
            return query, key, self.v_proj(x).view(shape)
        query, key, value = product(x, self._joined).view(shape).split(self._n_heads, dim=1)
        turned = rotate(torch.cat((self.q_norm(query), self.k_norm(key)), dim=1), *rotary)
        query, key = turned.split(self._n_heads[:2], dim=1)
        return query, key, value


class MLP(nn.Module):
    def __init__(self, shape: DecoderShape) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(shape.hidden_size, shape.intermediate_size, bias=False)
        self.up_proj = nn.Linear(shape.hidden_size, shape.intermediate_size, bias=False)
        self.down_proj = nn.Linear(shape.intermediate_size, shape.hidden_size, bias=False)
        self._joined: Weight | None = None

    def join(self) -> None:
        """Compute the gate and what it lets through by one product from now on."""
        self._joined = joined_weight(self.gate_proj, self.up_proj)

    def forward(self, x: Tensor) -> Tensor:
        if self._joined is None:
            gate, inner = self.gate_proj(x), self.up_proj(x)
        else:
            gate, inner = product(x, self._joined).chunk(2, dim=-1)
        return self.down_proj(functional.silu(gate) * inner)


class DecoderLayer(nn.Module):
    def __init__(self, shape: DecoderShape) -> None:
        super().__init__()
        self.self_attn = Attention(shape)
        self.mlp = MLP(shape)
        self.input_layernorm = RMSNorm(shape.hidden_size, shape.rms_norm_eps)
        self.post_attention_layernorm = RMSNorm(shape.hidden_size, shape.rms_norm_eps)

    def forward(
        self, x: Tensor, keys: Tensor, values: Tensor, step: ForwardStep, backend: AttentionBackend
    ) -> Tensor:
        x = x + self.self_attn(self.input_layernorm(x), keys, values, step, backend)
        return x + self.mlp(self.post_attention_layernorm(x))


@dataclass(frozen=True)
class ForwardStep:
    """What all layers of one forward share."""

    rows: PackedRows
    rotary: tuple[Tensor, Tensor]


class DecoderStack(nn.Module):
    """Layers and final norm. The input embedding belongs to whoever owns the vocabulary."""

    def __init__(self, shape: DecoderShape, vocab_size: int | None) -> None:
        super().__init__()
        if vocab_size is not None:
            self.embed_tokens = nn.Embedding(vocab_size, shape.hidden_size)
        self.layers = nn.ModuleList(DecoderLayer(shape) for _ in range(shape.n_layers))
        self.norm = RMSNorm(shape.hidden_size, shape.rms_norm_eps)
        self.shape = shape
        self.backend: AttentionBackend = "sdpa"

    def join_projections(self) -> None:
        """Compute what reads the same input by one product; call after loading. Single rows on the
        CPU are bound by the number of operations."""
        for module in self.layers.modules():
            if isinstance(module, Attention | MLP):
                module.join()

    def forward(
        self, embeddings: Tensor, cache: KVCache, rows: PackedRows, rotary: RotaryTable
    ) -> Tensor:
        """Run the rows of any number of conversations ``[N, hidden]``, writing the cache; their
        final hidden states ``[N, hidden]``."""
        step = ForwardStep(rows, rotary.at(rows.positions))
        x = embeddings
        for index, layer in enumerate(self.layers):
            x = layer(x, cache.keys[index], cache.values[index], step, self.backend)
        return self.norm(x)


class LanguageModel(nn.Module):
    """The Qwen3 decoder with its vocabulary (``llm.``)."""

    def __init__(self, config: MiniCPMOConfig) -> None:
        super().__init__()
        shape = DecoderShape.of_language_model(config)
        self.model = DecoderStack(shape, config.vocab_size)
        self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)

    def embed(self, ids: Tensor) -> Tensor:
        """Token embeddings ``[..., hidden]``."""
        return self.model.embed_tokens(ids)

    def logits(self, hidden: Tensor) -> Tensor:
        """Float32 scores over the vocabulary for final hidden states ``[..., hidden]``."""
        return self.lm_head(hidden).float()
