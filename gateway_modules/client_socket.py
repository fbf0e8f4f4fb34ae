"""A client's WebSocket: read all the time, answered in order, always closed with a code."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from config import ServiceConfig
from core import errors
from core.logs import event
from core.schemas import ServerMessage
from core.tasks import cancel_and_wait, within
from gateway_modules import metrics
from gateway_modules.frame_buffer import Frame, FrameBuffer

logger = logging.getLogger(__name__)

NORMAL_CLOSURE = 1000
GOING_AWAY = 1001
STALLED = 1008
MEBI = 1024 * 1024
PARSED_CHARACTERS = MEBI

Conversation = Callable[["ClientSocket"], Awaitable[int]]


class ClientGoneError(Exception):
    """The client closed the connection or vanished; there is nobody left to tell."""


class ClientStalledError(ClientGoneError):
    """The client takes nothing any more of what it is sent."""


class ClientSocket:
    """One accepted socket. Frames are read as they come, so that a lost client is noticed at once
    in every phase, and kept until `receive` takes them.

    Args:
        max_frame_mb: the longest frame; by default what the server lets through.
        client: whose share of the limits it uses; None is somebody without limits.
    """

    def __init__(
        self,
        websocket: WebSocket,
        config: ServiceConfig,
        max_frame_mb: float | None = None,
        client: str | None = None,
    ) -> None:
        limits = config.limits
        self.client = client
        self.has_left = False
        self.max_early_characters = int(limits.early_frames_mb * MEBI)
        self._websocket = websocket
        self._max_frame_mb = max_frame_mb or limits.chat_body_mb
        self._frames = FrameBuffer(limits.early_frames, self.max_early_characters)
        self._send_timeout_s = config.sessions.pong_wait_s
        self._ending = asyncio.Event()

    async def receive(self) -> Frame:
        """The client's next frame, in the order sent."""
        return await self._frames.get()

    async def receive_text(self) -> str:
        """The same, where it must be a text.

        Raises:
            BinaryFrameError: it is none.
        """
        frame = await self.receive()
        if isinstance(frame, bytes):
            raise errors.BinaryFrameError("Binary frames are not part of this protocol")
        return frame

    async def receive_text_within(self, wait_s: float) -> str:
        """The client's next frame, which must be a text and come soon.

        Raises:
            BinaryFrameError: it is no text.
            IdleTimeoutError: it did not come within `wait_s` seconds.
        """
        try:
            return await within(wait_s, self.receive_text())
        except asyncio.TimeoutError as late:
            message = f"no request within {wait_s:g} s"
            raise errors.IdleTimeoutError(message, limit=wait_s) from late

    def let_client_wait(self) -> None:
        """From now on frames are taken steadily: a full buffer slows the client down."""
        self._frames.refuses_overflow = False

    async def insert(self, frame: str) -> None:
        """Act as if the client had sent this frame now."""
        await self._frames.put(frame)

    async def send(self, message: ServerMessage) -> None:
        await self.send_frame(json.dumps(message.to_wire(), ensure_ascii=False))

    async def send_error(self, error: errors.ServiceError) -> None:
        metrics.REFUSALS.labels(error.code).inc()
        await self.send_frame(json.dumps(errors.socket_message(error), ensure_ascii=False))

    async def send_frame(self, frame: Frame) -> None:
        self._check_is_there()
        metrics.FRAMES_OUT.count(frame)
        stalled = asyncio.get_running_loop().call_later(self._send_timeout_s, self._give_up)
        try:
            if isinstance(frame, str):
                await self._websocket.send_text(frame)
            else:
                await self._websocket.send_bytes(frame)
        except WebSocketDisconnect as gone:
            raise ClientGoneError from gone
        finally:
            stalled.cancel()

    def end(self) -> None:
        """The service is going away: stop the conversation and close with 1001."""
        self._ending.set()

    async def run(self, conversation: Conversation) -> int:
        """Run the conversation until it is over, the client is gone or the service ends.

        Returns:
            The close code to send.

        Raises:
            ClientGoneError: the client left; the conversation has been cancelled.
            ServiceError: what the client has to be told before the socket is closed.
        """
        talking = asyncio.ensure_future(conversation(self))
        reading = asyncio.ensure_future(self._read())
        ending = asyncio.ensure_future(self._ending.wait())
        try:
            await asyncio.wait({talking, reading, ending}, return_when=asyncio.FIRST_COMPLETED)
            if talking.done():
                return talking.result()
            if reading.done():
                reading.result()
            if self.has_left:
                raise ClientStalledError
            return GOING_AWAY
        finally:
            await cancel_and_wait((talking, reading, ending))

    async def close(self, code: int, reason: str = "") -> None:
        try:
            self._check_is_there()
            await self._websocket.close(code, reason)
        except (ClientGoneError, WebSocketDisconnect):
            logger.debug(event("client_gone_before_close", code=code))

    async def _read(self) -> None:
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                self.has_left = True
                raise ClientGoneError
            text = message.get("text")
            frame: Frame = message["bytes"] if text is None else text
            metrics.FRAMES_IN.count(frame)
            if len(frame) > self._max_frame_mb * MEBI:
                too_large = f"A frame may have {self._max_frame_mb:g} MiB"
                raise errors.TooLargeError(too_large, limit=self._max_frame_mb)
            await self._frames.put(frame)
            del message, text, frame  # which would else stay in memory until the next one comes

    def _check_is_there(self) -> None:
        """Raises ClientGoneError once an earlier frame could not be sent."""
        if self._websocket.application_state is WebSocketState.DISCONNECTED:
            raise ClientGoneError

    def _give_up(self) -> None:
        """The client does not take what it is sent: it counts as gone, and its session ends."""
        logger.warning(event("client_stalled", timeout_s=self._send_timeout_s))
        self.has_left = True
        self._ending.set()


def check_object(text: str | bytes, what: str) -> None:
    """Look whether a body or frame that is only passed on is a JSON object.

    Of a long one only the ends are looked at: parsing it would hold up the calls of others, and the
    worker does so anyway.

    Raises:
        BadJsonError: it is none.
    """
    if len(text) <= PARSED_CHARACTERS:
        parse_object(text, what)
    elif text.lstrip()[:1] not in ("{", b"{") or text.rstrip()[-1:] not in ("}", b"}"):
        raise errors.BadJsonError(f"{what} must be a JSON object")


def parse_object(text: str | bytes, what: str) -> dict[str, Any]:
    """The JSON object in a body or frame.

    Raises:
        BadJsonError: it is no JSON, or not an object, or could not be sent on.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise errors.BadJsonError(f"{what} is not valid JSON: {error}") from error
    if not isinstance(value, dict):
        raise errors.BadJsonError(f"{what} must be a JSON object")
    if _has_half_pair(text, value):
        raise errors.BadJsonError(f"{what} holds half of a surrogate pair, which is no text")
    return value


def _has_half_pair(text: str | bytes, value: dict[str, Any]) -> bool:
    """Whether an escape stands for a character that UTF-8 cannot express."""
    if isinstance(text, bytes):
        is_suspect = rb"\ud" in text or rb"\uD" in text
    else:
        is_suspect = r"\ud" in text or r"\uD" in text
    if not is_suspect:
        return False
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False
