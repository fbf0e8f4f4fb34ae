"""The model behind views: wire types in, wire types out. Importing this loads torch."""

from core.processors.chat import ChatTask, ChatView, chat_response
from core.processors.conversation import AnswerTask, Conversation, PrefillTask
from core.processors.events import ChatEvent, Delta, Finished, Prefilled
from core.processors.limits import RequestLimits
from core.processors.streaming import StreamingView
from core.processors.unified import UnifiedProcessor

__all__ = [
    "AnswerTask",
    "ChatEvent",
    "ChatTask",
    "ChatView",
    "Conversation",
    "Delta",
    "Finished",
    "PrefillTask",
    "Prefilled",
    "RequestLimits",
    "StreamingView",
    "UnifiedProcessor",
    "chat_response",
]
