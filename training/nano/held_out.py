"""How held-out answers are predicted at the end of a stage: each of their tokens from what truly
comes before it."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional

from MiniCPMO45 import MiniCPMO
from training.nano.packing import NOT_LEARNT


@dataclass
class HeldOut:
    """Over all tokens of answers: the targets, their losses, and whether they were the first
    choice; ``answers`` tells for each whether the choices of its whole answer were right.

    An answer that is right as a whole is what greedy decoding would say.
    """

    targets: list[Tensor] = field(default_factory=list)
    losses: list[Tensor] = field(default_factory=list)
    right: list[Tensor] = field(default_factory=list)
    answers: list[Tensor] = field(default_factory=list)

    def note(self, model: MiniCPMO, hidden: Tensor, targets: Tensor) -> None:
        """Add rows with their final hidden states ``[B, T, hidden]`` and targets ``[B, T]``."""
        learnt = targets != NOT_LEARNT
        scores, wanted = model.llm.logits(hidden[learnt]), targets[learnt]
        right = scores.argmax(dim=1) == wanted
        begins = learnt & ~functional.pad(learnt, (1, -1))
        numbers = begins.flatten().cumsum(0)[learnt.flatten()] - 1
        wrong = torch.zeros(int(begins.sum()), device=right.device)
        wrong.index_add_(0, numbers, (~right).float())
        self.targets.append(wanted.cpu())
        self.losses.append(functional.cross_entropy(scores, wanted, reduction="none").cpu())
        self.right.append(right.cpu())
        self.answers.append((wrong == 0).cpu())

    def summary(self) -> dict[str, float]:
        """Mean loss, and shares of tokens and of whole answers that were right."""
        loss, tokens, answers = map(torch.cat, (self.losses, self.right, self.answers))
        return {
            "loss": round(float(loss.float().mean()), 4),
            "tokens_right": round(float(tokens.float().mean()), 4),
            "answers_right": round(float(answers.float().mean()), 4),
            "answers": len(answers),
        }

    def share_right(self, token_id: int) -> float | None:
        """How often a token was the first choice where it should be."""
        chosen = torch.cat(self.targets) == token_id
        right = torch.cat(self.right)[chosen].float()
        return round(float(right.mean()), 4) if len(right) else None
