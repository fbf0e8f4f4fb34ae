"""Making processors: one per checkpoint and process, however often it is asked for."""

from __future__ import annotations

from typing import Any, ClassVar

from core.processors import UnifiedProcessor
from core.processors.duplex_options import service_options


class ProcessorFactory:
    """Makes processors and remembers them by their arguments."""

    _processors: ClassVar[dict[tuple[tuple[str, Any], ...], UnifiedProcessor]] = {}

    @classmethod
    def get_processor(cls, **arguments: Any) -> UnifiedProcessor:
        """The processor with these arguments of `UnifiedProcessor`; loaded on the first call."""
        key = tuple(sorted(arguments.items()))
        if key not in cls._processors:
            cls._processors[key] = cls.create(**arguments)
        return cls._processors[key]

    @classmethod
    def create(cls, **arguments: Any) -> UnifiedProcessor:
        """A new processor."""
        return UnifiedProcessor(**arguments)

    @classmethod
    def from_config(cls, config: Any, **arguments: Any) -> UnifiedProcessor:
        """A new processor with the settings of a `config.ServiceConfig`."""
        settings = {
            "model_path": config.model.model_path,
            "pt_path": config.model.pt_path,
            "revision": config.model.revision,
            "attn_implementation": config.model.attn_implementation,
            "n_slots": config.n_slots,
            "duplex_options": service_options(config.duplex),
        }
        return cls.create(**(settings | arguments))


def create_processor(model_path: str, **arguments: Any) -> UnifiedProcessor:
    """A new processor for the checkpoint at `model_path`."""
    return ProcessorFactory.create(model_path=model_path, **arguments)
