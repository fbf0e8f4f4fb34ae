"""One full-duplex call: sound of any length in, one decision out for each piece of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager

import numpy as np
from PIL import Image

from core.errors import InvalidFieldError, TooLargeError
from core.processors.duplex_reader import DEFAULT_SLICES, FRAMES_PER_CHUNK, CallTask, ChunkTask
from core.processors.duplex_result import Decision
from core.processors.model_errors import service_errors
from core.processors.voices import Voices
from core.schemas import MODEL_SAMPLE_RATE
from MiniCPMO45 import MediaError, MiniCPMO, PromptTooLongError
from MiniCPMO45.sessions.duplex import DuplexSession

UNIT_SAMPLES = MODEL_SAMPLE_RATE
TILES_PER_UNIT = 40  # pictures and their slices; more of either makes the others coarser


class ContextFullError(TooLargeError):
    """The call's context is full, and its window forgets nothing."""

    ends_session = True


class DuplexCall:
    """Holds a place in the cache from `prepare` until it is closed.

    It may be made on any thread; everything else belongs to the model's own.

    Args:
        note_length: told how many tokens are cached whenever that has changed.
    """

    def __init__(
        self,
        model: MiniCPMO,
        voices: Voices,
        note_length: Callable[[int], None] = lambda length: None,
        *,
        seed: int | None = None,
    ) -> None:
        self._model = model
        self._voices = voices
        self._note_length = note_length
        self._seed = seed
        self._session: DuplexSession | None = None
        self._samples = np.zeros(0, np.float32)
        self._frames: list[tuple[Image.Image, int]] = []  # with the most slices of each
        self._force_listen = False
        self._max_slice_nums = DEFAULT_SLICES
        self._deferred_finalize = True

    @property
    def session(self) -> DuplexSession:
        """The conversation with the model.

        Raises:
            InvalidFieldError: it was not prepared.
        """
        if self._session is None:
            raise InvalidFieldError("prepare must come first", field="type")
        return self._session

    @property
    def kv_cache_length(self) -> int:
        """Tokens in its cache."""
        return self._session.kv_cache_length if self._session is not None else 0

    def prepare(self, task: CallTask) -> Generator[None, None, None]:
        """Begin the call, or begin it anew.

        Raises:
            InvalidFieldError, TooLargeError: the voice or the prompt cannot be used.
        """
        self.close()
        with service_errors():
            make_vocoder = None
            if task.spoken_voice is not None:
                make_vocoder = self._voices.opener(task.spoken_voice, task.spoken_voice_field)
            yield
            session = DuplexSession(
                self._model, task.options, make_vocoder=make_vocoder, seed=self._seed
            )
            try:
                self._read_prompt(session, task)
            except BaseException:
                session.close()
                raise
            self._session = session
            self._max_slice_nums = task.max_slice_nums
            self._deferred_finalize = task.deferred_finalize
            self._note_length(self.kv_cache_length)
            yield

    def hear(self, chunk: ChunkTask) -> Generator[Decision | None, None, None]:
        """Take in a chunk and decide for each second that is complete: one `Decision` among steps.

        With `deferred_finalize` the decision comes before the work that only the next unit needs.

        Raises:
            InvalidFieldError: a picture cannot be used; the sound stays for the next chunk.
            ContextFullError: there is no room for another unit.
        """
        session = self.session
        slices = chunk.max_slice_nums or self._max_slice_nums
        self._samples = np.concatenate([self._samples, chunk.samples])
        frames = [(frame, slices) for frame in chunk.frames]
        self._frames = (self._frames + frames)[-FRAMES_PER_CHUNK:]
        self._force_listen = self._force_listen or chunk.force_listen
        decision = Decision(units_so_far=session.n_units, kv_cache_length=self.kv_cache_length)
        n_units = self._samples.size // UNIT_SAMPLES
        for n_left in range(n_units, 0, -1):
            started_s = time.monotonic()
            n_slices = self._prefill(session, self._take_frames(n_left))
            decision.prefill_s += time.monotonic() - started_s
            yield None
            with service_errors(), _mending(session):
                result = yield from session.steps(force_listen=self._force_listen)
                decision.add(result, n_slices)
                decision.kv_cache_length = self.kv_cache_length
                self._note_length(self.kv_cache_length)
                if n_left == 1 and self._deferred_finalize:
                    yield decision
                session.finalize()
                self._note_length(self.kv_cache_length)
            self._force_listen = n_left > 1 and self._force_listen
        if not n_units or not self._deferred_finalize:
            yield decision

    def close(self) -> None:
        """Forget everything and give the place in the cache back."""
        self._samples = self._samples[:0]
        self._frames = []
        if self._session is not None:
            self._session.close()
            self._session = None
            self._note_length(0)

    def _read_prompt(self, session: DuplexSession, task: CallTask) -> None:
        window, capacity = task.options.window, self._model.language.cache.capacity
        limit = capacity // 2 if window.mode == "off" else min(window.low, capacity // 2)
        try:
            n_tokens = session.prepare(task.prefix, task.suffix, task.heard_voice)
        except PromptTooLongError as error:
            n_tokens = error.n_tokens
        if n_tokens > limit:
            raise TooLargeError(
                f"system_prompt and voice take {n_tokens} tokens, the limit is {limit}",
                field="system_prompt",
                limit=limit,
            )

    def _take_frames(self, n_left: int) -> list[tuple[Image.Image, int]]:
        """The frames of the next of `n_left` units, which share what has been seen evenly."""
        count = -(-len(self._frames) // n_left)
        taken, self._frames = self._frames[:count], self._frames[count:]
        return taken

    def _prefill(self, session: DuplexSession, frames: list[tuple[Image.Image, int]]) -> int:
        """Read a second of sound with its frames; the number of tiles they were cut into."""
        most_slices = max(1, TILES_PER_UNIT // max(1, len(frames)) - 1)
        images = [frame for frame, _ in frames]
        limits = [min(slices, most_slices) for _, slices in frames]
        samples, rest = self._samples[:UNIT_SAMPLES], self._samples[UNIT_SAMPLES:]
        self._samples = rest
        with service_errors():
            try:
                with _mending(session):
                    return session.prefill(samples, images, limits).n_slices
            except MediaError as error:
                self._samples = np.concatenate([samples, rest])
                raise InvalidFieldError(str(error), field="frame_base64_list") from error
            except PromptTooLongError as error:
                raise ContextFullError(
                    f"the context of {error.limit} tokens is full",
                    field="audio_base64",
                    limit=error.limit,
                ) from error


@contextmanager
def _mending(session: DuplexSession) -> Iterator[None]:
    """Make the session usable again when the unit inside the block fails."""
    try:
        yield
    except (MediaError, PromptTooLongError):
        raise  # nothing was read
    except Exception:
        session.abandon_unit()
        raise
