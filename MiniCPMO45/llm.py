"""The pre-norm decoder shared by the language model (Qwen3) and the speech-token backbone (Llama).

Qwen3: https://arxiv.org/abs/2505.09388. Grouped-query attention, RMSNorm, SwiGLU, rotary positions
in the rotate-half layout; Qwen3 also normalises queries and keys per head.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from MiniCPMO45.attention import AttentionBackend, CausalSpan, attend_cached
from MiniCPMO45.configuration import MiniCPMOConfig, TTSConfig
from MiniCPMO45.kv_cache import CacheSlot, KVCache

PREFILL_CHUNK = 1024  # rows per forward; bounds the activations of a long prompt


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
        """Rows for ``positions`` ``[B, T]`` as two ``[B, T, 1, head_dim]``."""
        return self.cos[positions].unsqueeze(2), self.sin[positions].unsqueeze(2)

    @torch.inference_mode()
    def turn(self, slot: CacheSlot, first: int, shifts: Tensor) -> None:
        """Move cached keys from position ``first`` on by ``shifts`` ``[T]`` positions.

        Computed in float32 and rounded once. Keys of deeper layers keep what they saw.
        """
        cos, sin = (wave.to(slot.cache.keys.device)[:, None] for wave in self._waves(shifts.cpu()))
        rows = slice(first, first + shifts.numel())
        keys = slot.cache.keys[:, slot.index, rows]  # [layers, T, kv_heads, head_dim]
        slot.cache.keys[:, slot.index, rows] = rotate(keys.float(), cos, sin).to(keys.dtype)

    def _waves(self, positions: Tensor) -> tuple[Tensor, Tensor]:
        angles = positions.float()[:, None] * self.frequencies
        angles = torch.cat((angles, angles), dim=-1)  # -> [T, head_dim]
        return angles.cos(), angles.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary position embedding of ``x`` ``[B, T, heads, head_dim]``."""
    first, second = x.chunk(2, dim=-1)
    return x * cos + torch.cat((-second, first), dim=-1) * sin


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

    def forward(
        self, x: Tensor, keys: Tensor, values: Tensor, step: ForwardStep, backend: AttentionBackend
    ) -> Tensor:
        heads = (*x.shape[:2], -1, self.head_dim)
        query = rotate(self.q_norm(self.q_proj(x).view(heads)), *step.rotary)
        key = rotate(self.k_norm(self.k_proj(x).view(heads)), *step.rotary)
        keys[step.row_index, step.indices] = key  # the cache keeps normalised, rotated keys
        values[step.row_index, step.indices] = self.v_proj(x).view(heads)
        mixed = attend_cached(query, keys, values, step.span, backend)
        return self.o_proj(mixed.flatten(2))  # [B, T, heads, head_dim] -> [B, T, hidden]


class MLP(nn.Module):
    def __init__(self, shape: DecoderShape) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(shape.hidden_size, shape.intermediate_size, bias=False)
        self.up_proj = nn.Linear(shape.hidden_size, shape.intermediate_size, bias=False)
        self.down_proj = nn.Linear(shape.intermediate_size, shape.hidden_size, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(functional.silu(self.gate_proj(x)) * self.up_proj(x))


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

    rows: slice  # the cache slots that form the batch
    row_index: Tensor  # [B, 1]
    indices: Tensor  # [B, T] cache positions that are written
    rotary: tuple[Tensor, Tensor]
    span: CausalSpan


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

    def forward(self, embeddings: Tensor, cache: KVCache, step: ForwardStep) -> Tensor:
        """Run ``embeddings`` ``[B, T, hidden]``, writing the cache; final hidden of all rows."""
        x = embeddings
        for index, layer in enumerate(self.layers):
            keys = cache.keys[index, step.rows]  # [B, capacity, kv_heads, head_dim], a view
            x = layer(x, keys, cache.values[index, step.rows], step, self.backend)
        return self.norm(x)

    def prefill(
        self,
        embeddings: Tensor,
        slot: CacheSlot,
        rotary: RotaryTable,
        *,
        first_position: int | None = None,
    ) -> Tensor:
        """Append ``embeddings`` ``[T, hidden]`` to a slot, in bounded chunks.

        Args:
            first_position: rotary position of the first row; the slot's length if None.

        Returns:
            final hidden states ``[T, hidden]``.

        Raises:
            PromptTooLongError: the slot cannot hold them; nothing was written.
        """
        slot.reserve(embeddings.shape[0])
        if first_position is None:
            first_position = slot.length
        outputs = []
        for chunk in embeddings.split(PREFILL_CHUNK):
            end = slot.length + chunk.shape[0]
            indices = torch.arange(slot.length, end, device=chunk.device)[None]  # [1, T]
            offset = first_position + indices - indices[:, :1]
            step = ForwardStep(
                rows=slot.rows,
                row_index=torch.zeros_like(indices[:, :1]),
                indices=indices,
                rotary=rotary.at(offset),
                span=CausalSpan.build(indices, end, exact=True),
            )
            outputs.append(self(chunk[None], slot.cache, step)[0])
            slot.advance(chunk.shape[0])
            first_position += chunk.shape[0]
        return torch.cat(outputs) if len(outputs) > 1 else outputs[0]

    def decode(
        self,
        embeddings: Tensor,
        cache: KVCache,
        rows: slice,
        rotary: RotaryTable,
        *,
        kv_length: int,
        exact: bool = False,
    ) -> Tensor:
        """One token for each slot in ``rows``; reads lengths on the device and never syncs.

        The shapes depend only on ``rows`` and ``kv_length`` (at least the longest row's length
        plus one), so a call can be captured once as a CUDA graph and replayed.

        Args:
            embeddings: ``[B, 1, hidden]``.
            exact: every row will then be ``kv_length`` long, so nothing needs a mask.

        Returns:
            final hidden states ``[B, 1, hidden]``. The device lengths have grown by one; the
            caller advances the host side of each slot.
        """
        indices = cache.lengths[rows, None]  # [B, 1]
        step = ForwardStep(
            rows=rows,
            row_index=torch.arange(indices.shape[0], device=indices.device)[:, None],
            indices=indices,
            rotary=rotary.at(indices),
            span=CausalSpan.build(indices, kv_length, exact=exact),
        )
        hidden = self(embeddings, cache, step)
        cache.lengths[rows] += 1
        return hidden

    def append(
        self,
        embeddings: Tensor,
        cache: KVCache,
        rows: slice,
        rotary: RotaryTable,
        *,
        indices: Tensor,
        positions: Tensor,
        kv_length: int,
    ) -> Tensor:
        """Some tokens for each slot in ``rows``, at places that are given on the device.

        The shapes depend only on the arguments' shapes and ``kv_length``, so a call can be captured
        as a CUDA graph. Lengths are left to the caller.

        Args:
            embeddings: ``[B, T, hidden]``.
            indices, positions: cache and rotary positions ``[B, T]``; indices rise by one.

        Returns:
            final hidden states ``[B, T, hidden]``.
        """
        step = ForwardStep(
            rows=rows,
            row_index=torch.arange(indices.shape[0], device=indices.device)[:, None],
            indices=indices,
            rotary=rotary.at(positions),
            span=CausalSpan.build(indices, kv_length, exact=False),
        )
        return self(embeddings, cache, step)


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
