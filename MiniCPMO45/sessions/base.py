"""What every conversation has: a cache slot, a random generator and a way to feed the decoder."""

from __future__ import annotations

from types import TracebackType

import torch
from torch import Tensor
from typing_extensions import Self

from MiniCPMO45.batching import together
from MiniCPMO45.inputs import InputBuilder, PromptInput
from MiniCPMO45.kv_cache import CacheSlot, drop_span
from MiniCPMO45.model import MiniCPMO
from MiniCPMO45.sampling import start_reading
from MiniCPMO45.speech_sampling import SpeechSampling
from MiniCPMO45.speech_tokens import SpeechDecoder, SpeechStream


class Session:
    """One conversation on a shared model. Close it, or use it as a context manager.

    Args:
        compat: reproduce the published model's accidents; only parity checks want this.
        seed: makes sampling repeatable.

    Raises:
        NoFreeSlotError: the model serves as many sessions as it was loaded for.
    """

    def __init__(self, model: MiniCPMO, *, compat: bool = False, seed: int | None = None) -> None:
        self.model = model
        self.compat = compat
        self.inputs = InputBuilder(model.tokenizer, model.image_settings, compat)
        self.slot = model.language.cache.acquire()
        self._speech_slot: CacheSlot | None = None
        self.generator = torch.Generator(device=model.device)
        if seed is None:
            self.generator.seed()
        else:
            self.generator.manual_seed(seed)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the cache slots back."""
        self.slot.close()
        if self._speech_slot is not None:
            self._speech_slot.close()

    def speech_decoder(self, sampling: SpeechSampling | None = None) -> SpeechDecoder:
        """A decoder for a new stretch of speech; the one before it is void.

        Raises:
            NoFreeSlotError: other sessions speak on all slots.
        """
        if self._speech_slot is None:
            self._speech_slot = self.model.speech.cache.acquire()
        return SpeechDecoder(
            self.model.tts,
            self.model.speech,
            self._speech_slot,
            self.generator,
            sampling or SpeechSampling(),
            units=self.model.speech_units,
        )

    def speech_stream(
        self,
        sampling: SpeechSampling | None = None,
        *,
        attention_type: str | None = None,
        window: int | None = None,
    ) -> SpeechStream:
        """Speech of a reply whose text arrives in chunks.

        Args:
            attention_type, window: how much earlier speech each chunk sees; the checkpoint's
                choice if None.
        """
        config = self.model.config.tts_config
        return SpeechStream(
            self.speech_decoder(sampling),
            attention_type=attention_type or config.attention_type,
            window=window or config.streaming_sliding_window_audio_window_size,
            compat=self.compat,
        )

    @property
    def kv_cache_length(self) -> int:
        """Tokens in the decoder's cache."""
        return self.slot.length

    @torch.inference_mode()
    def feed_embeddings(self, embeddings: Tensor) -> Tensor:
        """Append ``[T, hidden]`` to the cache; final hidden states ``[T, hidden]``.

        Raises:
            PromptTooLongError: the cache cannot hold them; nothing was written.
        """
        return self.model.language.feed(embeddings, self.slot)

    @torch.inference_mode()
    def feed_ids(self, ids: list[int]) -> Tensor:
        """Append tokens to the cache; final hidden states ``[T, hidden]``."""
        return self.feed_embeddings(
            self.model.llm.embed(torch.tensor(ids, device=self.model.device))
        )

    @torch.inference_mode()
    def feed_prompt(self, prompt: PromptInput, audio_rows: Tensor | None = None) -> Tensor:
        """Append a prompt with its media; final hidden states ``[T, hidden]``."""
        return self.feed_embeddings(
            self.model.embed_prompt(prompt, audio_rows=audio_rows, compat=self.compat)
        )

    @torch.inference_mode()
    def feed_token(self, token: Tensor) -> Tensor:
        """Append one chosen token ``[]`` without reading it back; its hidden state ``[hidden]``.

        Raises:
            PromptTooLongError: the cache is full.
        """
        return self.feed_embeddings(self.model.llm.embed(token[None]))[0]

    @torch.inference_mode()
    def feed_and_read(self, token: Tensor) -> tuple[Tensor, int]:
        """Append a chosen token ``[]`` and read it while the device works on it; its hidden state
        ``[hidden]`` and its id. :meth:`take_back` is for a token that should not have been fed.

        Raises:
            NotFiniteError: it was chosen from scores that are no numbers.
            PromptTooLongError: the cache is full.
        """
        read = start_reading(token)
        hidden = self.feed_token(token.clamp(min=0))
        return hidden, read()

    def take_back(self) -> None:
        """Forget the last token of the cache."""
        self.slot.truncate(self.slot.length - 1)

    @torch.inference_mode()
    def scores(self, hidden: Tensor) -> Tensor:
        """Float32 vocabulary scores for hidden states ``[..., hidden]``.

        Rows of the head beyond the tokenizer's entries are padding and left out.
        """
        if hidden.ndim == 1:
            return together(self.model.score_rows, hidden)
        return self.model.llm.logits(hidden)[..., : self.model.tokenizer.size]

    def drop_span(self, first: int, count: int) -> bool:
        """Forget ``count`` cached tokens from ``first`` on and close the gap.

        Later keys are turned back so that positions stay dense. False, and nothing changes, when
        the span is not within the cache.
        """
        if first + count > self.slot.length:
            return False
        drop_span(self.slot, first, count)
        self.model.language.rotary.turn(self.slot, first, torch.tensor([-count]))
        return True
