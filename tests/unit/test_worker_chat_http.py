"""`POST /chat` of a worker."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from core.errors import DeviceLostError, InferenceError
from tests.fake_worker import FakeWorker, fake_config, wait_until
from tests.unit.worker_client import HELLO, ready
from worker_modules.app import create_app


def test_an_answer_has_the_published_shape() -> None:
    with ready(FakeWorker(fake_config())) as client:
        answer = client.post("/chat", json=HELLO | {"return_prompt": True})
    assert answer.status_code == 200
    body = answer.json()
    assert body.pop("duration_ms") >= 0
    assert body == {
        "text": "One two three.",
        "audio_path": None,
        "audio_data": None,
        "audio_sample_rate": 24000,
        "tokens_generated": 5,
        "prompt": "the prompt",
        "token_stats": {
            "cached_tokens": 0,
            "input_tokens": 7,
            "generated_tokens": 5,
            "total_tokens": 12,
        },
        "recording_session_id": None,
        "error": None,
        "success": True,
        "warning": None,
    }


def test_asking_for_speech_gives_text_and_says_so() -> None:
    with ready(FakeWorker(fake_config())) as client:
        body = client.post("/chat", json=HELLO | {"tts": {"enabled": True}}).json()
    assert (body["text"], body["audio_data"]) == ("One two three.", None)
    assert "speech" in body["warning"]


def test_file_names_on_the_server_are_ignored() -> None:
    tts = {"output_path": "/tmp/stolen.wav", "ref_audio_path": "/etc/passwd"}
    with ready(FakeWorker(fake_config())) as client:
        assert client.post("/chat", json=HELLO | {"tts": tts}).json()["success"]


def test_every_setting_reaches_the_model() -> None:
    worker = FakeWorker(fake_config())
    generation = {
        "max_new_tokens": 9,
        "min_new_tokens": 2,
        "do_sample": False,
        "temperature": 0.5,
        "top_p": 0.6,
        "top_k": 7,
        "length_penalty": 1.3,
        "max_inp_length": 99,
    }
    image = {"max_slice_nums": 3, "use_image_id": True}
    switches = {"omni_mode": True, "enable_thinking": True, "use_tts_template": False}
    with ready(worker) as client:
        client.post("/chat", json=HELLO | {"generation": generation, "image": image} | switches)
    (task,) = worker.view.tasks
    prompt, options = vars(task.prompt), vars(task.generation)
    assert options.items() >= {k: v for k, v in generation.items() if k != "max_inp_length"}.items()
    assert (
        prompt.items() >= (image | switches | {"max_inp_length": 99, "style": "one_shot"}).items()
    )


def test_a_model_failure_is_an_answer_without_success() -> None:
    worker = FakeWorker(fake_config())
    worker.view.failure = InferenceError("out of luck")
    with ready(worker) as client:
        answer = client.post("/chat", json=HELLO)
        assert answer.status_code == 200
        body = answer.json()
        assert (body["success"], body["text"], body["error"]) == (False, "", "out of luck")
        worker.view.failure = None
        assert client.post("/chat", json=HELLO).json()["success"]


def test_a_bug_is_an_internal_error_without_details() -> None:
    worker = FakeWorker(fake_config())
    worker.view.failure = KeyError("secret")
    with ready(worker) as client:
        client_quiet = type(client)(client.app, raise_server_exceptions=False)
        answer = client_quiet.post("/chat", json=HELLO)
        assert (answer.status_code, answer.json()["code"]) == (500, "inference_error")
        assert "secret" not in answer.text
        assert client.get("/health").json()["worker_status"] == "idle"


def test_a_lost_device_puts_the_worker_in_error() -> None:
    worker = FakeWorker(fake_config())
    worker.view.failure = DeviceLostError("the device failed")
    with ready(worker) as client:
        answer = client.post("/chat", json=HELLO)
        assert (answer.status_code, answer.json()["code"]) == (502, "worker_lost")
        health = client.get("/health").json()
        assert (health["status"], health["worker_status"]) == ("error", "error")
        assert client.post("/chat", json=HELLO).status_code == 503


def test_a_second_request_waits_for_the_first() -> None:
    worker = FakeWorker(fake_config())
    worker.view.stepwise = True
    with ready(worker) as client, ThreadPoolExecutor(2) as threads:
        answers = [threads.submit(client.post, "/chat", json=HELLO) for _ in range(2)]
        wait_until(lambda: client.get("/health").json()["queue_depth"] == 1)
        assert worker.view.n_live == 1
        worker.view.permits.release(100)
        assert all(answer.result().json()["success"] for answer in answers)


def test_a_request_is_refused_when_the_worker_stays_busy() -> None:
    worker = FakeWorker(fake_config(idle_wait_s=0.05))
    worker.view.stepwise = True
    with (
        ready(worker, fake_config(idle_wait_s=0.05)) as client,
        client.websocket_connect("/ws/chat") as websocket,
    ):
        websocket.send_json(HELLO)
        websocket.receive_json()
        answer = client.post("/chat", json=HELLO)
        assert (answer.status_code, answer.json()["code"]) == (429, "worker_busy")
        assert answer.json()["detail"].startswith("Worker busy after waiting")
        worker.view.permits.release(100)


async def post_and_leave(worker: FakeWorker) -> None:
    """Speak ASGI directly: send a request, and lose the connection once its answer is begun."""
    app = create_app(worker, fake_config())
    left = asyncio.Event()
    body = json.dumps(HELLO).encode()
    incoming = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        if incoming:
            return incoming.pop()
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        del message

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/chat",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
        "app": app,
    }
    async with app.router.lifespan_context(app):
        await asyncio.to_thread(wait_until, lambda: worker.state.model_loaded)
        request = asyncio.create_task(app(scope, receive, send))
        await asyncio.to_thread(wait_until, lambda: worker.view.n_steps == 1)
        left.set()
        await request
        assert worker.state.is_busy  # the thread is still inside a step
        n_steps = worker.view.n_steps
        worker.view.permits.release(100)
        await asyncio.to_thread(wait_until, lambda: worker.state.is_idle)
        assert worker.view.n_steps <= n_steps + 1
        assert worker.view.n_live == 0


async def test_a_client_that_leaves_ends_its_generation_within_one_step() -> None:
    worker = FakeWorker(fake_config())
    worker.view.words = ["word"] * 1000
    worker.view.stepwise = True
    worker.view.permits.release()
    await post_and_leave(worker)
