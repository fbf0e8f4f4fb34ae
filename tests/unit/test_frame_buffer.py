"""Frames that wait to be taken: kept in order, within bounds."""

from __future__ import annotations

import asyncio

import pytest

from core import errors
from gateway_modules.frame_buffer import FrameBuffer


async def test_frames_come_out_in_the_order_they_went_in() -> None:
    buffer = FrameBuffer(8, 1000)
    for frame in ("a", "b", "c"):
        await buffer.put(frame)
    assert [await buffer.get() for _ in range(3)] == ["a", "b", "c"]


async def test_the_request_itself_may_be_larger_than_the_bound() -> None:
    buffer = FrameBuffer(8, 10)
    await buffer.put("x" * 50)
    assert len(await buffer.get()) == 50


async def test_too_many_early_frames_are_refused() -> None:
    buffer = FrameBuffer(2, 1000)
    await buffer.put("request")
    await buffer.put("1")
    with pytest.raises(errors.TooLargeError):
        await buffer.put("2")


async def test_too_long_early_frames_are_refused() -> None:
    buffer = FrameBuffer(8, 10)
    await buffer.put("request")
    await buffer.get()
    with pytest.raises(errors.TooLargeError):
        await buffer.put("x" * 11)


async def test_once_frames_are_taken_steadily_the_sender_waits_for_room() -> None:
    buffer = FrameBuffer(2, 1000)
    buffer.refuses_overflow = False
    for frame in ("request", "1"):
        await buffer.put(frame)
    waiting = asyncio.create_task(buffer.put("2"))
    await asyncio.sleep(0)
    assert not waiting.done()

    assert await buffer.get() == "request"
    await waiting

    assert [await buffer.get(), await buffer.get()] == ["1", "2"]


async def test_get_waits_for_a_frame() -> None:
    buffer = FrameBuffer(2, 1000)
    waiting = asyncio.create_task(buffer.get())
    await asyncio.sleep(0)
    await buffer.put("late")
    assert await waiting == "late"
