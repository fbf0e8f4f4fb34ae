"""Speaking an answer while its text is still being written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from MiniCPMO45.sessions.generation import CHUNK_TOKENS, Choice
from MiniCPMO45.speech_tokens import CodeGroup, SpeechStream
from MiniCPMO45.tokenizer import TextStream
from MiniCPMO45.vocoder import Vocoder

SILENCE_CODE = 4218  # 40 ms of silence
LOOKAHEAD_CODES = 3  # the vocoder renders a code once it has seen the three after it
WINDOW_CODES = 25 + LOOKAHEAD_CODES


@dataclass(frozen=True)
class SpokenText:
    """A piece of sound, float32 ``[n]`` at 24 kHz, and the text that became known before it.

    A step that made no sound has an empty waveform; callers may stop between any two. The text so
    far comes from the first ``n_tokens`` of the answer.
    """

    waveform: Tensor
    text: str
    n_tokens: int = 0


class CodeWindow:
    """Cuts groups of codes into the overlapping windows the vocoder reads.

    Args:
        lead_in: begin with the silence that streamed speech starts from.
    """

    def __init__(self, vocoder: Vocoder, *, lead_in: bool = True) -> None:
        self._vocoder = vocoder
        self._waiting = [SILENCE_CODE] * LOOKAHEAD_CODES if lead_in else []

    @property
    def is_empty(self) -> bool:
        return not self._waiting

    def push(self, group: CodeGroup) -> Iterator[Tensor]:
        """Sound that can be rendered now."""
        self._waiting += group.codes
        while len(self._waiting) >= WINDOW_CODES:
            yield self._vocoder.push(self._waiting[:WINDOW_CODES], last=False)
            self._waiting = self._waiting[WINDOW_CODES - LOOKAHEAD_CODES :]

    def finish(self) -> Tensor:
        """The rest of the sound."""
        return self._vocoder.push(self._waiting, last=True)


@torch.inference_mode()
def speak_choices(
    choices: Iterable[Choice], speech: SpeechStream, vocoder: Vocoder, text: TextStream
) -> Iterator[SpokenText]:
    """Speak an answer token by token; text rides on the first sound made after it.

    Tokens are spoken in groups of ten, each from the hidden state at which it was fed. A group
    waits for the choice after it, because an answer that ends there is spoken differently. An
    answer without tokens gives no sound. Each item is one bounded step.
    """
    window = CodeWindow(vocoder)
    pending: list[Choice] = []
    unsaid = ""
    n_tokens = n_said = 0
    for choice in choices:
        ended = choice.token_id is None
        if pending and (ended or len(pending) == CHUNK_TOKENS):
            n_tokens += len(pending)
            finished = ended and choice.finish_reason == "stop"
            unsaid += "".join(text.push(_token_id(token)) for token in pending)
            for group in speech.push(_condition(speech, pending), text_finished=finished):
                for waveform in window.push(group):
                    n_said = n_tokens
                    yield SpokenText(waveform, unsaid, n_said)
                    unsaid = ""
            pending = []
        if not ended:
            pending.append(choice)
            yield SpokenText(torch.zeros(0), "", n_said)
    if n_tokens:
        for waveform in window.push(speech.flush()):
            yield SpokenText(waveform, unsaid, n_tokens)
            unsaid = ""
        yield SpokenText(window.finish(), unsaid + text.flush(), n_tokens)


def _condition(speech: SpeechStream, tokens: Sequence[Choice]) -> Tensor:
    hidden = torch.stack([token.hidden for token in tokens if token.hidden is not None])
    ids = torch.tensor([_token_id(token) for token in tokens], device=hidden.device)
    return speech.decoder.module.condition(ids, hidden)


def _token_id(choice: Choice) -> int:
    assert choice.token_id is not None
    return choice.token_id
