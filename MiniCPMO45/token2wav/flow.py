"""Flow matching from speech tokens to mel frames (https://arxiv.org/abs/2210.02747)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from MiniCPMO45.token2wav.causal import lay_out
from MiniCPMO45.token2wav.configuration import FlowConfig
from MiniCPMO45.token2wav.conformer import Conformer, RelativeAttention
from MiniCPMO45.token2wav.dit import Attention, DiT, Modulation
from MiniCPMO45.token2wav.flow_state import (
    EncoderPositions,
    EncoderState,
    EstimatorState,
    FlowState,
)
from MiniCPMO45.token2wav.precision import tensor_cores


@dataclass(frozen=True)
class Schedule:
    """The solver's points in flow time, ``[N + 1]`` from 0 to 1, and their modulation."""

    times: list[float]
    modulation: list[Modulation]


def cosine_times(n_steps: int) -> Tensor:
    """``1 - cos(pi i / 2N)``, float32 ``[N + 1]``: small steps first."""
    return 1 - torch.cos(torch.linspace(0, 1, n_steps + 1) * (0.5 * math.pi))


class Flow(nn.Module):
    """Weights of encoder and estimator, under the keys of ``flow.pt``."""

    def __init__(self, config: FlowConfig) -> None:
        super().__init__()
        self.config = config
        self.tensor_cores = False
        self.input_embedding = nn.Embedding(config.vocab_size, config.input_size)
        self.spk_embed_affine_layer = nn.Linear(config.spk_embed_dim, config.output_size)
        self.encoder = Conformer(config.encoder)
        self.encoder_proj = nn.Linear(config.encoder.output_size, config.output_size)
        self.decoder = nn.ModuleDict({"estimator": DiT(config.estimator)})

    @property
    def estimator(self) -> DiT:
        estimator = self.decoder["estimator"]
        assert isinstance(estimator, DiT)
        return estimator

    @property
    def device(self) -> torch.device:
        return self.encoder_proj.weight.device

    def schedule(self, n_steps: int, dtype: torch.dtype) -> Schedule:
        """Prepare ``n_steps`` of the solver; call while the weights are still float32."""
        times = cosine_times(n_steps)
        modulation = [
            Modulation(each.blocks.to(dtype), each.final.to(dtype))
            for each in self.estimator.modulation(times[:-1].to(self.device))
        ]
        return Schedule(times.tolist(), modulation)

    def arrange_weights(self) -> None:
        """Lay the weights out for few, large products; call once they have their precision."""
        for module in self.modules():
            if isinstance(module, nn.Conv1d):
                lay_out(module)
            elif isinstance(module, RelativeAttention | Attention):
                module.projections.join()

    def new_state(self, n_steps: int, n_frames: int, n_streams: int = 1) -> FlowState:
        """An empty state with room for ``n_frames`` mel frames of every stream."""
        like = self.encoder_proj.weight
        n_tokens = -(-n_frames // self.config.encoder.up_stride)
        return FlowState(
            EncoderState.allocate(self.config.encoder, n_tokens, like, n_streams),
            EstimatorState.allocate(self.config.estimator, n_steps, n_frames, like, n_streams),
        )

    def encode(
        self,
        tokens: Tensor,
        positions: EncoderPositions,
        state: EncoderState | None,
        *,
        last: bool,
    ) -> Tensor:
        """Token ids int64 ``[B, T]`` to ``[B, frames, mels]``; see :class:`Conformer`."""
        with tensor_cores(self.tensor_cores):
            hidden = self.encoder(self.input_embedding(tokens), positions, state, last=last)
            return self.encoder_proj(hidden)

    def project_speaker(self, speaker: Tensor) -> Tensor:
        """Speaker embedding ``[1, spk_embed_dim]`` to ``[1, mels]``."""
        unit = functional.normalize(speaker.float(), dim=1)
        return self.spk_embed_affine_layer(unit.to(self.encoder_proj.weight.dtype))

    def solve(
        self,
        noise: Tensor,
        mu: Tensor,
        speaker: Tensor,
        prompt_mel: Tensor,
        schedule: Schedule,
        state: EstimatorState | None,
    ) -> Tensor:
        """Follow the velocity field from ``noise`` to mel frames with Euler's method.

        Classifier-free guidance (https://arxiv.org/abs/2207.12598): for each of ``B`` streams a
        second row without any condition runs beside the first, with caches of its own.

        Args:
            noise: float32 ``[B, T, mels]``.
            mu: encoder output ``[B, T, mels]``.
            speaker: ``[B, mels]``.
            prompt_mel: ``[B, n, mels]``, n <= T, known frames at the beginning.
            state: None solves a whole utterance at once.

        Returns:
            float32 ``[B, T, mels]``.
        """
        known = functional.pad(prompt_mel, (0, 0, 0, mu.shape[1] - prompt_mel.shape[1]))
        condition = torch.cat([mu, speaker[:, None].expand_as(mu), known.to(mu.dtype)], dim=2)
        condition = torch.cat([condition, torch.zeros_like(condition)])  # [2 * B, T, 3 * mels]
        weight = self.config.inference_cfg_rate
        x = noise
        for step, modulation in enumerate(schedule.modulation):
            rows = torch.cat([x.to(mu.dtype).repeat(2, 1, 1), condition], dim=2)
            with tensor_cores(self.tensor_cores):
                velocity = self.estimator(rows, modulation, state, step).float()
            conditioned, free = velocity.chunk(2)
            guided = (1 + weight) * conditioned - weight * free
            x = x + (schedule.times[step + 1] - schedule.times[step]) * guided
        if state is not None:
            state.advance(noise.shape[1])
        return x
