"""Chat: a whole conversation is read at once and answered once."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from MiniCPMO45.errors import PromptError
from MiniCPMO45.prompts import ChatMessage, PromptOptions, opening_text
from MiniCPMO45.sampling import GenerationOptions, best_token
from MiniCPMO45.sessions.base import Session
from MiniCPMO45.sessions.generation import (
    Choice,
    FinishReason,
    decode_chunked,
    decode_plain,
)
from MiniCPMO45.sessions.speech import CodeWindow, SpokenText, Vocoder, speak_choices
from MiniCPMO45.speech_sampling import SpeechSampling
from MiniCPMO45.speech_tokens import REPLY_LIMIT, REPLY_MINIMUM, CodeGroup

SPEECH_START = "<|tts_bos|>"
SPEECH_END = "<|tts_eos|>"


@dataclass(frozen=True)
class Prompt:
    """What was read: the rendered text (media as short tags) and its length in tokens."""

    text: str
    n_tokens: int


@dataclass(frozen=True)
class TextDelta:
    """The text one decode step added; it may be empty and never ends inside a character."""

    text: str
    n_tokens: int
    finished: bool


@dataclass(frozen=True)
class Answer:
    """A finished answer. ``token_ids`` leaves out the terminator."""

    text: str
    token_ids: list[int]
    finish_reason: FinishReason
    terminator_id: int | None = None

    @property
    def n_tokens(self) -> int:
        return len(self.token_ids)


class ChatSession(Session):
    """Reads messages with :meth:`prefill`, answers once with :meth:`generate`."""

    answer: Answer | None = None
    _options: PromptOptions | None = None
    _fed: list[Tensor]
    last_hidden: Tensor
    """Final hidden state ``[hidden]`` of the prompt's last token."""

    def prefill(
        self, messages: Sequence[ChatMessage], options: PromptOptions | None = None
    ) -> Prompt:
        """Read a conversation from its beginning; whatever was read before is forgotten.

        Raises:
            PromptTooLongError: over ``options.max_inp_length`` or the cache; nothing was read.
            PromptError, MediaError: the messages cannot be used.
        """
        options = options or PromptOptions()
        prompt = self.inputs.chat(messages, options)
        self.slot.truncate(0)
        self.answer, self._fed = None, []
        self.last_hidden = self.feed_prompt(prompt)[-1]
        self._options = options
        return Prompt(prompt.text, len(prompt.ids))

    def generate(
        self, options: GenerationOptions | None = None
    ) -> Generator[TextDelta, None, None]:
        """Decode the answer, one step per item; the last item is ``finished``.

        Dropping the iterator stops the answer. Afterwards :attr:`answer` holds the whole of it.
        """
        options = options or GenerationOptions()
        stream = self.model.tokenizer.text_stream()
        token_ids: list[int] = []
        for choice in self._choices(options):
            if choice.token_id is not None:
                token_ids.append(choice.token_id)
                yield TextDelta(stream.push(choice.token_id), len(token_ids), False)
            else:
                self._note_answer(token_ids, choice, options)
                yield TextDelta(stream.flush(), len(token_ids), True)

    @torch.inference_mode()
    def speech_condition(self) -> Tensor:
        """What the finished answer of the plain sampler gives the speech-token generator,
        ``[T, tts hidden]``.

        The spoken part follows the last ``<|tts_bos|>`` and ends before the last ``<|tts_eos|>``,
        or with the last token that was fed.

        Raises:
            PromptError: there is no answer to speak.
        """
        if self.answer is None:
            raise PromptError("an answer must be generated before it can be spoken")
        ids = self.answer.token_ids[: len(self._fed)]
        start_id, end_id = self.model.tokenizer.ids_of([SPEECH_START, SPEECH_END])
        end = _last_index(ids, end_id, default=len(ids))
        start = _last_index(ids, start_id, default=-1) + 1
        if start >= end:
            raise PromptError("the answer has no spoken part")
        rows = self.model.tts.condition(
            torch.tensor(ids[start:end], device=self.model.device),
            torch.stack(self._fed[start:end]),
        )
        return self.model.tts.close_condition(rows, text_finished=True)

    def speak(
        self, vocoder: Vocoder, sampling: SpeechSampling | None = None
    ) -> Generator[Tensor, None, None]:
        """The finished answer aloud, one step per item, each float32 ``[n]`` at 24 kHz.

        Most steps only draw a code and give an empty piece; callers may stop between any two.

        Raises:
            PromptError: there is no answer to speak.
        """
        window = CodeWindow(vocoder, lead_in=False)
        codes = self.speech_decoder(sampling).codes(
            self.speech_condition(), REPLY_LIMIT, minimum=REPLY_MINIMUM
        )
        held: list[int] = []  # the last draw, end code or not, is left out
        for code in codes:
            yield from window.push(CodeGroup(held, last=False))
            held = [code]
            yield torch.zeros(0)
        if not window.is_empty:
            yield window.finish()

    def speak_while_writing(
        self,
        vocoder: Vocoder,
        options: GenerationOptions | None = None,
        sampling: SpeechSampling | None = None,
    ) -> Generator[SpokenText, None, None]:
        """Decode the answer of a ``kv`` prompt and speak it as it is written.

        Text comes with the first sound made after it. Afterwards :attr:`answer` holds all of it.
        """
        options = options or GenerationOptions(streaming=True)
        tokenizer = self.model.tokenizer
        token_ids: list[int] = []

        def noted() -> Iterator[Choice]:
            for choice in self._choices(options, barred_ids=tokenizer.speech_suppressed_ids):
                if choice.token_id is not None:
                    token_ids.append(choice.token_id)
                else:
                    self._note_answer(token_ids, choice, options)
                yield choice

        speech = self.speech_stream(sampling)
        yield from speak_choices(noted(), speech, vocoder, tokenizer.text_stream())

    def _choices(
        self, options: GenerationOptions, barred_ids: Sequence[int] = ()
    ) -> Iterator[Choice]:
        if self._options is None:
            raise PromptError("prefill() must come before generate()")
        if self._options.style == "one_shot":
            if options.streaming:
                raise PromptError("the chunked sampler needs a prompt of style kv")
            return decode_plain(self, self.last_hidden, options, fed=self._fed)
        speech = self._options.use_tts_template
        opening = opening_text(
            thinking=bool(self._options.enable_thinking),
            speech=options.streaming if speech is None else speech,
        )
        hidden = self.feed_ids(self.model.tokenizer.encode(opening))[-1]
        if options.streaming:
            return decode_chunked(self, hidden, options, barred_ids=barred_ids)
        # The published model takes the best-scored first token here, whatever the options.
        first = best_token(self.scores(hidden))
        return decode_plain(self, hidden, options, first=first, fed=self._fed)

    def _note_answer(self, token_ids: list[int], end: Choice, options: GenerationOptions) -> None:
        assert end.finish_reason is not None
        text = self._clean(token_ids, options)
        self.answer = Answer(text, token_ids, end.finish_reason, end.terminator_id)

    def _clean(self, token_ids: list[int], options: GenerationOptions) -> str:
        assert self._options is not None
        whole_on_cache = self._options.style == "kv" and not options.streaming
        if self.compat and not whole_on_cache:
            token_ids = [index for index in token_ids if index != 0]  # published: 0 vanishes
        text = self.model.tokenizer.decode(token_ids)
        if whole_on_cache:
            for marker in ("<|im_end|>", "<|endoftext|>"):
                text = text.replace(marker, "")
            text = text.strip()
        if self.compat:
            return text.rstrip(SPEECH_END)  # published: strips any of the marker's characters
        return text.removesuffix(SPEECH_END)


def _last_index(ids: Sequence[int], wanted: int, default: int) -> int:
    return max((i for i, index in enumerate(ids) if index == wanted), default=default)
