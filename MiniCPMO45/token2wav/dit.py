"""The flow's velocity field: a diffusion transformer with adaptive norms (arXiv:2212.09748)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from MiniCPMO45.joined_linears import JoinedLinears
from MiniCPMO45.token2wav.causal import causal_conv
from MiniCPMO45.token2wav.configuration import EstimatorConfig
from MiniCPMO45.token2wav.flow_state import BlockState, EstimatorState
from MiniCPMO45.token2wav.frame_cache import FrameLayer

TIME_FEATURES = 256
_TIME_SCALE = 1000.0
_SLOWEST = 10000.0
_NORM_EPS = 1e-6


@dataclass(frozen=True)
class Modulation:
    """What one point in flow time does to the norms.

    ``blocks`` ``[depth, 3, 3, hidden]``: shift, factor and gate of attention, of the MLP and of
    the convolutions; ``final`` ``[2, hidden]``: shift and factor.
    """

    blocks: Tensor
    final: Tensor


def time_features(times: Tensor) -> Tensor:
    """Flow times ``[N]`` in 0..1 as float32 ``[N, 256]``, cosines first."""
    half = TIME_FEATURES // 2
    exponents = torch.arange(half, device=times.device, dtype=torch.float32) / half
    angles = _TIME_SCALE * times[:, None] * torch.exp(-math.log(_SLOWEST) * exponents)
    return torch.cat([angles.cos(), angles.sin()], dim=1)


def modulate(x: Tensor, shift: Tensor, factor: Tensor) -> Tensor:
    """A norm whose weights are those of a point in flow time."""
    return functional.layer_norm(x, x.shape[-1:], factor, shift, _NORM_EPS)


class TimeEmbedder(nn.Module):
    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.mlp = nn.Sequential(
            nn.Linear(TIME_FEATURES, hidden), nn.SiLU(), nn.Linear(hidden, hidden)
        )

    def forward(self, times: Tensor) -> Tensor:
        return self.mlp(time_features(times))


class Attention(nn.Module):
    """Full attention without positions; queries and keys are normalised per head."""

    def __init__(self, config: EstimatorConfig) -> None:
        super().__init__()
        hidden, inner = config.hidden_size, config.num_heads * config.head_dim
        self.n_heads = config.num_heads
        self.to_q = nn.Linear(hidden, inner)
        self.to_k = nn.Linear(hidden, inner)
        self.to_v = nn.Linear(hidden, inner)
        self.projections = JoinedLinears(self.to_q, self.to_k, self.to_v)
        self.q_norm = nn.LayerNorm(config.head_dim)
        self.k_norm = nn.LayerNorm(config.head_dim)
        self.proj = nn.Linear(inner, hidden)

    def forward(self, x: Tensor, cache: FrameLayer | None) -> Tensor:
        """``[B, T, C]`` to the same."""
        query, key, value = (
            each.unflatten(-1, (self.n_heads, -1))  # [B, T, heads, head_dim]
            for each in self.projections(x)
        )
        query, key = self.q_norm(query), self.k_norm(key)
        query, key, value = (each.transpose(1, 2) for each in (query, key, value))
        mask = None
        if cache is not None:
            key, value = cache.append(key, value)
            mask = cache.mask
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        return self.proj(mixed.transpose(1, 2).flatten(2))


class ConvolutionBranch(nn.Module):
    """Two causal convolutions; the names count the published sequence's members."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.block = nn.ModuleDict(
            {
                "1": nn.Conv1d(hidden, hidden, kernel_size=3),
                "3": nn.LayerNorm(hidden),
                "6": nn.Conv1d(hidden, hidden, kernel_size=3),
            }
        )

    def forward(self, x: Tensor, state: BlockState | None) -> Tensor:
        """``[B, T, C]`` to the same."""
        first, norm, second = self.block["1"], self.block["3"], self.block["6"]
        assert isinstance(first, nn.Conv1d) and isinstance(second, nn.Conv1d)
        if state is None:
            return causal_conv(second, functional.mish(norm(causal_conv(first, x, None))), None)
        x = functional.mish(norm(causal_conv(first, x, state.first, state.ends)))
        return causal_conv(second, x, state.second, state.ends)


