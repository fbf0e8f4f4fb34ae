"""What the ear hears, spelt out: losses that make out of sounds what a language model can use,
much sooner than answers do."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from MiniCPMO45 import MiniCPMO
from training.nano.ear_batch import Heard
from training.nano.hearing import Clip
from training.nano.phones import N_CLASSES, SILENCE, Classes
from training.nano.saying import transcript

PLACEHOLDER = "<unk>"  # stands for sound in prompts; here for rows between two tokens
QUIETER = 0.1  # than they were, in rows that begin with silence
NEARNESS = 12.0  # between the scores of a token and of zero, for a row at the token's embedding


class Speller(nn.Module):
    """The model, learning to spell: in phones with the encoder's states, where it is known when
    each is said, by a head that is thrown away; and in tokens with the rows that the language
    model reads, without a head, where each row is to come near the embedding of the token that is
    said, or of the placeholder (CTC, Graves et al. 2006).

    Attributes:
        phones_loss, phones_right, tokens_loss: of the last batch.
    """

    def __init__(self, model: MiniCPMO) -> None:
        super().__init__()
        self.model = model
        width = model.config.audio_config.d_model
        self.phones = nn.Linear(width, N_CLASSES, device=model.device)
        self.phones_loss = self.phones_right = self.tokens_loss = torch.zeros(())
        (self._placeholder,) = model.tokenizer.ids_of([PLACEHOLDER])

    @torch.no_grad()
    def begin_with_silence(self) -> None:
        """Let every row be nearly the placeholder, as most of them are to be. From anywhere else
        the loss first drives all rows there together, and the ear forgets to tell sounds apart."""
        last = self.model.audio_projection_layer.linear2
        last.weight.mul_(QUIETER)
        last.bias.copy_(self.model.llm.model.embed_tokens.weight[self._placeholder])

    def spelling_loss(self, ear: Heard, clips: Sequence[Clip]) -> Tensor:
        """Of those clips of a batch whose text is known."""
        spoken = [number for number, clip in enumerate(clips) if clip.text]
        if not spoken:
            return self.phones.weight.new_zeros(())
        texts = [transcript(clips[number].text or "") for number in spoken]
        self.tokens_loss = _ctc(
            self._nearness(ear.rows_side_by_side(spoken)),
            [ear.n_rows[number] for number in spoken],
            [self.model.tokenizer.encode_plain(text) for text in texts],
            self._placeholder,
        )
        phones_loss = self._phones_loss(ear, clips)
        # tokens that cannot be told apart yet would drown out the phones that tell them apart
        return phones_loss + self.tokens_loss / self.tokens_loss.detach().clamp(min=1)

    def _phones_loss(self, ear: Heard, clips: Sequence[Clip]) -> Tensor:
        """Mean cross-entropy of the frames of those clips whose phones are known."""
        known = [
            (own, _of_length(clip.phones, len(own)))
            for own, clip in zip(ear.frames, clips, strict=True)
            if clip.phones is not None
        ]
        if not known:
            return self.phones.weight.new_zeros(())
        places, wanted = (np.concatenate(parts) for parts in zip(*known, strict=True))
        device = ear.states.device
        states = ear.states.index_select(0, torch.from_numpy(places).to(device))
        classes = torch.from_numpy(wanted).to(device).long()
        scores = self.phones(states).float()
        self.phones_loss = functional.cross_entropy(scores, classes)
        self.phones_right = (scores.argmax(-1) == classes)[classes > SILENCE].float().mean()
        return self.phones_loss

    @torch.no_grad()
    def spelt(self, ear: Heard, clip: int) -> str:
        """What the rows of one clip say."""
        scores = self._nearness(ear.rows_side_by_side([clip])[:, 0])
        choices = scores.argmax(dim=-1).unique_consecutive().tolist()
        spelt = [index for index in choices if index != self._placeholder]
        return self.model.tokenizer.decode(spelt)

    def _nearness(self, rows: Tensor) -> Tensor:
        """Scores ``[..., vocabulary]`` of all tokens for rows ``[..., hidden]``, by the distances
        from their embeddings, which learn nothing here; what scores have in common is left out."""
        table = self.model.llm.model.embed_tokens.weight.detach().float()
        squares = table.square().sum(dim=1)
        return (rows.float() @ table.T - squares / 2) * (2 * NEARNESS / squares.mean())


def _of_length(phones: Classes, length: int) -> Classes:
    """Cut off, or silent at the end."""
    return np.pad(phones[:length], (0, max(0, length - len(phones))), constant_values=SILENCE)


def _ctc(scores: Tensor, lengths: list[int], spelt: list[list[int]], blank: int) -> Tensor:
    """The loss of scores ``[T, B, choices]``; a clip too short for its text is left out."""
    return functional.ctc_loss(
        scores.float().log_softmax(-1),
        torch.tensor(list(chain.from_iterable(spelt)), device=scores.device),
        torch.tensor(lengths),
        torch.tensor([len(choices) for choices in spelt]),
        blank=blank,
        zero_infinity=True,
    )
