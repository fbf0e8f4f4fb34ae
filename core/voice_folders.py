"""Voices that requests may name by a path on the server."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from config import PROJECT_ROOT, RESOURCES_PATH, ServiceConfig, resolve_asset
from core.errors import InvalidFieldError

FOLDER = "ref_audio"
FIELD = "tts.ref_audio_path"


class VoiceFolders:
    """The folders that hold voices; a path out of them is refused, wherever it leads."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self._folders = [folder.resolve() for folder in folders]

    @classmethod
    def of(cls, config: ServiceConfig) -> VoiceFolders:
        """The shipped voices, those users uploaded, and the default voice."""
        folders = [
            RESOURCES_PATH / FOLDER,
            PROJECT_ROOT / "assets" / FOLDER,
            config.data_path / FOLDER,
        ]
        if config.ref_audio_path:
            folders.append(resolve_asset(config.ref_audio_path))
        return cls(folders)

    def find(self, name: str, field: str = FIELD) -> Path:
        """The file that `name` means, as it would in the configuration.

        Args:
            field: what the client calls it.

        Raises:
            InvalidFieldError: it is not in one of the folders.
        """
        refused = InvalidFieldError(
            f"{field} must name a file in a folder of reference voices", field=field
        )
        try:
            path = resolve_asset(name).resolve()
        except (OSError, ValueError) as error:
            raise refused from error
        if not any(path.is_relative_to(folder) for folder in self._folders):
            raise refused
        return path
