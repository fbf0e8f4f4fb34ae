"""The service that every page is looked at with: recordings, voices, traffic, and told answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Page, WebSocketRoute

from core.recording.replay import merge
from tests.browser.test_replay import record_call
from tests.service.stack import GatewayProcess, Stack
from tests.unit.recorded_sessions import record_chat

TOKEN = "the-admin-token"
QUESTION = {"en": "Which colours are in this picture?", "zh": "这张图片里有哪些颜色?"}
ANSWER = {
    "en": "It is a **smooth blend of four colours**:\n\n"
    "1. black at the top left,\n"
    "2. red towards the right,\n"
    "3. green towards the bottom, and\n"
    "4. yellow where the two meet.\n\n"
    "| Corner | Colour |\n|---|---|\n| top right | `#ff0000` |\n| bottom left | `#00ff00` |\n\n"
    "```python\nred, green = x / width, y / height\n```\n",
    "zh": "这是**四种颜色的平滑过渡**:\n\n"
    "1. 左上角是黑色,\n"
    "2. 越往右越红,\n"
    "3. 越往下越绿,\n"
    "4. 两者相遇处是黄色。\n\n"
    "| 角落 | 颜色 |\n|---|---|\n| 右上 | `#ff0000` |\n| 左下 | `#00ff00` |\n\n"
    "```python\nred, green = x / width, y / height\n```\n",
}
STORY = {
    "en": ["Once upon a time ", "there was a fox ", "who lived in a wood."],
    "zh": ["从前有一只", "聪明的小狐狸,", "住在一片树林里。"],
}


@contextmanager
def scene_service(folder: Path) -> Iterator[GatewayProcess]:
    """A mock worker with two slots behind a gateway with a token and a few recordings."""
    data_path = folder / "data"
    merge(record_call(data_path, "omni_call", "LLSELLSSELLL", "omni_duplex"))
    merge(record_call(data_path, "audio_call", "LSSELL" * 2, "audio_duplex"))
    record_chat(data_path, "recorded_chat")
    with Stack(folder) as stack:
        worker = stack.start_mock_worker("--slots", "2", "--chat-delay", "60")
        yield stack.start_gateway([worker], security={"admin_token": TOKEN})


async def answer_chats(page: Page, language: str) -> None:
    """Every question gets the same answer, at once."""

    def serve(socket: WebSocketRoute) -> None:
        def answer(_: str | bytes) -> None:
            say(socket, "prefill_done", input_tokens=320)
            say(socket, "chunk", text_delta=ANSWER[language])
            counts = {"generated_tokens": 84, "input_tokens": 320, "stopped": False}
            say(socket, "done", text=ANSWER[language], **counts)

        socket.on_message(answer)
        say(socket, "queue_done")

    await page.route_web_socket("**/ws/chat*", serve)


async def answer_talk(page: Page, language: str, sound: str, **prepared: Any) -> None:
    """A half-duplex call whose visitor has spoken at once; `sound` is the answer's."""

    def serve(socket: WebSocketRoute) -> None:
        heard = 0

        def hear(text: str | bytes) -> None:
            nonlocal heard
            kind = json.loads(text)["type"]
            if kind == "prepare":
                say(socket, "prepared", session_id="scene", timeout_s=300, **prepared)
            heard += kind == "audio_chunk"
            if kind == "audio_chunk" and heard == 1:
                say(socket, "vad_state", speaking=True)
                say(socket, "generating", speech_duration_ms=2400)
                for words in STORY[language]:
                    say(socket, "chunk", text_delta=words, audio_data=sound)
                say(socket, "turn_done", turn_index=1, text="".join(STORY[language]))

        socket.on_message(hear)
        say(socket, "queue_done")

    await page.route_web_socket("**/ws/half_duplex/**", serve)


async def keep_waiting(page: Page) -> None:
    """A queue that does not move."""

    def serve(socket: WebSocketRoute) -> None:
        place = {"position": 2, "estimated_wait_s": 83.0, "queue_length": 3}
        say(socket, "queued", ticket_id="scene", **place)

    await page.route_web_socket("**/ws/**", serve)


def say(socket: WebSocketRoute, kind: str, **fields: Any) -> None:
    socket.send(json.dumps({"type": kind, **fields}))
