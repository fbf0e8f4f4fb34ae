"""Errors of the model package, told in the words of the service."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from core.errors import (
    DeviceLostError,
    InferenceError,
    InvalidFieldError,
    ServiceError,
    SessionFailedError,
    TooLargeError,
    WorkerBusyError,
)
from MiniCPMO45 import (
    MediaError,
    NoFreeSlotError,
    NotFiniteError,
    PromptError,
    PromptTooLongError,
)
from MiniCPMO45.device_errors import is_device_lost, is_out_of_memory

logger = logging.getLogger(__name__)

MEMORY_RETRY_S = 5.0


@contextmanager
def service_errors() -> Iterator[None]:
    """Turn whatever the model raises inside the block into a `ServiceError`."""
    try:
        yield
    except ServiceError:
        raise
    except PromptTooLongError as error:
        raise TooLargeError(str(error), field="messages", limit=error.limit) from error
    except (PromptError, MediaError) as error:
        raise InvalidFieldError(str(error), field="messages") from error
    except NoFreeSlotError as error:
        raise WorkerBusyError(str(error)) from error
    except NotFiniteError as error:
        logger.exception("event=not_finite")
        raise SessionFailedError("the model lost this session: its numbers overflowed") from error
    except Exception as error:
        if is_out_of_memory(error):
            logger.exception("event=out_of_memory")
            message = "the worker has no memory left for this session"
            raise WorkerBusyError(message, retry_after_s=MEMORY_RETRY_S) from error
        logger.exception("event=inference_failed")
        if is_device_lost(error):
            raise DeviceLostError("the device failed; the worker starts again") from error
        raise InferenceError("the model failed on this request") from error