class MLP(nn.Module):
    def __init__(self, hidden: int, ratio: float) -> None:
        super().__init__()
        self.fc1 = nn.Linear(hidden, int(hidden * ratio))
        self.fc2 = nn.Linear(int(hidden * ratio), hidden)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(functional.gelu(self.fc1(x), approximate="tanh"))


class Block(nn.Module):
    def __init__(self, config: EstimatorConfig) -> None:
        super().__init__()
        hidden = config.hidden_size
        self.attn = Attention(config)
        self.conv = ConvolutionBranch(hidden)
        self.mlp = MLP(hidden, config.mlp_ratio)
        self.adaLN_modulation = nn.Sequential(nn.SiLU(), nn.Linear(hidden, 9 * hidden))

    def forward(self, x: Tensor, modulation: Tensor, state: BlockState | None) -> Tensor:
        """``[B, T, C]`` to the same; ``modulation`` ``[3, 3, C]``."""
        for_attention, for_mlp, for_conv = modulation
        cache = None if state is None else state.attention
        shift, factor, gate = for_attention
        x = torch.addcmul(x, gate, self.attn(modulate(x, shift, factor), cache))
        shift, factor, gate = for_conv
        x = torch.addcmul(x, gate, self.conv(modulate(x, shift, factor), state))
        shift, factor, gate = for_mlp
        return torch.addcmul(x, gate, self.mlp(modulate(x, shift, factor)))


class FinalLayer(nn.Module):
    def __init__(self, config: EstimatorConfig) -> None:
        super().__init__()
        hidden = config.hidden_size
        self.linear = nn.Linear(hidden, config.out_channels)
        self.adaLN_modulation = nn.Sequential(nn.SiLU(), nn.Linear(hidden, 2 * hidden))

    def forward(self, x: Tensor, modulation: Tensor) -> Tensor:
        shift, factor = modulation
        return self.linear(modulate(x, shift, factor))


class DiT(nn.Module):
    """The estimator (``decoder.estimator.``)."""

    def __init__(self, config: EstimatorConfig) -> None:
        super().__init__()
        self.config = config
        self.t_embedder = TimeEmbedder(config.hidden_size)
        self.in_proj = nn.Linear(config.in_channels, config.hidden_size)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.depth))
        self.final_layer = FinalLayer(config)

    def modulation(self, times: Tensor) -> list[Modulation]:
        """Modulation at each of ``times`` ``[N]``; the same for every call, so computed once."""
        embedded = self.t_embedder(times)  # [N, hidden]
        per_block = [
            block.adaLN_modulation(embedded) for block in self.blocks if isinstance(block, Block)
        ]
        blocks = torch.stack(per_block, dim=1).unflatten(-1, (3, 3, -1))  # [N, depth, 3, 3, C]
        final = self.final_layer.adaLN_modulation(embedded).unflatten(-1, (2, -1))  # [N, 2, C]
        blocks[:, :, :, 1] += 1  # the networks give scales: how far factors are from one
        final[:, 1] += 1
        return [Modulation(block, last) for block, last in zip(blocks, final, strict=True)]

    @property
    def modulation_networks(self) -> list[nn.Module]:
        """What :meth:`modulation` is computed with, and nothing else."""
        per_block = [block.adaLN_modulation for block in self.blocks if isinstance(block, Block)]
        return [self.t_embedder, self.final_layer.adaLN_modulation, *per_block]

    def drop_modulation(self) -> None:
        """Give back the memory of the networks behind the modulation, a third of all weights, once
        it was computed for good."""
        for network in self.modulation_networks:
            network.to("meta")

    def forward(
        self, x: Tensor, modulation: Modulation, state: EstimatorState | None, step: int
    ) -> Tensor:
        """Velocity of ``x`` in solver step ``step``.

        Args:
            x: ``[B, T, 4 * mels]``: noisy mel, encoder output, speaker, prompt mel.

        Returns:
            ``[B, T, mels]``.
        """
        x = self.in_proj(x)
        for index, block in enumerate(self.blocks):
            block_state = None if state is None else state.block(step, index)
            x = block(x, modulation.blocks[index], block_state)
        return self.final_layer(x, modulation.final)
