"""Listen, speak, or which word: one choice of a full-duplex unit."""

from __future__ import annotations

from collections import deque

import torch
from torch import Tensor

from MiniCPMO45.sampling import best_token, checked, drawn_candidate, drawn_token
from MiniCPMO45.sessions.duplex_options import DuplexOptions
from MiniCPMO45.tokenizer import Tokenizer
from MiniCPMO45.transfer import to_device


class DuplexTokens:
    """Ids of the tokens that steer a full-duplex conversation."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.unit_start, self.unit_end = tokenizer.ids_of(["<unit>", "</unit>"])
        self.image = tuple(tokenizer.ids_of(["<image>", "</image>"]))
        self.slice = tuple(tokenizer.ids_of(["<slice>", "</slice>"]))
        self.listen, self.speak = tokenizer.ids_of(["<|listen|>", "<|speak|>"])
        self.turn_end, self.chunk_end = tokenizer.ids_of(["<|turn_eos|>", "<|chunk_eos|>"])
        self.speech_start, self.message_end = tokenizer.ids_of(["<|tts_bos|>", "<|im_end|>"])
        self.audio_end = tokenizer.id_of("<|audio_end|>")
        self.unit_terminators = {
            self.listen,
            self.chunk_end,
            tokenizer.id_of("<|chunk_tts_eos|>"),
        }
        self.controls = {self.listen, self.speak, self.turn_end}


class Decider:
    """Makes choices and remembers them for the repetition penalty."""

    def __init__(
        self, tokenizer: Tokenizer, options: DuplexOptions, generator: torch.Generator
    ) -> None:
        self._tokens = DuplexTokens(tokenizer)
        self._options = options
        self._generator = generator
        self._barred = torch.tensor(tokenizer.duplex_suppressed_ids, device=generator.device)
        self.history: deque[int] = deque(maxlen=options.text_repetition_window_size)

    def choose(self, scores: Tensor) -> int:
        """The next token for float32 ``scores`` ``[vocabulary]``.

        The end of a unit must win on the plain scores; after that it is barred with everything
        that cannot be spoken.

        Raises:
            NotFiniteError: the scores are no numbers.
        """
        options, tokens = self._options, self._tokens
        is_drawn = options.do_sample and options.temperature > 0
        plain = drawn_token(scores, self._generator) if is_drawn else best_token(scores)
        scores = scores.index_fill(0, self._barred, -torch.inf)
        if self.history:
            recent = to_device(list(self.history), scores.device)
            # Published: the sign is not looked at, so negative scores rise.
            scores = scores.index_put((recent,), scores[recent] / options.text_repetition_penalty)
        turn_end, penalty = scores[tokens.turn_end], options.length_penalty
        scores[tokens.turn_end] = turn_end * torch.where(turn_end <= 0, penalty, 1 / penalty)
        scores[tokens.message_end] *= options.listen_prob_scale
        if is_drawn:
            choice = drawn_candidate(
                scores,
                self._generator,
                temperature=options.temperature,
                top_k=options.top_k,
                top_p=options.top_p or 1.0,
            )
        else:
            choice = best_token(scores)
        rank = (scores > scores[tokens.message_end]).sum()
        plain_id, token, rank = torch.stack((plain, choice, rank)).tolist()  # one wait for all
        if checked(plain_id) == tokens.chunk_end:
            return tokens.chunk_end
        if options.listen_top_k is not None and rank < options.listen_top_k:
            return tokens.message_end
        checked(token)
        if options.penalize_control_tokens or token not in tokens.controls:
            self.history.append(token)
        return token

    def forget_last(self) -> None:
        """Take the last remembered choice back."""
        self.history.pop()
