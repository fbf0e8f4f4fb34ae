"""Voices that were uploaded to this service: WAV files and a list of them in one folder."""

from __future__ import annotations

import binascii
import logging
import shutil
import threading
import uuid
import wave
from array import array
from base64 import b64decode
from datetime import datetime
from io import BytesIO
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from config import LimitsConfig
from core import errors
from core.logs import event
from core.schemas import MODEL_SAMPLE_RATE
from gateway_modules.client_socket import MEBI
from gateway_modules.json_file import read_json, write_file, write_json
from gateway_modules.ref_audio_models import (
    ExternalRefAudioRequest,
    RefAudioInfo,
    RefAudioListResponse,
    RefAudioResponse,
    UploadRefAudioRequest,
    check_name,
)
from gateway_modules.sound_decoding import BYTES_PER_SAMPLE, Pcm16, SoundError, decode_sound
from gateway_modules.voice_sound import load_voice

__all__ = [
    "ExternalRefAudioRequest",
    "RefAudioInfo",
    "RefAudioListResponse",
    "RefAudioRegistry",
    "RefAudioResponse",
    "UploadRefAudioRequest",
]

logger = logging.getLogger(__name__)

REGISTRY_FILE = "registry.json"
SILENT_PEAK = 32  # of 32768: -60 dB


class RefAudioRegistry:
    """The uploaded voices. Everything here blocks; call it on a thread. Any thread will do.

    The list on disk is read on every call, so that several gateways may share the folder.

    Args:
        storage_dir: where the voices are kept.
        limits: how large and how long a recording may be.
        import_from: a folder of an earlier installation, copied when `storage_dir` has no list.
    """

    def __init__(
        self,
        storage_dir: str | Path,
        limits: LimitsConfig | None = None,
        import_from: Path | None = None,
    ) -> None:
        self.storage_dir = Path(storage_dir)
        self._limits = limits or LimitsConfig()
        self._import_from = import_from
        self._lock = threading.Lock()

    def upload(self, name: str, audio_base64: str, *, field: str = "audio_base64") -> RefAudioInfo:
        """Keep a recording; what the answer calls `warning` is not kept.

        Args:
            field: what the client calls the recording.

        Raises:
            RequestError: no base64, no sound, silence, or too short a recording.
            TooLargeError: the file is over its limit.
            ValueError: the name is not one.
        """
        try:
            data = b64decode(audio_base64, validate=True)
        except (binascii.Error, ValueError) as error:
            raise errors.RequestError(f"{field} is not valid base64", field=field) from error
        return self._add(name, data, "upload", field)

    def add_file(self, name: str, path: Path, *, field: str) -> RefAudioInfo:
        """Keep a copy of a file on this machine; see `upload`."""
        try:
            data = path.read_bytes()
        except OSError as error:
            refused = f"{field} must name a file in a folder of reference voices"
            raise errors.RequestError(refused, field=field) from error
        return self._add(name, data, "external", field)

    def get(self, ref_id: str) -> RefAudioInfo | None:
        return next((info for info in self.list_all() if info.id == ref_id), None)

    def get_file_path(self, ref_id: str) -> Path | None:
        """Where the voice is kept; None when there is none of this id."""
        info = self.get(ref_id)
        return self.storage_dir / info.filename if info else None

    def get_base64(self, ref_id: str) -> str | None:
        """The voice as little-endian float32, 16 kHz, mono, in base64."""
        path = self.get_file_path(ref_id)
        return load_voice(path, self._limits.ref_audio_max_s).base64 if path else None

    def list_all(self) -> list[RefAudioInfo]:
        """All voices, oldest first."""
        with self._lock:
            return self._read()

    def delete(self, ref_id: str) -> bool:
        """Forget a voice; False when there is none of this id."""
        with self._lock:
            voices = self._read()
            found = [info for info in voices if info.id == ref_id]
            if not found:
                return False
            self._write([info for info in voices if info.id != ref_id])
        for info in found:
            (self.storage_dir / info.filename).unlink(missing_ok=True)
        return True

    def exists(self, ref_id: str) -> bool:
        return self.get(ref_id) is not None

    def count(self) -> int:
        return len(self.list_all())

    def _add(self, name: str, data: bytes, source_type: str, field: str) -> RefAudioInfo:
        name = check_name(name)
        pcm = self._decode(data, field)
        limit_s = self._limits.ref_audio_max_s
        warning = f"the reference voice was cropped to {limit_s:g} seconds"
        ref_id = str(uuid.uuid4())
        info = RefAudioInfo(
            id=ref_id,
            name=name,
            filename=f"{ref_id}.wav",
            source_type=source_type,
            duration_ms=round(pcm.duration_s * 1000),
            created_at=datetime.now(),
            warning=warning if pcm.is_cropped else None,
        )
        with self._lock:
            voices = self._read()
            write_file(self.storage_dir / info.filename, wav_file(pcm))
            self._write([*voices, info])
        return info

    def _decode(self, data: bytes, field: str) -> Pcm16:
        limits = self._limits
        if len(data) > limits.voice_upload_mb * MEBI:
            raise errors.TooLargeError(
                f"{field} is larger than {limits.voice_upload_mb:g} MiB",
                field=field,
                limit=limits.voice_upload_mb,
            )
        try:
            pcm = decode_sound(data, limits.ref_audio_max_s)
        except SoundError as error:
            raise errors.RequestError(f"{field} is {error}", field=field) from error
        if pcm.duration_s < limits.ref_audio_min_s:
            raise errors.RequestError(
                f"{field} is shorter than {limits.ref_audio_min_s:g} seconds",
                field=field,
                limit=limits.ref_audio_min_s,
            )
        samples = array("h", pcm.data)
        if max(samples) < SILENT_PEAK and min(samples) > -SILENT_PEAK:
            raise errors.RequestError(f"{field} is silent", field=field)
        return pcm

    def _read(self) -> list[RefAudioInfo]:
        file = self.storage_dir / REGISTRY_FILE
        try:
            listed = read_json(file)
            if listed is None and self._import_from is not None:
                listed = self._import(self._import_from)
            return _VOICES.validate_python(listed or [])
        except ValueError as error:
            logger.error(event("voice_list_unreadable", path=file, reason=error))
            raise errors.ServiceError(f"The list of voices, {file.name}, cannot be read") from error

    def _write(self, voices: list[RefAudioInfo]) -> None:
        write_json(self.storage_dir / REGISTRY_FILE, _VOICES.dump_python(voices, mode="json"))

    def _import(self, folder: Path) -> object:
        """Copy the voices of an earlier installation; what it lists but lacks is left out."""
        listed = read_json(folder / REGISTRY_FILE)
        if not isinstance(listed, list):
            return listed
        voices = []
        for entry in listed:
            try:
                info = RefAudioInfo.model_validate(entry)
                self.storage_dir.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(folder / info.filename, self.storage_dir / info.filename)
            except (OSError, ValidationError) as error:
                logger.warning(event("voice_not_imported", reason=type(error).__name__))
                continue
            voices.append(info)
        self._write(voices)
        logger.info(event("voices_imported", n_voices=len(voices), path=folder))
        return voices


_VOICES = TypeAdapter(list[RefAudioInfo])


def wav_file(pcm: Pcm16) -> bytes:
    """The samples as a WAV file."""
    file = BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(BYTES_PER_SAMPLE)
        writer.setframerate(MODEL_SAMPLE_RATE)
        writer.writeframes(pcm.data)
    return file.getvalue()
