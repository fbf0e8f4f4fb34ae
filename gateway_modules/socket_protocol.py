"""Client sockets whose close code arrives."""

from __future__ import annotations

from uvicorn._types import WebSocketReceiveEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

LINGER_S = 0.3
MOST_WAITING = 2
INVALID_TEXT = 1007


class GuardedSocketProtocol(WebSocketsSansIOProtocol):
    """Uvicorn's protocol, which after a frame that it refuses still reads for `LINGER_S` seconds.

    Who closes a connection on which something came and was not read resets it, and the client may
    never see the close code. A text that is no UTF-8 is refused without a traceback in the log.
    Nothing is read while the application has `MOST_WAITING` messages to take; most clients never
    get that far ahead, so that reading is not switched off and on again for every message.
    """

    def send_receive_event_to_app(self) -> None:
        data = self.frames[0] if len(self.frames) == 1 else b"".join(self.frames)
        self.frames = []
        if self.close_sent:
            return  # what still comes is only read
        try:
            self.queue.put_nowait(received(data, is_text=self.curr_msg_data_type == "text"))
        except UnicodeDecodeError:
            self.conn.send_close(INVALID_TEXT)
            self.handle_parser_exception()
            return
        if not self.read_paused and self.queue.qsize() >= MOST_WAITING:
            self.read_paused = True
            self.transport.pause_reading()

    def handle_parser_exception(self) -> None:
        if self.disconnected:
            return  # what still comes is only read
        self.disconnected = True  # for the application, which cannot send any more
        if not self.close_sent:
            self.close_sent = True
            self._tell_close_code()
        if self.close_timer is not None:
            self.close_timer.cancel()
        self.close_timer = self.loop.call_later(LINGER_S, self.transport.close)
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()

    def _tell_close_code(self) -> None:
        """To the application and to the client."""
        sent = self.conn.close_sent
        assert sent is not None
        self.queue.put_nowait(
            {"type": "websocket.disconnect", "code": sent.code, "reason": sent.reason}
        )
        self.transport.write(b"".join(self.conn.data_to_send()))


def received(data: bytes, *, is_text: bool) -> WebSocketReceiveEvent:
    """The event that tells the application of a message; UnicodeDecodeError if its text is none."""
    if is_text:
        return {"type": "websocket.receive", "text": data.decode()}
    return {"type": "websocket.receive", "bytes": data}
