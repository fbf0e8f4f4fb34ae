"""Recordings of sessions: written by workers, read by the gateway, cleaned up by age and size.

Reading needs nothing but the standard library.
"""

from core.recording.cleanup import cleanup_sessions, get_session_info
from core.recording.duplex_recorder import DuplexSessionRecorder
from core.recording.folders import duplex_id, generate_session_id, half_duplex_id
from core.recording.reader import load_meta, load_recording
from core.recording.recorder import SessionRecorder
from core.recording.turn_recorder import TurnBasedSessionRecorder
from core.recording.writer import RecordingWriter

__all__ = [
    "DuplexSessionRecorder",
    "RecordingWriter",
    "SessionRecorder",
    "TurnBasedSessionRecorder",
    "cleanup_sessions",
    "duplex_id",
    "generate_session_id",
    "get_session_info",
    "half_duplex_id",
    "load_meta",
    "load_recording",
]
