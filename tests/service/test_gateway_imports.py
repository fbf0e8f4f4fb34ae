"""The gateway is a small process: it never loads the model's libraries."""

from __future__ import annotations

import re

from tests.service.clients import HELLO
from tests.service.stack import Stack

HEAVY = {"torch", "transformers", "numpy", "MiniCPMO45", "worker_modules", "av"}


def test_a_serving_gateway_has_not_imported_torch(stack: Stack) -> None:
    worker = stack.start_mock_worker("--chat-delay", "0")
    gateway = stack.start_gateway([worker], environment={"PYTHONPROFILEIMPORTTIME": "1"})
    assert gateway.http.post("/api/chat", json=HELLO).status_code == 200
    gateway.stop()

    imported = set(re.findall(r"^import time:.*\|\s+([\w.]+)$", gateway.log, re.MULTILINE))

    assert "gateway_modules.routes.chat" in imported
    assert not HEAVY & {name.partition(".")[0] for name in imported}
