"""The two bases of every wire model: what a client sends, and what the server sends."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict


class WireModel(BaseModel):
    """A wire object: unknown fields are ignored, NaN and infinities are refused."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)


class ServerMessage(WireModel):
    """A JSON object the server sends over a socket, told apart by its `type`."""

    def to_wire(self) -> dict[str, Any]:
        """The JSON object to send: a null is sent only where the sender set it on purpose."""
        return {
            name: value
            for name, value in self.model_dump(mode="json").items()
            if value is not None or name in self.model_fields_set
        }
