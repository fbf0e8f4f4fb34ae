"""Faults: a real gateway in front of mock workers that misbehave on demand."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from tests.service.chat_client import FAST, SOON_S, begin, post, until
from tests.service.clients import HELLO, Conversation, chat, open_socket, read_to_close, receive
from tests.service.stack import GatewayProcess, Stack, WorkerProcess


@dataclass
class Service:
    """A gateway with one fast mock worker, for tests that leave both as they found them."""

    worker: WorkerProcess
    gateway: GatewayProcess


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with Stack(tmp_path_factory.mktemp("shared")) as stack:
        worker = stack.start_mock_worker(*FAST)
        yield Service(worker, stack.start_gateway([worker]))


# -- starting and ending -------------------------------------------------------------------------


def test_the_gateway_starts_without_configuration_and_without_workers(stack: Stack) -> None:
    gateway = stack.start_gateway(["127.0.0.1:9"], wait_ready=False)
    assert gateway.http.get("/ready").status_code == 503
    answer = post(gateway)
    assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
    assert int(answer.headers["Retry-After"]) > 0


async def test_a_socket_without_any_worker_is_told_so(stack: Stack) -> None:
    gateway = stack.start_gateway(["127.0.0.1:9"], wait_ready=False)
    told = await chat(gateway)
    assert (told.types, told.last["code"], told.close_code) == (["error"], "not_ready", 1013)


def test_a_worker_that_comes_up_later_is_found(stack: Stack) -> None:
    worker = stack.start_mock_worker(*FAST)
    worker.kill()
    gateway = stack.start_gateway([worker], wait_ready=False)
    assert gateway.status()["offline_workers"] == 1

    stack.start_mock_worker(*FAST, port=worker.port)

    gateway.wait_for_status(idle_workers=1, degraded=None)
    assert post(gateway).status_code == 200


def test_a_loading_worker_is_not_used_yet(stack: Stack) -> None:
    worker = stack.start_mock_worker(*FAST)
    worker.configure(worker_status="loading")
    gateway = stack.start_gateway([worker], wait_ready=False)
    assert gateway.status()["loading_workers"] == 1
    assert post(gateway).status_code == 503
    worker.configure(worker_status="")
    gateway.wait_for_status(idle_workers=1)


def test_the_status_tells_of_the_embedded_model(stack: Stack) -> None:
    worker = stack.start_mock_worker(*FAST)
    worker.configure(embedded_model=True)
    assert stack.start_gateway([worker]).status()["embedded_model"] is True


async def test_ending_the_gateway_closes_sockets_with_1001(stack: Stack) -> None:
    gateway = stack.start_gateway([stack.start_mock_worker("--stream-delay", "60")])
    async with open_socket(gateway) as working, open_socket(gateway) as waiting:
        await begin(working)
        await waiting.send(json.dumps(HELLO))
        assert (await receive(waiting))["type"] == "queued"

        status = await asyncio.to_thread(gateway.stop)

        assert status in (0, -signal.SIGTERM)
        assert (await read_to_close(working)).close_code == 1001
        assert (await read_to_close(waiting)).close_code == 1001


async def test_a_running_request_is_finished_before_the_gateway_ends(stack: Stack) -> None:
    worker = stack.start_mock_worker("--chat-delay", "1")
    gateway = stack.start_gateway([worker])
    asking = asyncio.create_task(asyncio.to_thread(post, gateway))
    await until(gateway, busy_workers=1)
    await asyncio.to_thread(gateway.stop)
    assert (await asking).status_code == 200


# -- workers that fail ---------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 413, 422, 500])
def test_refusals_of_the_worker_go_through(service: Service, status: int) -> None:
    service.worker.configure(fail_next=1, fail_status=status)
    answer = post(service.gateway)
    assert (answer.status_code, answer.json()["detail"]) == (status, "failed on request")
    assert post(service.gateway).status_code == 200


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_worker_is_a_503_that_says_when_to_retry(service: Service, status: int) -> None:
    service.worker.configure(fail_next=1, fail_status=status)
    answer = post(service.gateway)
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    service.gateway.wait_for_status(SOON_S, idle_workers=1)


def test_a_late_worker_is_a_504_and_gets_no_work_until_it_is_idle(stack: Stack) -> None:
    worker = stack.start_mock_worker(*FAST)
    gateway = stack.start_gateway([worker], "--timeout", "0.5")
    worker.configure(hang_next=1)
    answer = post(gateway)
    assert (answer.status_code, answer.json()["code"]) == (504, "session_timeout")
    gateway.wait_for_status(idle_workers=1)
    assert post(gateway).status_code == 200


async def test_a_dead_worker_is_replaced_silently_over_http(stack: Stack) -> None:
    workers = [stack.start_mock_worker("--chat-delay", "0.3") for _ in range(2)]
    gateway = stack.start_gateway(workers)
    asking = asyncio.create_task(asyncio.to_thread(post, gateway))
    await until(gateway, busy_workers=1)
    workers[0].kill()
    answer = await asking
    assert answer.status_code == 200
    assert "[Mock]" in answer.json()["text"]
    assert len(workers[1].requests()) == 1


async def test_without_another_worker_the_loss_is_a_502(stack: Stack) -> None:
    worker = stack.start_mock_worker("--chat-delay", "60")
    gateway = stack.start_gateway([worker])
    asking = asyncio.create_task(asyncio.to_thread(post, gateway))
    await until(gateway, busy_workers=1)
    worker.kill()
    answer = await asking
    assert (answer.status_code, answer.json()["code"]) == (502, "worker_lost")


def crashing(stack: Stack, chunk_index: int) -> tuple[WorkerProcess, GatewayProcess]:
    """A worker that dies at this chunk, a healthy second one, and a gateway."""
    bad, good = stack.start_mock_worker(*FAST), stack.start_mock_worker(*FAST)
    bad.configure(crash_after_chunks=chunk_index)
    return bad, stack.start_gateway([bad, good])


async def test_a_worker_that_dies_before_the_first_word_is_replaced_silently(stack: Stack) -> None:
    bad, gateway = crashing(stack, 0)
    answer = await chat(gateway)
    assert bad.wait_exit() == 9
    assert answer.types == ["prefill_done", *["chunk"] * 5, "done"]
    assert answer.close_code == 1000
    await until(gateway, offline_workers=1, idle_workers=1)


async def test_a_worker_that_dies_after_a_word_is_told_as_lost(stack: Stack) -> None:
    _, gateway = crashing(stack, 2)
    answer = await chat(gateway)
    assert answer.types == ["prefill_done", "chunk", "chunk", "error"]
    assert (answer.last["code"], answer.close_code) == ("worker_lost", 1011)
    await until(gateway, offline_workers=1, idle_workers=1)


async def test_the_next_client_never_meets_the_dead_worker(stack: Stack) -> None:
    workers = [stack.start_mock_worker(*FAST) for _ in range(2)]
    gateway = stack.start_gateway(workers)
    workers[0].kill()
    answers = [await chat(gateway) for _ in range(3)]
    assert [answer.last["type"] for answer in answers] == ["done"] * 3


async def test_two_dead_workers_in_a_row_are_told_as_lost(stack: Stack) -> None:
    workers = [stack.start_mock_worker(*FAST) for _ in range(3)]
    for worker in workers[:2]:
        worker.configure(crash_after_chunks=0)
    gateway = stack.start_gateway(workers)
    answer = await chat(gateway)
    assert (answer.last["code"], answer.close_code) == ("worker_lost", 1011)
    assert workers[2].is_running


async def test_a_worker_that_refuses_the_socket_is_replaced(stack: Stack) -> None:
    workers = [stack.start_mock_worker(*FAST) for _ in range(2)]
    workers[0].configure(refuse_next=1)
    answer = await chat(stack.start_gateway(workers))
    assert answer.last["type"] == "done"


async def test_an_error_of_the_worker_is_relayed_with_its_close_code(service: Service) -> None:
    service.worker.configure(fail_next=1)
    answer = await chat(service.gateway)
    assert (answer.last["code"], answer.close_code) == ("inference_error", 1011)


async def test_a_busy_worker_seen_from_outside_is_not_used(stack: Stack) -> None:
    worker = stack.start_mock_worker("--chat-delay", "1")
    gateway = stack.start_gateway([worker])
    direct = asyncio.create_task(
        asyncio.to_thread(httpx.post, f"{worker.url}/chat", json=HELLO, trust_env=False)
    )
    busy = "busy", lambda: worker.health()["slots_busy"] == 1, SOON_S
    await asyncio.to_thread(worker.wait_until, *busy)
    started_at = time.monotonic()
    answer = await asyncio.to_thread(post, gateway)
    await direct
    assert answer.status_code == 200
    assert time.monotonic() - started_at > 1


# -- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frame", "code", "close_code"),
    [
        ("{", "bad_json", 1007),
        ("[1]", "bad_json", 1007),
        ("", "bad_json", 1007),
        (r'{"messages": "\ud800"}', "bad_json", 1007),
        (b"\x00\x01", "bad_message", 1003),
    ],
)
async def test_what_is_no_request_is_refused_with_its_code(
    service: Service, frame: str | bytes, code: str, close_code: int
) -> None:
    async with open_socket(service.gateway) as socket:
        await socket.send(frame)
        told = await read_to_close(socket)
    assert (told.last["code"], told.close_code) == (code, close_code)
    assert service.gateway.status()["idle_workers"] == 1


def test_a_body_over_the_limit_is_a_413(stack: Stack) -> None:
    worker = stack.start_mock_worker(*FAST)
    gateway = stack.start_gateway([worker], limits={"chat_body_mb": 0.1})
    announced = gateway.http.post("/api/chat", content=b"x" * 200_000)
    streamed = gateway.http.post("/api/chat", content=(b"x" * 10_000 for _ in range(20)))
    for answer in (announced, streamed):
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
        assert answer.json()["limit"] == 104857
    assert worker.requests() == []


async def test_a_frame_over_the_limit_ends_the_socket_with_1009(stack: Stack) -> None:
    worker = stack.start_mock_worker(*FAST)
    gateway = stack.start_gateway([worker], limits={"chat_body_mb": 0.1})
    async with open_socket(gateway) as socket:
        await socket.send(json.dumps({"messages": "x" * 200_000}))
        told = await read_to_close(socket)
    assert told.close_code == 1009
    assert worker.requests() == []


async def test_a_socket_that_says_nothing_is_told_and_closed(stack: Stack) -> None:
    worker = stack.start_mock_worker(*FAST)
    gateway = stack.start_gateway([worker], sessions={"streaming_prefill_idle_s": 0.3})
    async with open_socket(gateway) as socket:
        told = await read_to_close(socket)
    assert (told.last["code"], told.close_code) == ("idle_timeout", 1000)


# -- who may ask ---------------------------------------------------------------------------------


async def test_a_page_of_another_site_is_told_why_and_closed(service: Service) -> None:
    async with open_socket(service.gateway, origin="https://evil.example") as socket:
        told = await read_to_close(socket)
    assert (told.last["code"], told.close_code) == ("origin_forbidden", 1008)


async def test_our_own_page_may_open_a_socket(service: Service) -> None:
    async with open_socket(service.gateway, origin=service.gateway.url) as socket:
        await socket.send(json.dumps(HELLO))
        assert (await read_to_close(socket)).last["type"] == "done"


async def test_api_keys_are_asked_for_on_both_ways_in(stack: Stack) -> None:
    worker = stack.start_mock_worker(*FAST)
    gateway = stack.start_gateway([worker], security={"api_keys": ["secret"]})
    refused: Conversation = await chat(gateway)
    assert (refused.last["code"], refused.close_code) == ("unauthorized", 1008)
    assert post(gateway).status_code == 401
    assert post(gateway, headers={"X-API-Key": "secret"}).status_code == 200


# -- what passes through -------------------------------------------------------------------------


async def test_nothing_is_said_of_a_queue_when_a_worker_is_free(service: Service) -> None:
    answer = await chat(service.gateway)
    assert answer.types == ["prefill_done", *["chunk"] * 5, "done"]
    assert answer.text == answer.last["text"]
    assert answer.close_code == 1000


async def test_large_requests_and_answers_pass_unharmed(service: Service) -> None:
    request = {"messages": [{"role": "user", "content": "图" * 3_000_000}]}
    assert (await chat(service.gateway, request)).last["type"] == "done"
    assert (await asyncio.to_thread(service.worker.requests))[-1] == request


async def test_logs_hold_request_ids_but_no_payload(stack: Stack) -> None:
    gateway = stack.start_gateway([stack.start_mock_worker(*FAST)])
    post(gateway, headers={"X-Request-ID": "trace-7"})
    await chat(gateway, {"messages": [{"role": "user", "content": "my-secret-words"}]})
    gateway.stop()
    assert "request_id=trace-7" in gateway.log
    assert "event=socket_closed" in gateway.log
    assert "my-secret-words" not in gateway.log
    assert "Traceback" not in gateway.log
