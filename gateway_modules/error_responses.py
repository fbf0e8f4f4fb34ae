"""Every failed HTTP request as one JSON envelope, or as a page where a browser asks for one."""

from __future__ import annotations

import http
import logging

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response

from config import PROJECT_ROOT
from core import errors
from core.logs import event
from gateway_modules import metrics
from gateway_modules.client_socket import ClientGoneError

logger = logging.getLogger(__name__)

NOT_FOUND_PAGE = PROJECT_ROOT / "static" / "404.html"
CLIENT_CLOSED_REQUEST = 499


def add_error_handlers(app: FastAPI) -> None:
    app.add_exception_handler(errors.ServiceError, _service_error)
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(ClientGoneError, _client_gone)
    app.add_exception_handler(OSError, _disk_refuses)
    app.add_exception_handler(Exception, _unexpected)


def error_response(error: errors.ServiceError) -> Response:
    """What to answer instead of the result."""
    metrics.REFUSALS.labels(error.code).inc()
    return JSONResponse(
        errors.http_body(error), status_code=error.http_status, headers=errors.http_headers(error)
    )


async def _service_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, errors.ServiceError)
    return error_response(error)


async def _invalid_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return error_response(
            errors.BadJsonError(f"The body is not valid JSON: {first['ctx']['error']}")
        )
    field = errors.field_path(tuple(first["loc"][1:])) or None
    message = f"{field}: {first['msg']}" if field else first["msg"]
    return error_response(errors.InvalidFieldError(message, field=field))


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if isinstance(error.__cause__, errors.ServiceError):  # met while the body was read
        return error_response(error.__cause__)
    if isinstance(error.__cause__, UnicodeDecodeError | RecursionError):
        return error_response(errors.BadJsonError("The body is not valid JSON"))
    if error.status_code == http.HTTPStatus.NOT_FOUND and wants_page(request):
        return FileResponse(NOT_FOUND_PAGE, status_code=error.status_code)
    code = http.HTTPStatus(error.status_code).phrase.lower().replace(" ", "_")
    body = {"detail": error.detail, "error": error.detail, "code": code, "success": False}
    return JSONResponse(body, status_code=error.status_code, headers=error.headers)


async def _client_gone(request: Request, error: Exception) -> Response:
    """Nobody reads this; the status is for the log."""
    return Response(status_code=CLIENT_CLOSED_REQUEST)


async def _disk_refuses(request: Request, error: Exception) -> Response:
    """It is full, perhaps; whoever asked should know, without the names of our files."""
    assert isinstance(error, OSError)
    if error.errno is None:  # a time limit, which counts as one of these
        return await _unexpected(request, error)
    logger.error(event("disk_refuses", path=request.url.path, reason=error))
    return error_response(errors.ServiceError(f"The disk of the service refuses: {error.strerror}"))


async def _unexpected(request: Request, error: Exception) -> Response:
    logger.error(event("request_failed", path=request.url.path), exc_info=error)
    return error_response(errors.InferenceError("Internal error"))


def wants_page(request: Request) -> bool:
    """Whether a browser asks, for somebody to look at."""
    return (
        request.method in ("GET", "HEAD")
        and "text/html" in request.headers.get("accept", "")
        and NOT_FOUND_PAGE.is_file()
    )
