"""Who is let in: origins, API keys, the admin token."""

from __future__ import annotations

import hashlib

import pytest
from starlette.requests import HTTPConnection

from config import SecurityConfig, is_loopback
from core import errors
from gateway_modules.access import MOST_WRONG_A_MINUTE, AccessPolicy


def connection(client: str = "127.0.0.1", **headers: str) -> HTTPConnection:
    raw = [
        (name.replace("_", "-").encode(), value.encode())
        for name, value in ({"host": "localhost:8006"} | headers).items()
    ]
    return HTTPConnection({"type": "http", "headers": raw, "client": (client, 5000)})


def page(origin: str, host: str = "chat.example:8006") -> HTTPConnection:
    return connection(host=host, origin=origin)


def policy(**security: object) -> AccessPolicy:
    return AccessPolicy(SecurityConfig.model_validate(security))


def test_programs_without_origin_pass() -> None:
    policy().check_origin(connection())


def test_our_own_pages_pass() -> None:
    policy().check_origin(page("https://Chat.example:8006"))


@pytest.mark.parametrize("origin", ["https://evil.example", "https://chat.example", "null"])
def test_pages_of_other_sites_are_refused(origin: str) -> None:
    with pytest.raises(errors.OriginForbiddenError):
        policy().check_origin(page(origin))


def test_a_page_without_a_site_is_refused_where_the_host_is_not_named_either() -> None:
    with pytest.raises(errors.OriginForbiddenError):
        policy().check_origin(page("null", host=""))


def test_allowed_origins_pass() -> None:
    allowed = policy(allowed_origins=["https://portal.example/"])
    allowed.check_origin(page("https://portal.example"))


def test_without_keys_inference_is_open() -> None:
    policy().check_api_key(connection("192.0.2.7"))


@pytest.mark.parametrize("headers", [{"authorization": "Bearer k2"}, {"x_api_key": "k2"}])
def test_any_of_the_keys_is_accepted_in_both_headers(headers: dict[str, str]) -> None:
    policy(api_keys=["k1", "k2"]).check_api_key(connection(**headers))


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer wrong"}, {"x_api_key": "k"}])
def test_a_missing_or_wrong_key_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(errors.UnauthorizedError):
        policy(api_keys=["k1"]).check_api_key(connection(**headers))


def test_a_key_may_be_configured_as_its_hash() -> None:
    digest = hashlib.sha256(b"k1").hexdigest()
    guarded = policy(api_keys=[f"sha256:{digest}"])
    guarded.check_api_key(connection(x_api_key="k1"))
    for wrong in ("k2", digest, f"sha256:{digest}"):
        with pytest.raises(errors.UnauthorizedError):
            guarded.check_api_key(connection(x_api_key=wrong))


@pytest.mark.parametrize("key", ["sha256:", "sha256:abc", f"sha256:{'g' * 64}", ""])
def test_a_hash_that_is_none_is_a_wrong_setting(key: str) -> None:
    with pytest.raises(ValueError, match="api_keys"):
        policy(api_keys=[key])


def test_a_configured_admin_token_is_asked_of_everybody() -> None:
    guarded = policy(admin_token="t")
    with pytest.raises(errors.UnauthorizedError):
        guarded.check_admin(connection("127.0.0.1"))
    guarded.check_admin(connection("127.0.0.1", authorization="Bearer t"))


async def test_a_generated_token_is_asked_of_other_machines_only() -> None:
    guarded = AccessPolicy(SecurityConfig(), generated_token="made")
    guarded.check_admin(connection("127.0.0.1"))
    with pytest.raises(errors.UnauthorizedError):
        guarded.check_admin(connection("192.0.2.7"))
    guarded.check_admin(connection("192.0.2.7", authorization="Bearer made"))


@pytest.mark.parametrize(
    "headers",
    [
        {"x_forwarded_for": "192.0.2.7"},
        {"forwarded": "for=192.0.2.7"},
        {"x_real_ip": "192.0.2.7"},
        {"via": "1.1 proxy"},
        {"x_forwarded_for": "127.0.0.1"},
        {"host": "chat.example"},
    ],
)
def test_a_proxy_on_this_machine_is_not_this_machine(headers: dict[str, str]) -> None:
    guarded = AccessPolicy(SecurityConfig(), generated_token="made")
    with pytest.raises(errors.UnauthorizedError):
        guarded.check_admin(connection("127.0.0.1", **headers))


def test_a_site_that_gave_itself_our_address_is_not_this_machine() -> None:
    guarded = AccessPolicy(SecurityConfig(), generated_token="made")
    rebound = connection("127.0.0.1", host="evil.example:8006", origin="http://evil.example:8006")
    with pytest.raises(errors.UnauthorizedError):
        guarded.check_admin(rebound)


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8006", "127.0.0.1:8006", "[::1]:8006", "gpu.localhost", ""]
)
def test_this_machine_goes_by_its_own_names(host: str) -> None:
    guarded = AccessPolicy(SecurityConfig(), generated_token="made")
    guarded.check_admin(connection("127.0.0.1", host=host))


