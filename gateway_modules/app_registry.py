"""The applications of the service and which of them are switched on."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from pydantic import BaseModel

from core import errors
from core.logs import event
from gateway_modules.json_file import read_json, write_json

logger = logging.getLogger(__name__)


class AppPublicInfo(BaseModel):
    """An application as pages list it."""

    app_id: str
    name: str
    route: str


class AppInfo(AppPublicInfo):
    """An application as administrators see it."""

    enabled: bool = True


class AppsPublicResponse(BaseModel):
    apps: list[AppPublicInfo]


class AppsAdminResponse(BaseModel):
    apps: list[AppInfo]


class AppToggleRequest(BaseModel):
    enabled: bool


class NamedAppToggleRequest(AppToggleRequest):
    app_id: str


class AppToggleResponse(BaseModel):
    success: bool = True
    app: AppInfo


APPS = (
    AppInfo(app_id="turnbased", name="Turn-based Chat", route="/turnbased"),
    AppInfo(app_id="half_duplex_audio", name="Half-Duplex Audio", route="/half_duplex"),
    AppInfo(app_id="omni", name="Omni Full-Duplex", route="/omni"),
    AppInfo(app_id="audio_duplex", name="Audio Full-Duplex", route="/audio_duplex"),
)


class AppRegistry:
    """Applications in menu order; one that is off takes no new sessions. Any thread may use it.

    Args:
        file: where the switches outlive a restart; None keeps them in memory.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._apps = {app.app_id: app.model_copy() for app in APPS}
        for app_id, enabled in self._read_switches().items():
            if app_id in self._apps and isinstance(enabled, bool):
                self._apps[app_id].enabled = enabled

    def is_enabled(self, app_id: str) -> bool:
        app = self._apps.get(app_id)
        return app is not None and app.enabled

    def set_enabled(self, app_id: str, enabled: bool) -> AppInfo | None:
        """Switch an application; None when there is no such one.

        Raises:
            OSError: it is switched, but only until the next restart.
        """
        with self._lock:
            app = self._apps.get(app_id)
            if app is None:
                return None
            app.enabled = enabled
            if self._file is not None:
                write_json(self._file, {app.app_id: app.enabled for app in self._apps.values()})
            return app.model_copy()

    def get_enabled_apps(self) -> list[AppPublicInfo]:
        return [
            AppPublicInfo(app_id=app.app_id, name=app.name, route=app.route)
            for app in self._apps.values()
            if app.enabled
        ]

    def get_all_apps(self) -> list[AppInfo]:
        return [app.model_copy() for app in self._apps.values()]

    def require(self, app_id: str) -> None:
        """Raise AppDisabledError when the application is switched off."""
        if not self.is_enabled(app_id):
            name = self._apps[app_id].name if app_id in self._apps else app_id
            raise errors.AppDisabledError(f"{name} is currently disabled")

    def _read_switches(self) -> dict[str, object]:
        """What was switched before; nothing, with a line in the log, when that cannot be read."""
        if self._file is None:
            return {}
        try:
            switches = read_json(self._file)
        except (OSError, ValueError) as error:
            logger.error(event("app_switches_unreadable", path=self._file, reason=error))
            return {}
        return switches if isinstance(switches, dict) else {}
