"""Whether start_all.sh tells the admin token that the gateway made."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.plan import ServiceLayout
from deploy.start import _tell_urls
from tests.unit.gateway_client import gateway_config


@pytest.mark.parametrize(
    ("host", "insecure", "security", "is_told"),
    [
        ("0.0.0.0", False, {}, True),
        ("192.0.2.1", False, {}, True),
        ("127.0.0.1", False, {}, False),
        ("0.0.0.0", True, {}, False),
        ("0.0.0.0", False, {"admin_token": "configured"}, False),
    ],
)
def test_the_token_is_told_where_it_is_needed(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    host: str,
    insecure: bool,
    security: dict[str, str],
    is_told: bool,
) -> None:
    (tmp_path / "admin_token").write_text("made-here\n")
    service = {"host": host, "data_dir": str(tmp_path)}
    config = gateway_config(tmp_path, service=service, security=security)
    layout = ServiceLayout(tmp_path, Path("python"), 8006, [], [], insecure=insecure)

    _tell_urls(layout, config)

    assert ("made-here" in capsys.readouterr().out) is is_told
