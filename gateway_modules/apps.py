"""The applications of the service and which of them are switched on."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel

from core import errors


class AppPublicInfo(BaseModel):
    """An application as pages list it."""

    app_id: str
    name: str
    route: str


class AppInfo(AppPublicInfo):
    enabled: bool = True


class AppsPublicResponse(BaseModel):
    apps: list[AppPublicInfo]


APPS = (
    AppInfo(app_id="turnbased", name="Turn-based Chat", route="/turnbased"),
    AppInfo(app_id="half_duplex_audio", name="Half-Duplex Audio", route="/half_duplex"),
    AppInfo(app_id="omni", name="Omni Full-Duplex", route="/omni"),
    AppInfo(app_id="audio_duplex", name="Audio Full-Duplex", route="/audio_duplex"),
)


class AppRegistry:
    """Applications in menu order; one that is off takes no new sessions."""

    def __init__(self, apps: Iterable[AppInfo] = APPS) -> None:
        self._apps = {app.app_id: app.model_copy() for app in apps}

    def is_enabled(self, app_id: str) -> bool:
        app = self._apps.get(app_id)
        return app is not None and app.enabled

    def set_enabled(self, app_id: str, enabled: bool) -> AppInfo | None:
        """Switch an application; None when there is no such one."""
        app = self._apps.get(app_id)
        if app is not None:
            app.enabled = enabled
        return app

    def get_enabled_apps(self) -> list[AppPublicInfo]:
        return [
            AppPublicInfo(app_id=app.app_id, name=app.name, route=app.route)
            for app in self._apps.values()
            if app.enabled
        ]

    def require(self, app_id: str) -> None:
        """Raise AppDisabledError when the application is switched off."""
        if not self.is_enabled(app_id):
            name = self._apps[app_id].name if app_id in self._apps else app_id
            raise errors.AppDisabledError(f"{name} is currently disabled")
