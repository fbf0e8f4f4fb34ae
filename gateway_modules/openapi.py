"""The OpenAPI description, with the wire models of bodies that are forwarded unparsed."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, Field
from pydantic.json_schema import models_json_schema

from gateway_modules.middleware import is_counted

REF_TEMPLATE = "#/components/schemas/{model}"
REASONS = {
    400: "The body or the form cannot be read.",
    401: "A key, the admin token or the secret of the workers is missing or wrong.",
    403: "A page of another site asked, or the application is switched off.",
    404: "There is no such thing.",
    409: "The session still goes on.",
    413: "The body, or something in it, is over its limit.",
    422: "A field is missing, out of its range, or holds something that cannot be used.",
    429: "Too many calls.",
    500: "The service failed.",
    502: "The worker was lost.",
    503: "No worker can take the request now.",
    504: "The worker took too long.",
}


class Refusal(BaseModel):
    """Every failed request is answered with this."""

    detail: str = Field(description="The same as `error`.")
    error: str = Field(description="A sentence for people.")
    code: str = Field(description="A word for programs.")
    success: bool = False
    message: str | None = Field(None, description="The same as `error`, where clients expect it.")
    field: str | None = Field(None, description="The field at fault.")
    limit: float | None = Field(None, description="The limit that was passed.")
    retry_after_s: float | None = Field(None, description="Seconds after which to try again.")


REFUSAL_CONTENT = {
    "application/json": {"schema": {"$ref": REF_TEMPLATE.format(model=Refusal.__name__)}}
}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """`responses` of a route that refuses requests with these statuses.

    400 and 422 for what is read before the route begins, and 429, need not be named.
    """
    return {status: _refusal(status) for status in statuses}


def media(*media_types: str) -> dict[int | str, dict[str, Any]]:
    """`responses` of a route whose answer is no JSON, but one of these types."""
    binary = {"schema": {"type": "string", "format": "binary"}}
    return {200: {"content": dict.fromkeys(media_types, binary)}}


def json_body(model: type[BaseModel]) -> dict[str, Any]:
    """`openapi_extra` of a route that forwards its body instead of parsing it as `model`."""
    schema = {"$ref": REF_TEMPLATE.format(model=model.__name__)}
    return _body("application/json", schema)


def form_with_file(field: str) -> dict[str, Any]:
    """`openapi_extra` of a route that reads a form with a file by itself."""
    file = {"type": "string", "format": "binary"}
    schema = {"type": "object", "required": [field], "properties": {field: file}}
    return _body("multipart/form-data", schema)


def describe(app: FastAPI, forwarded: list[type[BaseModel]]) -> None:
    """Make `app` describe itself including the models named by `json_body`."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = get_openapi(
                title=app.title,
                version=app.version,
                description=app.description,
                routes=app.routes,
                tags=app.openapi_tags,
            )
            _, definitions = models_json_schema(
                [(model, "validation") for model in [*forwarded, Refusal]],
                ref_template=REF_TEMPLATE,
            )
            models = schema.setdefault("components", {}).setdefault("schemas", {})
            models.update(definitions.get("$defs", {}))
            _describe_refusals(schema)
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = openapi  # pyright: ignore[reportAttributeAccessIssue]


def _describe_refusals(schema: dict[str, Any]) -> None:
    """Tell of the refusals that all routes have in common, in our own words."""
    for path, operations in schema["paths"].items():
        for operation in operations.values():
            responses = operation["responses"]
            if "requestBody" in operation:
                responses["400"] = _refusal(400)
            if "422" in responses:
                responses["422"] = _refusal(422)
            if is_counted(path):
                responses["429"] = _refusal(429)
    for model in ("HTTPValidationError", "ValidationError"):
        schema["components"]["schemas"].pop(model, None)


def _refusal(status: int) -> dict[str, Any]:
    return {"description": REASONS[status], "content": REFUSAL_CONTENT}


def _body(media_type: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {media_type: {"schema": schema}}}}
