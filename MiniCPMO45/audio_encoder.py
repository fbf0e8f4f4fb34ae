"""Whisper audio encoder (arXiv:2212.04356) for whole clips and for a stream, and its projector."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from MiniCPMO45.audio import mel_token_count
from MiniCPMO45.audio_cache import AudioCache, AudioCaches, LayerCache, unfilled
from MiniCPMO45.configuration import AudioConfig, MiniCPMOConfig
from MiniCPMO45.joined_linears import JoinedLinears

__all__ = ["AudioCache", "AudioEncoder", "AudioProjector", "block_causal_mask", "stem_frames"]


def stem_frames(mel_frames: int) -> int:
    """Encoder frames of ``mel_frames``: the convolutions halve them, rounding up."""
    return (mel_frames + 1) // 2


def block_causal_mask(n_frames: int, block: int) -> Tensor:
    """Boolean ``[n_frames, n_frames]``: a frame sees its own block and all earlier ones."""
    index = torch.arange(n_frames) // block
    return index[:, None] >= index[None, :]


class AudioAttention(nn.Module):
    """Multi-head attention; the key projection has no bias."""

    def __init__(self, config: AudioConfig) -> None:
        super().__init__()
        width = config.d_model
        self.n_heads = config.encoder_attention_heads
        self.q_proj = nn.Linear(width, width)
        self.k_proj = nn.Linear(width, width, bias=False)
        self.v_proj = nn.Linear(width, width)
        self.out_proj = nn.Linear(width, width)
        self.projections = JoinedLinears(self.q_proj, self.k_proj, self.v_proj)

    def forward(self, hidden: Tensor, mask: Tensor | None, cache: LayerCache | None) -> Tensor:
        """``[B, S, d]`` to the same; with a cache the new frames see all cached ones."""
        query, key, value = (
            # -> [B, heads, S, head_dim]
            part.unflatten(-1, (self.n_heads, -1)).transpose(1, 2)
            for part in self.projections(hidden)
        )
        if cache is not None:
            key, value = cache.append(key, value)
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        return self.out_proj(mixed.transpose(1, 2).flatten(2))


class AudioLayer(nn.Module):
    """Pre-norm transformer layer with exact GELU."""

    def __init__(self, config: AudioConfig) -> None:
        super().__init__()
        self.self_attn = AudioAttention(config)
        self.self_attn_layer_norm = nn.LayerNorm(config.d_model)
        self.fc1 = nn.Linear(config.d_model, config.encoder_ffn_dim)
        self.fc2 = nn.Linear(config.encoder_ffn_dim, config.d_model)
        self.final_layer_norm = nn.LayerNorm(config.d_model)

    def forward(
        self, hidden: Tensor, mask: Tensor | None = None, cache: LayerCache | None = None
    ) -> Tensor:
        hidden = hidden + self.self_attn(self.self_attn_layer_norm(hidden), mask, cache)
        return hidden + self.fc2(functional.gelu(self.fc1(self.final_layer_norm(hidden))))


class AudioEncoder(nn.Module):
    """Mel features to hidden states at 50 frames a second."""

    def __init__(self, config: AudioConfig) -> None:
        super().__init__()
        width = config.d_model
        self.config = config
        self.conv1 = nn.Conv1d(config.num_mel_bins, width, kernel_size=3, padding=1)
        self.conv2 = nn.Conv1d(width, width, kernel_size=3, stride=2, padding=1)
        self.embed_positions = nn.Embedding(config.max_source_positions, width)
        self.layers = nn.ModuleList(AudioLayer(config) for _ in range(config.encoder_layers))
        self.layer_norm = nn.LayerNorm(width)

    def forward(
        self,
        mel: Tensor,
        lengths: Sequence[int],
        chunk_frames: int | None,
        compat: bool = False,
    ) -> Tensor:
        """Encode a padded batch of whole clips.

        Args:
            mel: ``[B, mels, M]``; at most twice ``max_source_positions`` frames.
            lengths: valid mel frames of each clip.
            chunk_frames: attend in blocks of so many encoder frames, each seeing all earlier
                blocks; None lets every frame see the whole clip.
            compat: hide padding as the published code does, which compares encoder frames with
                mel lengths and so lets clips of a ragged batch see some of their padding. By
                default each clip comes out as if encoded alone.

        Returns:
            ``[B, ceil(M / 2), d]``; rows beyond a clip's own length are meaningless.
        """
        if mel.shape[2] == 0:
            return mel.new_zeros(mel.shape[0], 0, self.config.d_model)
        valid = torch.tensor(list(lengths))
        ragged = bool((valid < mel.shape[2]).any())
        hidden = self._stem(mel, None if compat or not ragged else valid)
        n_frames = hidden.shape[1]
        mask = self._offline_mask(valid if compat else (valid + 1) // 2, n_frames, chunk_frames)
        if mask is not None:
            mask = mask.to(hidden.device)
        hidden = hidden + self.embed_positions.weight[:n_frames]
        for layer in self.layers:
            hidden = layer(hidden, mask)
        return self.layer_norm(hidden)

    def stream(
        self, mel: Tensor, cache: AudioCache, *, prefix_frames: int = 0, suffix_frames: int = 0
    ) -> Tensor:
        """Encode the next piece of a stream; it sees all cached frames and itself.

        The cache starts afresh when the piece would not fit, positions included.

        Args:
            mel: ``[1, mels, M]``.
            prefix_frames, suffix_frames: mel frames repeated from the piece before and taken
                from the piece after; they are cut off behind the convolutions, whose edges they
                absorb.

        Returns:
            ``[1, S, d]`` for the frames that remain.
        """
        if mel.shape[2] == 0:
            return mel.new_zeros(1, 0, self.config.d_model)
        cache.make_room(stem_frames(mel.shape[2]))
        hidden = _trim(self._stem(mel), prefix_frames, suffix_frames)
        first = cache.length
        hidden = hidden + self.embed_positions.weight[first : first + hidden.shape[1]]
        for index, layer in enumerate(self.layers):
            hidden = layer(hidden, cache=cache.layer(index))
        cache.advance(hidden.shape[1])
        return self.layer_norm(hidden)

    def stream_together(
        self,
        mel: Tensor,
        caches: AudioCaches,
        slots: Tensor,
        lengths: Tensor,
        *,
        prefix_frames: int,
        suffix_frames: int,
    ) -> Tensor:
        """Encode a piece of each of several streams as :meth:`stream` would, without a look at
        where they stand: that is read on the device, and counted by the caller.

        Args:
            mel: ``[B, mels, M]``.
            slots, lengths: int64 ``[B]``, each stream's place in ``caches`` and its filled frames,
                behind which there is room.

        Returns:
            ``[B, S, d]``.
        """
        hidden = _trim(self._stem(mel), prefix_frames, suffix_frames)
        positions = lengths[:, None] + torch.arange(hidden.shape[1], device=lengths.device)
        mask = unfilled(positions, caches.capacity, hidden.dtype)
        hidden = hidden + self.embed_positions.weight[positions]
        for index, layer in enumerate(self.layers):
            hidden = layer(hidden, mask, caches.layer(index, slots, positions))
        return self.layer_norm(hidden)

    def join_projections(self) -> None:
        """Make fewer, larger products of the loaded weights."""
        for layer in self.layers:
            layer.self_attn.projections.join()  # pyright: ignore[reportAttributeAccessIssue, reportCallIssue]

    def new_caches(self, n_slots: int) -> AudioCaches:
        """Caches for several streams."""
        return AudioCaches(self.config, n_slots, self.conv1.weight)

    def new_cache(self) -> AudioCache:
        """An empty cache for one stream that shares no forward."""
        return self.new_caches(1).stream(0)

    def _stem(self, mel: Tensor, valid: Tensor | None = None) -> Tensor:
        """``[B, mels, M]`` to ``[B, ceil(M / 2), d]``; ``valid`` silences padding in between."""
        hidden = functional.gelu(self.conv1(mel.to(self.conv1.weight.dtype)))
        if valid is not None:
            inside = torch.arange(hidden.shape[2]) < valid[:, None]  # [B, M]
            hidden = hidden * inside[:, None].to(hidden.device, hidden.dtype)
        return functional.gelu(self.conv2(hidden)).transpose(1, 2)

    @staticmethod
    def _offline_mask(valid: Tensor, n_frames: int, chunk_frames: int | None) -> Tensor | None:
        """Boolean mask broadcastable to ``[B, 1, S, S]``, None where everything is seen."""
        mask = None
        if bool((valid < n_frames).any()):
            mask = (torch.arange(n_frames) < valid[:, None])[:, None, None, :]
        if chunk_frames is not None:
            blocks = block_causal_mask(n_frames, chunk_frames)[None, None]
            mask = blocks if mask is None else mask & blocks
        return mask


def _trim(hidden: Tensor, prefix_frames: int, suffix_frames: int) -> Tensor:
    """Drop the encoder frames of repeated mel frames; the right cut never takes everything."""
    hidden = hidden[:, stem_frames(prefix_frames) :]
    kept = hidden.shape[1] - stem_frames(suffix_frames)
    return hidden[:, :kept] if kept > 0 else hidden


class AudioProjector(nn.Module):
    """Encoder states to the language model's width, then averaged over time."""

    def __init__(self, config: MiniCPMOConfig) -> None:
        super().__init__()
        self.pool_step = config.audio_pool_step
        self.linear1 = nn.Linear(config.audio_config.encoder_ffn_dim // 4, config.hidden_size)
        self.linear2 = nn.Linear(config.hidden_size, config.hidden_size)

    def forward(self, hidden: Tensor) -> Tensor:
        """``[B, S, d]`` to ``[B, S, D]``."""
        return self.linear2(functional.relu(self.linear1(hidden)))

    def pool(self, hidden: Tensor, mel_lengths: Sequence[int]) -> list[Tensor]:
        """Project and average encoder states, ``[tokens, D]`` for each clip.

        Args:
            hidden: ``[B, S, d]``.
            mel_lengths: mel frames of each clip as they went in, repeated ones included.
        """
        projected = self(hidden)
        n_windows = projected.shape[1] // self.pool_step
        windows = projected[:, : n_windows * self.pool_step]
        pooled = windows.unflatten(1, (n_windows, self.pool_step)).mean(dim=2)
        counts = [mel_token_count(length, self.pool_step) for length in mel_lengths]
        return [rows[:count] for rows, count in zip(pooled, counts, strict=True)]
