"""The whole service over TLS: gateway, worker and the embedded model, nothing replaced."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.service.clients import chat, open_socket, read_to_close, receive
from tests.service.stack import GatewayProcess, Stack, WorkerProcess
from tests.wire_media import audio_data, image_data

FIRST_DELTA_LIMIT_S = 0.3
ABANDONED_LIMIT_S = 3.0
N_CHATS = 200 if "FULL_TESTS" in os.environ else 80
MEMORY_GROWTH_LIMIT_MB = 16
REPLACEMENT_CHARACTER = "\ufffd"

TEXT = {"type": "text", "text": "What is this?"}
CONTENTS: dict[str, Any] = {
    "text": "Tell me a story.",
    "image": [{"type": "image", "data": image_data(320, 200)}, TEXT],
    "audio": [{"type": "audio", "data": audio_data(1.5)}, TEXT],
    "image and audio": [
        {"type": "image", "data": image_data(64, 64, "JPEG")},
        {"type": "audio", "data": audio_data(0.5)},
    ],
}


def request(content: Any = "Hello", **generation: Any) -> dict[str, Any]:
    generation = {"max_new_tokens": 24, "min_new_tokens": 12} | generation
    return {"messages": [{"role": "user", "content": content}], "generation": generation}


@pytest.fixture(scope="session")
def worker(real_stack: Stack) -> WorkerProcess:
    return real_stack.start_worker()


@pytest.fixture(scope="session")
def gateway(real_stack: Stack, worker: WorkerProcess) -> GatewayProcess:
    return real_stack.start_gateway([worker])


def post(gateway: GatewayProcess, body: dict[str, Any]) -> httpx.Response:
    return gateway.http.post("/api/chat", json=body)


def is_idle(worker: WorkerProcess) -> Callable[[], bool]:
    return lambda: worker.health()["worker_status"] == "idle"


def test_the_service_says_that_the_model_is_the_embedded_one(gateway: GatewayProcess) -> None:
    assert gateway.url.startswith("https://")
    assert gateway.status()["embedded_model"] is True


@pytest.mark.parametrize("kind", CONTENTS)
def test_a_chat_is_answered_over_http(gateway: GatewayProcess, kind: str) -> None:
    answer = post(gateway, request(CONTENTS[kind])).json()
    assert answer["success"] is True
    assert answer["text"]
    assert answer["tokens_generated"] == answer["token_stats"]["generated_tokens"] >= 12


@pytest.mark.parametrize("kind", CONTENTS)
async def test_a_chat_is_streamed_over_a_socket(gateway: GatewayProcess, kind: str) -> None:
    answer = await chat(gateway, request(CONTENTS[kind]))
    assert answer.types[0] == "prefill_done"
    assert answer.types[-1] == "done"
    assert answer.last["text"] == answer.text != ""
    assert answer.last["generated_tokens"] >= 12
    assert answer.close_code == 1000


def test_pictures_and_sounds_are_part_of_the_prompt(gateway: GatewayProcess) -> None:
    def input_tokens(content: Any) -> int:
        return post(gateway, request(content)).json()["token_stats"]["input_tokens"]

    text_only = input_tokens([TEXT])
    assert input_tokens(CONTENTS["image"]) >= text_only + 64
    assert input_tokens(CONTENTS["audio"]) >= text_only + 15


def test_greedy_answers_do_not_change(gateway: GatewayProcess) -> None:
    answers = {post(gateway, request(do_sample=False)).json()["text"] for _ in range(3)}
    assert len(answers) == 1


async def test_words_come_one_by_one_and_never_with_half_a_character(
    gateway: GatewayProcess,
) -> None:
    answer = await chat(gateway, request("讲一个故事。", max_new_tokens=200, min_new_tokens=150))
    assert len(answer.deltas) > 20
    assert all(answer.deltas)
    assert not any(REPLACEMENT_CHARACTER in delta for delta in answer.deltas)


async def test_an_answer_that_is_not_streamed_comes_whole(gateway: GatewayProcess) -> None:
    answer = await chat(gateway, request() | {"streaming": False})
    assert answer.types == ["prefill_done", "done"]
    assert answer.last["text"]
    assert answer.last["audio_data"] is None


async def test_stop_ends_the_answer_early(gateway: GatewayProcess) -> None:
    async with open_socket(gateway) as socket:
        await socket.send(json.dumps(request(max_new_tokens=4000, min_new_tokens=4000)))
        while (await receive(socket))["type"] != "chunk":
            pass
        await socket.send(json.dumps({"type": "stop"}))
        answer = await read_to_close(socket)
    assert (answer.last["type"], answer.last["stopped"]) == ("done", True)
    assert answer.last["generated_tokens"] < 1000


async def test_a_socket_client_that_leaves_ends_its_generation(
    gateway: GatewayProcess, worker: WorkerProcess
) -> None:
    async with open_socket(gateway) as socket:
        await socket.send(json.dumps(request(max_new_tokens=4000, min_new_tokens=4000)))
        while (await receive(socket))["type"] != "chunk":
            pass
        assert not is_idle(worker)()
        socket.transport.abort()
    await asyncio.to_thread(worker.wait_until, "idle", is_idle(worker), ABANDONED_LIMIT_S)
    await asyncio.to_thread(gateway.wait_for_status, ABANDONED_LIMIT_S, idle_workers=1)


async def test_an_http_client_that_leaves_ends_its_generation(
    gateway: GatewayProcess, worker: WorkerProcess
) -> None:
    assert gateway.ssl_context is not None
    async with httpx.AsyncClient(base_url=gateway.url, verify=gateway.ssl_context) as client:
        body = request(max_new_tokens=4000, min_new_tokens=4000)
        asking = asyncio.create_task(client.post("/api/chat", json=body))
        busy = "busy", lambda: not is_idle(worker)(), 5.0
        await asyncio.to_thread(worker.wait_until, *busy)
        asking.cancel()
        await asyncio.to_thread(worker.wait_until, "idle", is_idle(worker), ABANDONED_LIMIT_S)
        await asyncio.to_thread(gateway.wait_for_status, ABANDONED_LIMIT_S, idle_workers=1)


async def test_twenty_concurrent_chats_are_all_answered(gateway: GatewayProcess) -> None:
    over_sockets = [chat(gateway, request(f"Number {index}")) for index in range(10)]
    over_http = [asyncio.to_thread(post, gateway, request(f"Item {i}")) for i in range(10)]
    answers: list[Any] = await asyncio.gather(*over_sockets, *over_http)
    assert [answer.last["type"] for answer in answers[:10]] == ["done"] * 10
    assert all(answer.json()["success"] for answer in answers[10:])
    assert gateway.status()["idle_workers"] == 1


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"messages": []}, 422, "messages"),
        ({"messages": [{"role": "ghost", "content": "x"}]}, 422, "messages[0].role"),
        (request([{"type": "image", "data": "!!"}]), 422, "messages[0].content[0].data"),
        (request([{"type": "audio", "data": "AAAA"}]), 422, "messages[0].content[0].data"),
        ({"generation": {"max_new_tokens": 0}}, 422, "generation.max_new_tokens"),
    ],
)
async def test_bad_input_is_named_on_both_ways_in(
    gateway: GatewayProcess, change: dict[str, Any], status: int, field: str
) -> None:
    body = request() | change
    over_http = await asyncio.to_thread(post, gateway, body)
    over_socket = await chat(gateway, body)
    assert (over_http.status_code, over_http.json()["field"]) == (status, field)
    assert (over_socket.last["type"], over_socket.last["field"]) == ("error", field)
    assert (await chat(gateway, request())).last["type"] == "done"


@pytest.mark.alone
async def test_the_first_word_comes_quickly(
    gateway: GatewayProcess, record_testsuite_property: Callable[[str, object], None]
) -> None:
    delays_s = []
    for _ in range(5):
        async with open_socket(gateway) as socket:
            started_at = time.monotonic()
            await socket.send(json.dumps(request("Hello")))
            while (await receive(socket))["type"] != "chunk":
                pass
            delays_s.append(time.monotonic() - started_at)
            await read_to_close(socket)
    record_testsuite_property("first_delta_s", [round(delay_s, 3) for delay_s in delays_s])
    assert sorted(delays_s)[len(delays_s) // 2] <= FIRST_DELTA_LIMIT_S


@pytest.mark.slow
async def test_memory_stays_flat_over_many_chats(
    gateway: GatewayProcess,
    worker: WorkerProcess,
    record_testsuite_property: Callable[[str, object], None],
) -> None:
    async def several(n_chats: int) -> None:
        for index in range(n_chats):
            content = list(CONTENTS.values())[index % len(CONTENTS)]
            await chat(gateway, request(content, max_new_tokens=12))

    await several(N_CHATS // 4)
    before_mb = {"worker": worker.resident_mb, "gateway": gateway.resident_mb}
    await several(N_CHATS)
    after_mb = {"worker": worker.resident_mb, "gateway": gateway.resident_mb}
    record_testsuite_property("resident_mb", {"before": before_mb, "after": after_mb})
    for process, before in before_mb.items():
        assert after_mb[process] - before < MEMORY_GROWTH_LIMIT_MB, process
