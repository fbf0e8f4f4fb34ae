"""Speech-token generator (``tts.``): its weights and the maths of one step."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from MiniCPMO45.configuration import TTSConfig
from MiniCPMO45.llm import DecoderShape, DecoderStack


class Projector(nn.Module):
    """Two linear layers with a ReLU between them."""

    def __init__(self, width_in: int, width_out: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(width_in, width_out)
        self.linear2 = nn.Linear(width_out, width_out)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear2(functional.relu(self.linear1(x)))


class _WeightNorm(nn.Module):
    """Magnitude per row and direction, as ``torch.nn.utils.parametrizations`` names them."""

    def __init__(self, width_in: int, width_out: int) -> None:
        super().__init__()
        self.original0 = nn.Parameter(torch.empty(width_out, 1))
        self.original1 = nn.Parameter(torch.empty(width_out, width_in))


class WeightNormLinear(nn.Module):
    """A bias-free linear layer stored in weight-normalised form
    (https://arxiv.org/abs/1602.07868)."""

    def __init__(self, width_in: int, width_out: int) -> None:
        super().__init__()
        self.parametrizations = nn.ModuleDict({"weight": _WeightNorm(width_in, width_out)})
        self._folded: Tensor | None = None

    def fold(self) -> None:
        """Compute the plain weight once; call after the parameters were (re)loaded."""
        parts = self.parametrizations["weight"]
        assert isinstance(parts, _WeightNorm)
        direction = parts.original1 / parts.original1.norm(dim=1, keepdim=True)
        weight = (parts.original0 * direction).detach()
        if weight.device.type == "cpu":  # one row is three times faster by whole columns
            weight = weight.t().contiguous().t()
        self._folded = weight

    def forward(self, x: Tensor) -> Tensor:
        assert self._folded is not None, "fold() must follow loading"
        return functional.linear(x, self._folded)


class SpeechTokenGenerator(nn.Module):
    """Llama backbone over conditions and audio codes.

    ``projector_spk`` is part of the published weights and unused by every mode.
    """

    def __init__(self, config: TTSConfig) -> None:
        super().__init__()
        self.config = config
        width = config.hidden_size
        self.emb_text = nn.Embedding(config.num_text_tokens, width)
        self.projector_semantic = Projector(config.llm_dim, width)
        self.projector_spk = Projector(config.llm_dim, width)
        self.emb_code = nn.ModuleList(
            nn.Embedding(config.num_audio_tokens, width) for _ in range(config.num_vq)
        )
        self.head_code = nn.ModuleList(
            WeightNormLinear(width, config.num_audio_tokens) for _ in range(config.num_vq)
        )
        self.model = DecoderStack(DecoderShape.of_speech_backbone(config), vocab_size=None)

    def fold(self) -> None:
        """Fold the weight-normalised heads after loading."""
        for head in self.head_code:
            assert isinstance(head, WeightNormLinear)
            head.fold()

    def condition(
        self, token_ids: Tensor, hidden: Tensor, *, normalise: bool | None = None
    ) -> Tensor:
        """Inputs that carry text and meaning: ``[T]`` ids and their final hidden states
        ``[T, llm_dim]`` -> ``[T, hidden]``.

        Args:
            normalise: bring the projected states to unit length; None asks the configuration.
        """
        meaning = self.projector_semantic(hidden)
        if self.config.normalize_projected_hidden if normalise is None else normalise:
            meaning = functional.normalize(meaning, dim=-1)  # L2, eps 1e-12
        return self.emb_text(token_ids) + meaning

    def close_condition(self, rows: Tensor, *, text_finished: bool) -> Tensor:
        """Condition rows followed by the text-end row, if the text is complete, and the row that
        starts audio."""
        closing = [self.config.audio_bos_token_id]
        if text_finished:
            closing.insert(0, self.config.text_eos_token_id)
        marks = torch.tensor(closing, device=rows.device)
        return torch.cat((rows, self.emb_text(marks).to(rows.dtype)))
