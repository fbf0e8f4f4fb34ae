"""What failures of the device mean, and that an error of several leaves each as it was."""

from __future__ import annotations

import pytest
import torch

from core.errors import DeviceLostError, InferenceError, ServiceError, WorkerBusyError
from core.processors.model_errors import service_errors
from MiniCPMO45.device_errors import is_device_lost, is_out_of_memory

AcceleratorError = getattr(torch, "AcceleratorError", RuntimeError)
NO_MEMORY = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    AcceleratorError("CUDA error: out of memory"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    RuntimeError("Triton Error [CUDA]: out of memory"),
    RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried 8 bytes"),
    MemoryError(),
]
LOST = [
    AcceleratorError("CUDA error: an illegal memory access was encountered"),
    RuntimeError("CUDA error: device-side assert triggered"),
    RuntimeError("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasGemmEx`"),
    RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"),
    RuntimeError("Triton Error [CUDA]: an illegal memory access was encountered"),
]
HARMLESS = [
    RuntimeError("mat1 and mat2 shapes cannot be multiplied"),
    ValueError("CUDA error: says a client"),
    KeyError("device-side assert"),
]


@pytest.mark.parametrize("error", NO_MEMORY, ids=str)
def test_missing_memory_is_no_lost_device(error: Exception) -> None:
    assert (is_out_of_memory(error), is_device_lost(error)) == (True, False)


@pytest.mark.parametrize("error", LOST, ids=str)
def test_a_lost_device_is_recognised(error: Exception) -> None:
    assert (is_out_of_memory(error), is_device_lost(error)) == (False, True)


@pytest.mark.parametrize("error", HARMLESS, ids=str)
def test_other_errors_are_neither(error: Exception) -> None:
    assert (is_out_of_memory(error), is_device_lost(error)) == (False, False)


def test_a_lost_device_behind_another_error_is_found() -> None:
    try:
        try:
            raise LOST[0]
        finally:
            raise KeyError("while cleaning up")
    except KeyError as error:
        assert is_device_lost(error)


@pytest.mark.parametrize(
    ("error", "told_as", "ends_session"),
    [
        (NO_MEMORY[0], WorkerBusyError, True),
        (LOST[0], DeviceLostError, True),
        (HARMLESS[0], InferenceError, False),
    ],
    ids=["memory", "lost", "other"],
)
def test_each_kind_is_told_as_its_own_error(
    error: Exception, told_as: type[ServiceError], ends_session: bool
) -> None:
    with pytest.raises(ServiceError) as raised, service_errors():
        raise error
    assert type(raised.value) is told_as
    assert raised.value.ends_session is ends_session


def test_who_finds_no_memory_is_told_when_to_come_back() -> None:
    with pytest.raises(WorkerBusyError) as raised, service_errors():
        raise NO_MEMORY[0]
    assert raised.value.retry_after_s
