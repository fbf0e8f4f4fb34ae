"""The model behind views: wire types in, wire types out. Importing this loads torch."""

from core.processors.chat import ChatTask, ChatView, chat_response
from core.processors.events import ChatEvent, Delta, Finished, Prefilled
from core.processors.limits import RequestLimits
from core.processors.unified import UnifiedProcessor

__all__ = [
    "ChatEvent",
    "ChatTask",
    "ChatView",
    "Delta",
    "Finished",
    "Prefilled",
    "RequestLimits",
    "UnifiedProcessor",
    "chat_response",
]
