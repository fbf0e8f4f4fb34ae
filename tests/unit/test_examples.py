"""Examples of what to say, which pages get while a model answers that understands little."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway_modules.app_registry import APPS
from gateway_modules.examples import read_examples
from tests.unit.gateway_client import gateway_config, running_gateway

NANO = "minicpm-o-nano"


@pytest.mark.parametrize("model_name", [None, "MiniCPM-o-4_5", NANO])
def test_pages_get_the_examples_of_the_model_that_answers(
    tmp_path: Path, model_name: str | None
) -> None:
    with running_gateway(gateway_config(tmp_path)) as (http, gateway):
        gateway.pool.add_worker("127.0.0.1", 9).model_name = model_name
        defaults = http.get("/api/frontend_defaults").json()
        assert http.get("/status").json()["model_name"] == model_name
    assert defaults.get("examples") == read_examples().get(model_name or "")


def test_the_toy_has_examples_of_what_to_write_to_it() -> None:
    examples = read_examples()[NANO]
    assert "turnbased" in examples
    assert set(examples) <= {app.app_id for app in APPS}
    assert all(examples.values())
