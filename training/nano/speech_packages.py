"""The published packages that synthesise speech: collected here, unpacked where training runs.

    python -m training.nano.speech_packages           downloads into tmp/nano-speech
    python -m training.nano.speech_packages --unpack  makes them usable, without the network
    python -m training.nano.speech_packages --recogniser  also fetches what measures word errors

Nothing is installed: programs and voices stay in that folder. Prints one JSON line with the bytes
of each file.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import zipfile
from importlib import invalidate_caches
from importlib.util import find_spec
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "tmp" / "nano-speech"
UNPACKED = FOLDER.with_name("nano-speech-unpacked")

DEBIAN_PACKAGES = ("flite", "libflite1", "libasound2")
PYTHON_PACKAGES = ("espeakng-loader==0.2.4",)
RECOGNISER_PACKAGES = ("moonshine-voice==0.0.49", "platformdirs", "filelock", "tqdm", "requests")


class SpeechError(Exception):
    """A speech engine is missing, or could not say something."""


def add_packages_to_path() -> None:
    """Let Python packages of the folder be imported where they are not installed."""
    site = str(UNPACKED / "site")
    if site not in sys.path:
        sys.path.append(site)


def find_program(name: str) -> str:
    """A program of the folder, or an installed one.

    Raises:
        SpeechError: there is none.
    """
    unpacked = UNPACKED / "root" / "usr" / "bin" / name
    found = str(unpacked) if unpacked.exists() else shutil.which(name)
    if found is None:
        raise SpeechError(f"{name} is missing: run python -m training.nano.speech_packages")
    return found


def library_path(program: str) -> str:
    """Where the libraries of a program of the folder are; empty for an installed one."""
    if not Path(program).is_relative_to(UNPACKED):
        return ""
    return ":".join(str(path) for path in sorted((UNPACKED / "root" / "usr" / "lib").iterdir()))


def provide(*, recogniser: bool) -> None:
    """Collect and unpack what is missing of the voices and, if it is wanted, of the recogniser.

    Raises:
        SpeechError: they cannot be downloaded.
    """
    add_packages_to_path()
    if not (find_spec("espeakng_loader") and _has_flite()):
        collect()
        unpack()
    if recogniser and not find_spec("moonshine_voice"):
        fetch_recogniser()
    invalidate_caches()  # the folder may not have been there when it was looked into


def collect() -> dict[str, int]:
    """Download all packages; the bytes of each file.

    Raises:
        SpeechError: one cannot be had.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    _run(["apt-get", "download", "-q", *DEBIAN_PACKAGES], cwd=FOLDER)
    pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:"]
    _run([*pip, "-d", str(FOLDER), *PYTHON_PACKAGES])
    return {path.name: path.stat().st_size for path in sorted(FOLDER.iterdir())}


def fetch_recogniser() -> None:
    """Put the independent recogniser beside the voices; it stays on this machine.

    Raises:
        SpeechError: it cannot be had.
    """
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps"]
    _run([*pip, "--target", str(UNPACKED / "site"), *RECOGNISER_PACKAGES])


def unpack() -> None:
    """Unpack what was collected.

    Raises:
        SpeechError: nothing was.
    """
    packages = sorted(FOLDER.glob("*.deb")) + sorted(FOLDER.glob("*.whl"))
    if not packages:
        raise SpeechError(f"there are no packages in {FOLDER.name}")
    UNPACKED.mkdir(parents=True, exist_ok=True)
    for path in packages:
        if path.suffix == ".deb":
            subprocess.run(["dpkg", "-x", str(path), str(UNPACKED / "root")], check=True)
        else:
            with zipfile.ZipFile(path) as wheel:
                wheel.extractall(UNPACKED / "site")


def _has_flite() -> bool:
    try:
        find_program("flite")
    except SpeechError:
        return False
    return True


def _run(command: list[str], cwd: Path | None = None) -> None:
    """Run a command that downloads; what it prints would stand among our lines."""
    try:
        subprocess.run(command, cwd=cwd, stdout=subprocess.DEVNULL, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise SpeechError(f"the speech packages cannot be downloaded: {error}") from error


def main(arguments: list[str] | None = None) -> int:
    """Collect or unpack; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m training.nano.speech_packages")
    parser.add_argument("--unpack", action="store_true", help="use what was downloaded before")
    parser.add_argument("--recogniser", action="store_true", help="for measuring, not for training")
    options = parser.parse_args(arguments)
    sizes = {} if options.unpack else collect()
    unpack()
    if options.recogniser:
        fetch_recogniser()
    sys.stdout.write(json.dumps({"bytes": sizes, "all": sum(sizes.values())}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
