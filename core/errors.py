"""Everything that can go wrong in the service, and how each of it is told to a client.

A class carries its machine `code`, its HTTP status and its WebSocket close code, and whether it
`ends_session` or only spoils the message at hand. The two functions at the end are the only place
where an error turns into an HTTP body or a socket message.
"""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from .schemas import ErrorMessage


class ServiceError(Exception):
    """Base of every error that a client may be told about."""

    code = "inference_error"
    http_status = 500
    close_code = 1011
    ends_session = False

    def __init__(
        self,
        message: str,
        *,
        field: str | None = None,
        limit: int | float | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.limit = limit
        self.retry_after_s = retry_after_s


class RequestError(ServiceError):
    """The client has to change its request."""

    code = "bad_message"
    http_status = 400
    close_code = 1007


class BadJsonError(RequestError):
    """The body or frame is not a JSON object."""

    code = "bad_json"


class BinaryFrameError(RequestError):
    """A binary frame arrived although no binary format was agreed on."""

    close_code = 1003


class InvalidFieldError(RequestError):
    """A field is missing, out of its range, or holds something that cannot be used."""

    http_status = 422


class UnknownTypeError(RequestError):
    """A socket message has a `type` that this endpoint does not know."""

    code = "unknown_type"


class UnsupportedError(RequestError):
    """The request asks for something that this build or this checkpoint cannot do."""

    code = "unsupported"
    http_status = 422
    close_code = 1008


class TooLargeError(RequestError):
    """A body, a frame, a media item or a prompt is over its limit."""

    code = "too_large"
    http_status = 413
    close_code = 1009


class AccessError(ServiceError):
    """The client may not do this."""

    code = "unauthorized"
    http_status = 403
    close_code = 1008


class UnauthorizedError(AccessError):
    """The key or token is missing or wrong."""

    http_status = 401


class OriginForbiddenError(AccessError):
    """A web page of another site tried to use the service."""

    code = "origin_forbidden"


class AppDisabledError(AccessError):
    """The application was switched off by an administrator."""

    code = "app_disabled"


class RateLimitedError(AccessError):
    """The client used up its share of requests or sessions."""

    code = "rate_limited"
    http_status = 429


class SessionActiveError(AccessError):
    """The session id is already in use on another socket."""

    code = "session_active"
    http_status = 409


class CapacityError(ServiceError):
    """The service cannot take this request now; the same request may succeed later."""

    code = "not_ready"
    http_status = 503
    close_code = 1013
    ends_session = True


class NotReadyError(CapacityError):
    """No model is loaded, or no worker is known."""


class QueueFullError(CapacityError):
    """As many requests wait as may wait."""

    code = "queue_full"


class WorkerBusyError(CapacityError):
    """The worker still serves other sessions after the bounded wait, or has no memory left."""

    code = "worker_busy"
    http_status = 429


class EndedError(ServiceError):
    """The session ended before its answer was complete."""

    code = "cancelled"
    http_status = 503
    close_code = 1000


class CancelledError(EndedError):
    """The waiting request was taken out of the queue."""


class IdleTimeoutError(EndedError):
    """The client sent nothing for too long."""

    code = "idle_timeout"
    http_status = 408


class SessionTimeoutError(EndedError):
    """The session or request reached its longest duration."""

    code = "session_timeout"
    http_status = 504


class WorkerLostError(ServiceError):
    """The worker died or could not be reached."""

    code = "worker_lost"
    http_status = 502
    ends_session = True


class InferenceError(ServiceError):
    """The model failed on a request that looked sound."""


class SessionFailedError(InferenceError):
    """What the model holds of this session is of no more use; other sessions go on."""

    ends_session = True


class DeviceLostError(WorkerLostError):
    """The GPU can do no more work in this process."""


def http_body(error: ServiceError) -> dict[str, Any]:
    """The JSON body of an HTTP answer with status `error.http_status`."""
    body: dict[str, Any] = {
        "detail": error.message,
        "error": error.message,
        "code": error.code,
        "success": False,
    }
    return body | _details(error)


def http_headers(error: ServiceError) -> dict[str, str]:
    """`Retry-After` where the error says when to come back."""
    if error.retry_after_s is None:
        return {}
    return {"Retry-After": str(max(1, round(error.retry_after_s)))}


def socket_message(error: ServiceError) -> dict[str, Any]:
    """The `error` message to send before closing a socket with `error.close_code`."""
    return ErrorMessage(error=error.message, code=error.code, **_details(error)).to_wire()


def invalid_field(error: ValidationError) -> InvalidFieldError:
    """The first violation of a wire model as one sentence that names the field and its limit."""
    violation = error.errors(include_url=False, include_input=False)[0]
    field = field_path(violation["loc"])
    if violation["type"].startswith("union_tag"):
        field += ".type"
    text = violation["msg"].removeprefix("Value error, ")
    return InvalidFieldError(
        f"{field}: {text}" if field else text,
        field=field or None,
        limit=_limit(violation.get("ctx", {})),
    )


def field_path(location: tuple[int | str, ...]) -> str:
    """`("messages", 0, "content", "list", 1, "audio", "data")` -> `messages[0].content[1].data`."""
    path = ""
    for index, part in enumerate(location):
        if isinstance(part, int):
            path += f"[{part}]"
        elif not _names_a_union_branch(location[:index]):
            path += f".{part}" if path else part
    return path


def _names_a_union_branch(before: tuple[int | str, ...]) -> bool:
    return (
        before[-1:] == ("content",)
        or (before[-3:-1] == ("content", "list") and isinstance(before[-1], int))
        or before[:-1] == ("system_content",)
    )


def _limit(context: dict[str, Any]) -> int | float | None:
    for name in ("le", "lt", "max_length", "ge", "gt", "min_length"):
        if isinstance(context.get(name), int | float):
            return context[name]
    return None


def _details(error: ServiceError) -> dict[str, Any]:
    details = {"field": error.field, "limit": error.limit, "retry_after_s": error.retry_after_s}
    return {name: value for name, value in details.items() if value is not None}
