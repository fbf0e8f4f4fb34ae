"""docs/*/api.md lists the routes, fields, messages, errors and limits that the code has."""

from __future__ import annotations

import json
import re
from typing import get_args

import pytest
from annotated_types import Ge, Le
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from starlette.routing import WebSocketRoute

import core.schemas as schemas
from config import PROJECT_ROOT, ServiceConfig, load_config
from core import errors
from gateway_modules.app import create_app
from gateway_modules.routes import (
    chat_socket,
    duplex_socket,
    half_duplex_socket,
    streaming_socket,
)
from gateway_modules.routes.chat import QueuedChatResponse
from gateway_modules.state import GatewayOptions
from MiniCPMO45.model import DEFAULT_CAPACITY
from tests.unit.markdown_page import MarkdownPage, first_quoted, quoted

ENGLISH, CHINESE = MarkdownPage("docs/en/api.md"), MarkdownPage("docs/zh/api.md")
PAGES = [pytest.param(ENGLISH, id="en"), pytest.param(CHINESE, id="zh")]
WORDS = {
    ENGLISH: {"routes": "Routes", "server": "Messages from the server", "errors": "Errors"},
    CHINESE: {"routes": "路由", "server": "服务器发来的消息", "errors": "错误"},
}
LIMITS = {ENGLISH: "Limits", CHINESE: "限制"}
CLOSE_CODES = {ENGLISH: "Close codes", CHINESE: "关闭码"}
REQUIRED = {ENGLISH: "required", CHINESE: "必填"}

REQUEST_MODELS = [
    schemas.ChatRequest,
    schemas.Message,
    schemas.TextContent,
    schemas.ImageContent,
    schemas.AudioContent,
    schemas.VideoContent,
    schemas.GenerationConfig,
    schemas.ImageConfig,
    schemas.TTSConfig,
]
# Codes of the contract that no route of this version answers with.
UNUSED_CODES = {"unsupported"}
# A worker's own 429 becomes a 503 at the gateway.
GATEWAY_STATUS = {"worker_busy": 503}


def service_config() -> ServiceConfig:
    return load_config(PROJECT_ROOT / "config.example.json")


def error_classes(
    base: type[errors.ServiceError] = errors.ServiceError,
) -> list[type[errors.ServiceError]]:
    below = [found for child in base.__subclasses__() for found in error_classes(child)]
    return [base, *below]


@pytest.mark.parametrize("page", PAGES)
def test_every_route_is_listed(page: MarkdownPage) -> None:
    app = create_app(service_config(), GatewayOptions(workers=(), insecure=True))
    served = {
        f"{method.upper()} {path}"
        for path, methods in app.openapi()["paths"].items()
        for method in methods
    }
    listed = set(first_quoted(page.rows(WORDS[page]["routes"])))
    assert {route for route in listed if not route.startswith("WS ")} == served
    modules = (chat_socket, streaming_socket, half_duplex_socket, duplex_socket)
    routes = [route for module in modules for route in module.router.routes]
    sockets = {f"WS {route.path}" for route in routes if isinstance(route, WebSocketRoute)}
    assert {route for route in listed if route.startswith("WS ")} == sockets


@pytest.mark.parametrize("model", REQUEST_MODELS, ids=lambda model: model.__name__)
@pytest.mark.parametrize("page", PAGES)
def test_every_field_of_a_request_is_listed_with_its_default_and_range(
    page: MarkdownPage, model: type[BaseModel]
) -> None:
    rows = page.rows(model.__name__)
    assert sorted(first_quoted(rows)) == sorted(model.model_fields)
    for name, accepts, default, _ in rows:
        field = model.model_fields[name.strip("`")]
        assert default == default_cell(field, REQUIRED[page]), name
        for words in range_words(field):
            assert words in accepts, name


def default_cell(field: FieldInfo, required: str) -> str:
    if field.is_required():
        return required
    value = {} if field.default_factory else getattr(field.default, "value", field.default)
    return f"`{json.dumps(value)}`"


def range_words(field: FieldInfo) -> list[str]:
    low = next((rule.ge for rule in field.metadata if isinstance(rule, Ge)), None)
    high = next((rule.le for rule in field.metadata if isinstance(rule, Le)), None)
    if low is None:
        return []
    return [f"≥ {low:g}" if high is None else f"{low:g}..{high:g}"]  # pyright: ignore


@pytest.mark.parametrize("page", PAGES)
def test_the_socket_request_is_told_by_its_differences(page: MarkdownPage) -> None:
    both = set(schemas.ChatRequest.model_fields) & set(schemas.ChatStreamRequest.model_fields)
    assert set(schemas.ChatStreamRequest.model_fields) - both == {"streaming"}
    assert set(schemas.ChatRequest.model_fields) - both == {"return_prompt"}
    section = page.section("ChatStreamRequest")
    assert "`return_prompt`" in section
    assert str(schemas.StreamGenerationConfig().max_new_tokens) in section
    assert first_quoted(page.rows("ChatStreamRequest")) == ["streaming", "generation"]


@pytest.mark.parametrize("page", PAGES)
def test_every_field_of_the_http_answer_is_listed(page: MarkdownPage) -> None:
    listed = first_quoted(page.rows("ChatResponse"))
    assert sorted(listed) == sorted(QueuedChatResponse.model_fields)


@pytest.mark.parametrize("page", PAGES)
def test_every_message_of_the_server_is_listed_with_its_fields(page: MarkdownPage) -> None:
    union = get_args(schemas.ChatServerMessage)[0]
    expected = {
        model.model_fields["type"].default: {
            *model.model_fields,
            *model.model_computed_fields,
        }
        - {"type"}
        for model in get_args(union)
    }
    rows = page.rows(WORDS[page]["server"])
    assert {row[0].strip("`"): set(quoted(row[1])) for row in rows} == expected


@pytest.mark.parametrize("page", PAGES)
def test_every_error_is_listed_with_its_status_and_close_code(page: MarkdownPage) -> None:
    statuses: dict[str, set[tuple[int, int]]] = {}
    for error in error_classes():
        status = GATEWAY_STATUS.get(error.code, error.http_status)
        statuses.setdefault(error.code, set()).add((status, error.close_code))
    rows = page.rows(WORDS[page]["errors"])
    listed = {row[0].strip("`"): (int(row[1]), int(row[2])) for row in rows}
    assert set(listed) == set(statuses) - UNUSED_CODES
    for code, numbers in listed.items():
        assert numbers in statuses[code], code


@pytest.mark.parametrize("page", PAGES)
def test_every_close_code_is_explained(page: MarkdownPage) -> None:
    used = {error.close_code for error in error_classes()} | {1001}
    listed = {int(row[0]) for row in page.rows(CLOSE_CODES[page])}
    assert listed == used


@pytest.mark.parametrize("page", PAGES)
def test_limits_are_listed_with_their_defaults(page: MarkdownPage) -> None:
    config = service_config()
    for name, default, _ in page.rows(LIMITS[page]):
        section, _, setting = name.strip("`").partition(".")
        value = getattr(getattr(config, section), setting)
        assert default == f"`{value:g}`", name


@pytest.mark.parametrize("page", PAGES)
def test_the_size_of_the_context_is_told(page: MarkdownPage) -> None:
    assert re.search(rf"\b{DEFAULT_CAPACITY:,}\b", page.section(LIMITS[page]))
