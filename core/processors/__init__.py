"""The model behind views: wire types in, wire types out. Importing this loads torch."""

from core.processors.chat import ChatTask, ChatView, chat_response
from core.processors.conversation import AnswerTask, Conversation, PrefillTask
from core.processors.duplex import DuplexView
from core.processors.duplex_call import ContextFullError, DuplexCall
from core.processors.duplex_reader import CallTask, ChunkTask
from core.processors.duplex_result import Decision
from core.processors.events import ChatEvent, Delta, Finished, Prefilled
from core.processors.half_duplex import HalfDuplexCall, HalfDuplexView
from core.processors.limits import RequestLimits
from core.processors.spoken import SpokenAnswer, SpokenPart
from core.processors.streaming import StreamingView
from core.processors.unified import UnifiedProcessor

__all__ = [
    "AnswerTask",
    "CallTask",
    "ChatEvent",
    "ChatTask",
    "ChatView",
    "ChunkTask",
    "ContextFullError",
    "Conversation",
    "Decision",
    "Delta",
    "DuplexCall",
    "DuplexView",
    "Finished",
    "HalfDuplexCall",
    "HalfDuplexView",
    "PrefillTask",
    "Prefilled",
    "RequestLimits",
    "SpokenAnswer",
    "SpokenPart",
    "StreamingView",
    "UnifiedProcessor",
    "chat_response",
]
