"""Switching applications on and off."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import AppDisabledError
from gateway_modules.app_registry import AppInfo, AppRegistry


def test_all_apps_are_on_at_first() -> None:
    apps = AppRegistry()
    assert [app.app_id for app in apps.get_enabled_apps()] == [
        "turnbased",
        "half_duplex_audio",
        "omni",
        "audio_duplex",
    ]


def test_an_app_that_is_off_is_not_listed_and_takes_nobody() -> None:
    apps = AppRegistry()
    switched = apps.set_enabled("omni", False)
    assert switched == AppInfo(app_id="omni", name="Omni Full-Duplex", route="/omni", enabled=False)
    assert "omni" not in [app.app_id for app in apps.get_enabled_apps()]
    assert switched in apps.get_all_apps()
    with pytest.raises(AppDisabledError, match="Omni Full-Duplex is currently disabled"):
        apps.require("omni")


def test_an_unknown_app_is_off_and_cannot_be_switched() -> None:
    apps = AppRegistry()
    assert apps.set_enabled("chess", True) is None
    assert not apps.is_enabled("chess")


def test_what_was_switched_stays_so_after_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "data" / "apps.json"
    AppRegistry(file).set_enabled("omni", False)
    assert not AppRegistry(file).is_enabled("omni")
    AppRegistry(file).set_enabled("omni", True)
    assert AppRegistry(file).is_enabled("omni")
    assert [path.name for path in file.parent.iterdir()] == ["apps.json"]


@pytest.mark.parametrize("content", ["{", "[]", '{"chess": false, "omni": "no"}'])
def test_a_strange_file_switches_nothing(tmp_path: Path, content: str) -> None:
    file = tmp_path / "apps.json"
    file.write_text(content)
    assert all(app.enabled for app in AppRegistry(file).get_all_apps())


def test_a_copy_that_was_given_out_switches_nothing() -> None:
    apps = AppRegistry()
    apps.get_all_apps()[0].enabled = False
    assert apps.is_enabled("turnbased")
