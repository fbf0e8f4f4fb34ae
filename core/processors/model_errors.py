"""Errors of the model package, told in the words of the service."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from core.errors import (
    DeviceLostError,
    InferenceError,
    InvalidFieldError,
    ServiceError,
    TooLargeError,
    WorkerBusyError,
)
from MiniCPMO45 import MediaError, NoFreeSlotError, PromptError, PromptTooLongError

logger = logging.getLogger(__name__)


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
    except torch.OutOfMemoryError as error:
        logger.exception("event=out_of_memory")
        raise InferenceError("the device ran out of memory on this request") from error
    except Exception as error:
        logger.exception("event=inference_failed")
        if _device_is_lost(error):
            raise DeviceLostError("the device failed; the worker must be restarted") from error
        raise InferenceError("the model failed on this request") from error


def _device_is_lost(error: Exception) -> bool:
    return isinstance(error, RuntimeError) and "CUDA error" in str(error)
