"""A client of an in-process gateway without workers, whose files lie in a folder of the test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from config import ModelConfig, ServiceConfig
from gateway_modules.app import create_app
from gateway_modules.middleware import RequestContext
from gateway_modules.state import Gateway, GatewayOptions

STRANGER = ("192.0.2.7", 5000)
THIS_MACHINE = ("127.0.0.1", 5000)


def gateway_config(folder: Path, **sections: dict[str, Any]) -> ServiceConfig:
    service = {"data_dir": str(folder)} | sections.pop("service", {})
    values = {"model": ModelConfig(model_path="none"), "service": service} | sections
    return ServiceConfig.model_validate(values)


@contextmanager
def running_gateway(
    config: ServiceConfig, client: tuple[str, int] = THIS_MACHINE, *, insecure: bool = False
) -> Iterator[tuple[TestClient, Gateway]]:
    """The application as the server runs it, asked from the address of `client`."""
    app = create_app(config, GatewayOptions(workers=(), insecure=insecure))
    context = RequestContext(app)
    with TestClient(
        context, base_url="http://localhost", client=client, raise_server_exceptions=False
    ) as http:
        yield http, app.state.gateway
