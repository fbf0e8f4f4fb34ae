"""Which idle worker a request gets, depending on the conversations that are cached."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from gateway_modules.history_hash import compute_history_hash
from gateway_modules.models import GatewayWorkerStatus
from gateway_modules.worker_pool import WorkerPool

NOW = datetime(2026, 5, 4, 9, 0, 0)


def pool_with_caches(*caches: tuple[str | None, int]) -> WorkerPool:
    """One idle worker for each (cached hash, seconds since its last use)."""
    pool = WorkerPool([f"localhost:{22400 + index}" for index in range(len(caches))])
    for worker, (cached_hash, age_s) in zip(pool.workers.values(), caches, strict=True):
        worker.status = GatewayWorkerStatus.IDLE
        worker.cached_hash = cached_hash
        if cached_hash is not None:
            worker.last_cache_used_at = NOW - timedelta(seconds=age_s)
    return pool


def assigned(pool: WorkerPool, request_type: str, history_hash: str | None = None) -> str:
    _, future = pool.enqueue(request_type, history_hash=history_hash)
    return future.result().worker_id


async def test_a_streaming_turn_goes_where_its_history_is_cached() -> None:
    pool = pool_with_caches(("a", 1), ("b", 2), (None, 0))
    assert assigned(pool, "streaming", "b") == "worker_1"


async def test_an_unknown_history_goes_to_the_worker_without_cache() -> None:
    pool = pool_with_caches(("a", 1), ("b", 2), (None, 0))
    assert assigned(pool, "streaming", "c") == "worker_2"


async def test_an_unknown_history_evicts_the_cache_used_longest_ago() -> None:
    pool = pool_with_caches(("a", 1), ("b", 200), ("c", 3))
    assert assigned(pool, "streaming", "d") == "worker_1"


async def test_a_cache_that_was_just_hit_is_not_the_next_to_be_evicted() -> None:
    pool = pool_with_caches(("a", 200), ("b", 100))
    hit = pool.workers[assigned(pool, "streaming", "a")]
    hit.last_cache_used_at = NOW
    pool.release_worker(hit)

    assert assigned(pool, "streaming", "new") == "worker_1"


async def test_two_users_on_two_workers_keep_hitting_their_own() -> None:
    pool = pool_with_caches(("alice", 2), ("bob", 1))
    for _ in range(3):
        for user, expected in (("bob", "worker_1"), ("alice", "worker_0")):
            assert assigned(pool, "streaming", user) == expected
            pool.release_worker(pool.workers[expected])


async def test_chat_spares_the_cached_conversations() -> None:
    pool = pool_with_caches(("a", 1), (None, 0))
    assert assigned(pool, "chat") == "worker_1"


@pytest.mark.parametrize("request_type", ["chat", "duplex", "omni_duplex", "streaming"])
async def test_without_a_hash_the_least_recently_used_cache_is_given_up(request_type: str) -> None:
    pool = pool_with_caches(("a", 1), ("b", 100), ("c", 3))
    assert assigned(pool, request_type) == "worker_1"


async def test_the_head_of_the_line_is_not_overtaken_by_a_cache_hit() -> None:
    pool = pool_with_caches(("a", 1))
    worker = pool.workers["worker_0"]
    pool.enqueue("chat")
    worker.cached_hash = "a"
    _, first = pool.enqueue("streaming", history_hash="other")
    _, hit = pool.enqueue("streaming", history_hash="a")

    pool.release_worker(worker)

    assert (first.done(), hit.done()) == (True, False)


@pytest.mark.parametrize(
    ("messages", "digest"),
    [
        ([], "4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945"),
        (
            [{"role": "user", "content": "hi", "id": 7}],
            "5aced9397fc4a6ba78e47d642ce4949bc9ba17f05868fe28454432d93889f6e6",
        ),
        (
            [
                {"role": "system", "content": "You are kind."},
                {"role": "user", "content": "你好"},
                {"role": "assistant", "content": "Hello!"},
            ],
            "0479770574281463fc6fc6925f2b8fd6e8558ad26ba8df705b461a6ec9ccc629",
        ),
        (
            [
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "look"},
                        {"type": "image", "data": "QUJD"},
                    ],
                }
            ],
            "3980e5d172b355bcba69a3ce633a8f611a44c83570eb301bd05cdebd9c1430e0",
        ),
    ],
)
def test_history_hashes_are_the_published_ones(messages: list[dict], digest: str) -> None:
    assert compute_history_hash(messages) == digest


def test_an_absent_key_hashes_like_an_empty_string() -> None:
    assert compute_history_hash([{"role": "user"}]) == compute_history_hash(
        [{"role": "user", "content": ""}]
    )
