"""The flow over batches of whole recordings, with gradients, as if they came in chunks: the weights
of the model, no cache."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from MiniCPMO45.token2wav.dit import Block, DiT
from MiniCPMO45.token2wav.flow import Flow
from MiniCPMO45.token2wav.flow_state import EncoderState
from MiniCPMO45.token2wav.frame_cache import FrameCache, FrameLayer
from MiniCPMO45.token2wav.options import SILENCE_CODE

CHUNK_CODES = 25
UNCONDITIONED = 0.2  # share of rows that learn to do without the condition
_NORM_EPS = 1e-6
_PRIOR_WEIGHT = 0.1


@dataclass(frozen=True)
class FlowBatch:
    """``codes`` int64 ``[B, T]``, ``mel`` ``[B, 2 T, 80]``, ``speaker`` ``[B, 192]``; the first
    ``n_prompt`` codes are what the voice is heard from."""

    codes: Tensor
    mel: Tensor
    speaker: Tensor
    n_prompt: int


class _SeenLayer(FrameLayer):
    """Nothing is remembered: all keys are there at once, and the mask tells which are seen."""

    def append(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        return keys, values


class SeenFrames(FrameCache):
    """Stands for the memory of a stream while all its frames are computed at once."""

    def __init__(self, mask: Tensor) -> None:
        super().__init__(mask, mask)
        self.mask = mask

    def layer(self, *index: int) -> FrameLayer:
        return _SeenLayer(self._keys, self._values, 0, self.mask)


def flow_loss(flow: Flow, batch: FlowBatch) -> Tensor:
    """Distance of the velocity from the straight way between noise and mel frames
    (https://arxiv.org/abs/2210.02747), behind the prompt."""
    mel, n_rows, device = batch.mel, len(batch.mel), batch.mel.device
    rate = flow.config.encoder.up_stride
    n_known = rate * batch.n_prompt
    mu = encoded(flow, batch)
    speaker = flow.project_speaker(batch.speaker)
    known = torch.cat([mel[:, :n_known], torch.zeros_like(mel[:, n_known:])], dim=1)
    condition = torch.cat([mu, speaker[:, None].expand_as(mu), known.to(mu.dtype)], dim=2)
    kept = torch.rand(n_rows, 1, 1, device=device) >= UNCONDITIONED
    times = 1 - torch.cos(torch.rand(n_rows, device=device) * (0.5 * math.pi))
    noise = torch.randn_like(mel)
    way = times[:, None, None]
    x = (1 - way) * noise + way * mel
    rows = torch.cat([x.to(mu.dtype), condition * kept], dim=2)  # [B, frames, 4 * mels]
    layer = SeenFrames(_mask(batch, rate)).layer()
    found = velocity(flow.estimator, rows, times, layer).float()
    matching = functional.mse_loss(found[:, n_known:], (mel - noise)[:, n_known:])
    return matching + _PRIOR_WEIGHT * functional.mse_loss(mu.float(), mel)


def encoded(flow: Flow, batch: FlowBatch) -> Tensor:
    """What the encoder makes of codes in a stream, ``[B, 2 T, mels]``: there it reads the prompt
    before anything is said, with silence to look ahead at."""
    encoder, rate = flow.encoder, flow.config.encoder.up_stride
    state = _chunked_state(flow, len(batch.codes), _mask(batch, 1), _mask(batch, rate))
    prompt, following = batch.codes.tensor_split([batch.n_prompt], dim=1)
    silence = prompt.new_full((len(prompt), encoder.config.pre_lookahead_len), SILENCE_CODE)
    prompt_codes = flow.input_embedding(torch.cat([prompt, silence], dim=1))
    looked_ahead = [
        encoder.look_ahead(prompt_codes, state, last=False),
        encoder.look_ahead(flow.input_embedding(following), state, last=True),
    ]
    n_codes = batch.codes.shape[1]
    positions = encoder.positions(n_codes, n_codes)
    hidden = encoder.contextual(torch.cat(looked_ahead, dim=1), positions, state)
    return flow.encoder_proj(hidden)


def velocity(estimator: DiT, rows: Tensor, times: Tensor, layer: FrameLayer) -> Tensor:
    """What the estimator gives for rows ``[B, T, 4 * mels]`` that are each at a time of their own,
    ``[B]``."""
    embedded = estimator.t_embedder(times)
    x = estimator.in_proj(rows)
    for block in estimator.blocks:
        assert isinstance(block, Block)
        modulation = block.adaLN_modulation(embedded).unflatten(-1, (3, 3, 1, -1))
        attention, mlp, convolution = modulation.unbind(1)  # [B, 3, 1, hidden]
        x = x + attention[:, 2] * block.attn(_modulated(x, attention), layer)
        x = x + convolution[:, 2] * block.conv(_modulated(x, convolution), None)
        x = x + mlp[:, 2] * block.mlp(_modulated(x, mlp))
    last = estimator.final_layer
    final = last.adaLN_modulation(embedded).unflatten(-1, (2, 1, -1))  # [B, 2, 1, hidden]
    return last.linear(_modulated(x, final))


def seen_in_chunks(n: int, n_prompt: int, n_chunk: int, device: torch.device) -> Tensor:
    """Added to scores ``[1, 1, n, n]``: the prompt sees itself, and each chunk behind it sees
    itself and all before."""
    index = torch.arange(n, device=device)
    chunk = torch.where(index < n_prompt, 0, 1 + (index - n_prompt) // n_chunk)
    hidden = chunk[None, :] > chunk[:, None]
    return torch.zeros(n, n, device=device).masked_fill(hidden, -math.inf)[None, None]


def _mask(batch: FlowBatch, per_code: int) -> Tensor:
    """What so many frames a code see of each other."""
    n, n_prompt = per_code * batch.codes.shape[1], per_code * batch.n_prompt
    return seen_in_chunks(n, n_prompt, per_code * CHUNK_CODES, batch.codes.device)


def _chunked_state(flow: Flow, n_rows: int, token_mask: Tensor, frame_mask: Tensor) -> EncoderState:
    empty = EncoderState.allocate(flow.config.encoder, 0, flow.encoder_proj.weight, n_rows)
    tokens, frames = SeenFrames(token_mask), SeenFrames(frame_mask)
    return EncoderState(empty.lookahead, empty.upsampling, tokens, frames, empty.rate)


def _modulated(x: Tensor, modulation: Tensor) -> Tensor:
    """``[B, T, C]`` with shift and scale ``[B, 2 or more, 1, C]`` of each row."""
    normed = functional.layer_norm(x, x.shape[-1:], eps=_NORM_EPS)
    return normed * (1 + modulation[:, 1]) + modulation[:, 0]
