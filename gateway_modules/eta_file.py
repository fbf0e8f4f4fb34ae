"""What the estimates have learned, kept over a restart."""

from __future__ import annotations

import logging
from pathlib import Path

from pydantic import TypeAdapter

from core.logs import event
from gateway_modules.eta import EtaTracker, LearnedDuration
from gateway_modules.json_file import read_json, write_json

logger = logging.getLogger(__name__)

_LEARNED = TypeAdapter(dict[str, LearnedDuration])


def restore_estimates(tracker: EtaTracker, file: Path) -> None:
    """Take over what `save_estimates` wrote; a file that cannot be read is left alone."""
    try:
        tracker.restore(_LEARNED.validate_python(read_json(file) or {}))
    except (OSError, ValueError) as error:
        logger.warning(event("estimates_unreadable", path=file, reason=type(error).__name__))


def save_estimates(tracker: EtaTracker, file: Path) -> None:
    """Write what was measured; without any measurement there is nothing to write."""
    if not tracker.learned:
        return
    try:
        write_json(file, _LEARNED.dump_python(dict(tracker.learned)))
    except OSError as error:
        logger.warning(event("estimates_not_saved", path=file, reason=error))
