"""What gateway and worker share; importing it loads the wire models and never the model."""

from .schemas import *  # noqa: F403