@pytest.mark.parametrize("token", ["", " "])
def test_an_empty_token_opens_nothing(token: str) -> None:
    guarded = AccessPolicy(SecurityConfig(), generated_token="")
    with pytest.raises(errors.UnauthorizedError):
        guarded.check_admin(connection("192.0.2.7", authorization=f"Bearer {token}"))


@pytest.mark.parametrize("given", [{}, {"x_worker_secret": "no"}, {"authorization": "Bearer s"}])
async def test_only_who_knows_the_secret_is_a_worker(given: dict[str, str]) -> None:
    policy(worker_secret="s").check_worker(connection("192.0.2.7", x_worker_secret="s"))
    with pytest.raises(errors.UnauthorizedError):
        policy(worker_secret="s").check_worker(connection("127.0.0.1", **given))


def test_without_a_secret_no_worker_may_come() -> None:
    with pytest.raises(errors.UnauthorizedError, match=r"security\.worker_secret"):
        policy().check_worker(connection("127.0.0.1", x_worker_secret=""))


async def test_workers_are_sent_away_by_themselves_or_by_administrators() -> None:
    guarded = policy(worker_secret="s", admin_token="t")
    guarded.check_worker_or_admin(connection("192.0.2.7", x_worker_secret="s"))
    guarded.check_worker_or_admin(connection("192.0.2.7", authorization="Bearer t"))
    with pytest.raises(errors.UnauthorizedError):
        guarded.check_worker_or_admin(connection("192.0.2.7"))


async def test_keys_tokens_and_secrets_are_guessed_together_and_not_for_long() -> None:
    guarded = policy(api_keys=["k"], admin_token="t", worker_secret="s")
    guesses = [
        (guarded.check_api_key, {"authorization": "Bearer no"}),
        (guarded.check_api_key, {"x_api_key": "no"}),
        (guarded.check_admin, {"authorization": "Bearer no"}),
        (guarded.check_worker, {"x_worker_secret": "no"}),
    ]
    for number in range(MOST_WRONG_A_MINUTE):
        check, headers = guesses[number % len(guesses)]
        with pytest.raises(errors.UnauthorizedError):
            check(connection("192.0.2.7", **headers))
    with pytest.raises(errors.RateLimitedError):
        guarded.check_api_key(connection("192.0.2.7", x_api_key="k"))
    guarded.check_api_key(connection("192.0.2.8", x_api_key="k"))


async def test_only_wrong_guesses_from_other_machines_count() -> None:
    guarded = policy(api_keys=["k"], admin_token="t")
    for client, headers in (
        ("192.0.2.7", {}),
        ("192.0.2.7", {"cookie": "minicpmo_login=1.2"}),
        ("192.0.2.7", {"x_api_key": "k"}),
        ("127.0.0.1", {"authorization": "Bearer no"}),
    ):
        for _ in range(2 * MOST_WRONG_A_MINUTE):
            with pytest.raises(errors.UnauthorizedError):
                guarded.check_admin(connection(client, **headers))


@pytest.mark.parametrize(
    ("given", "client"),
    [
        (connection(), None),
        (connection("192.0.2.7", authorization="Bearer t"), None),
        (connection("192.0.2.7", x_worker_secret="s"), None),
        (connection("192.0.2.7"), "192.0.2.7"),
        (connection("192.0.2.7", authorization="Bearer wrong"), "192.0.2.7"),
        (connection("192.0.2.7", x_api_key="k2"), "key 1"),
        (connection("2001:db8:1:2:3::4"), "2001:db8:1:2::/64"),
        (connection("::ffff:192.0.2.7"), "192.0.2.7"),
        (connection(x_forwarded_for="192.0.2.8"), "192.0.2.8"),
        (connection(x_forwarded_for="203.0.113.1, 192.0.2.8"), "192.0.2.8"),
        (connection(x_forwarded_for="192.0.2.8, 10.0.0.5"), "192.0.2.8"),
        (connection("10.0.0.5", x_forwarded_for="192.0.2.8:4711"), "192.0.2.8"),
        (connection("10.0.0.5", x_forwarded_for="[2001:db8::1]:4711"), "2001:db8::/64"),
        (connection("10.0.0.5", x_forwarded_for="unknown"), "10.0.0.5"),
        (connection("192.0.2.7", x_forwarded_for="192.0.2.8"), "192.0.2.7"),
    ],
)
def test_a_request_counts_for_its_key_or_its_address(
    given: HTTPConnection, client: str | None
) -> None:
    guarded = policy(
        api_keys=["k1", "k2"], admin_token="t", worker_secret="s", trusted_proxies=["10.0.0.0/24"]
    )
    assert guarded.client_of(given) == client


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("gpu", False)],
)
def test_loopback_hosts(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected
