"""Chat in two calls, for callers in the same process: read a conversation, then answer it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import TypeAdapter

from core.errors import InvalidFieldError
from core.processors.answer import answer
from core.processors.events import Delta, Finished
from core.processors.limits import RequestLimits
from core.processors.messages import read_messages
from core.processors.model_errors import service_errors
from core.schemas import Message, StreamingChunk
from MiniCPMO45 import ChatSession, GenerationOptions, MiniCPMO, PromptOptions

MESSAGE_LIST = TypeAdapter(list[Message])


class PrefilledChat:
    """Holds one open session between `prefill` and the call that answers it."""

    def __init__(self, model: MiniCPMO, limits: RequestLimits) -> None:
        self.model = model
        self.limits = limits
        self._prefilled: tuple[str, ChatSession] | None = None

    def prefill(
        self,
        session_id: str,
        msgs: Iterable[Message | dict[str, Any]],
        omni_mode: bool = False,
        max_slice_nums: int | None = None,
        use_image_id: bool | None = None,
        use_tts_template: bool | None = None,
        enable_thinking: bool | None = None,
        max_inp_length: int = 8192,
    ) -> str:
        """Read a conversation into an empty cache; the prompt's text.

        The earlier conversation is forgotten. Options left at None follow the published socket.
        """
        messages = read_messages(MESSAGE_LIST.validate_python(list(msgs)), self.limits)
        options = PromptOptions(
            style="kv",
            omni_mode=omni_mode,
            max_slice_nums=max_slice_nums,
            use_image_id=use_image_id,
            use_tts_template=use_tts_template,
            enable_thinking=enable_thinking,
            max_inp_length=max_inp_length,
        )
        self.close()
        with service_errors():
            session = ChatSession(self.model)
            self._prefilled = (session_id, session)
            return session.prefill(messages, options).text

    def generate(
        self,
        session_id: str,
        max_new_tokens: int = 256,
        do_sample: bool = True,
        length_penalty: float = 1.1,
    ) -> str:
        """The answer as one text."""
        options = GenerationOptions(
            max_new_tokens=max_new_tokens, do_sample=do_sample, length_penalty=length_penalty
        )
        return next(
            event.text for event in self._answer(session_id, options) if isinstance(event, Finished)
        )

    def streaming_generate(
        self,
        session_id: str,
        max_new_tokens: int = 256,
        do_sample: bool = True,
        length_penalty: float = 1.1,
    ) -> Iterator[StreamingChunk]:
        """The answer in chunks with text, and a last one that is final and empty."""
        options = GenerationOptions(
            streaming=True,
            max_new_tokens=max_new_tokens,
            do_sample=do_sample,
            length_penalty=length_penalty,
        )
        index = 0
        for event in self._answer(session_id, options):
            if isinstance(event, Delta) and event.text:
                yield StreamingChunk(chunk_index=index, text_delta=event.text)
                index += 1
        yield StreamingChunk(chunk_index=index, is_final=True)

    def close(self) -> None:
        """Forget what was prefilled and give its place in the cache back."""
        if self._prefilled is not None:
            self._prefilled[1].close()
            self._prefilled = None

    def _answer(self, session_id: str, options: GenerationOptions) -> Iterator[Delta | Finished]:
        if self._prefilled is None or self._prefilled[0] != session_id:
            raise InvalidFieldError(
                f"prefill of session {session_id} must come first", field="session_id"
            )
        try:
            with service_errors():
                yield from answer(self._prefilled[1], options)
        finally:
            self.close()
