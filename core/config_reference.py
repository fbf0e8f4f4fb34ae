"""The Markdown reference of all settings, written from the fields themselves."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.fields import FieldInfo

INTRODUCTION = """\
# Configuration

<!-- Written by `python -m config --markdown`; edit core/config_sections.py, not this page. -->

Settings live in `config.json` in the project folder. `start_all.sh` copies `config.example.json`
there when it is absent. A value comes from the command line, else from `config.json`, else from the
default below. Only `model.model_path` is required:

```json
{"model": {"model_path": "openbmb/MiniCPM-o-4_5"}}
```

`python -m config` prints the effective settings with secrets hidden. A key that is no setting is
ignored with a warning that names the likely meant one; a value that does not fit stops the program
with the name of the setting and what it accepts.
"""


def markdown_reference(fields: Iterable[tuple[str, FieldInfo]]) -> str:
    """Render (dotted name, field) pairs, each section ahead of its settings."""
    parts = [INTRODUCTION]
    for name, field in fields:
        section = field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            parts.append(_section_heading(name, section))
        else:
            parts.append(_row(name, field))
    return "".join(parts)


def _section_heading(name: str, section: type[BaseModel]) -> str:
    return (
        f"\n## {name}\n\n{' '.join((section.__doc__ or '').split())}\n\n"
        "| Setting | Accepts | Default | Meaning |\n| --- | --- | --- | --- |\n"
    )


def _row(name: str, field: FieldInfo) -> str:
    default = "required" if field.is_required() else f"`{json.dumps(field.default)}`"
    key = name.rpartition(".")[2]
    return f"| `{key}` | {_accepts(field)} | {default} | {field.description} |\n"


def _accepts(field: FieldInfo) -> str:
    """What a JSON value must be, in words: `integer 1..65535`, `"a" or "b"`, `text or null`."""
    schema = TypeAdapter(field.rebuild_annotation()).json_schema()
    return " or ".join(_words(choice) for choice in schema.get("anyOf", [schema]))


def _words(schema: dict[str, Any]) -> str:
    choices = schema.get("enum") or ([schema["const"]] if "const" in schema else None)
    if choices:
        return " or ".join(f"`{json.dumps(choice)}`" for choice in choices)
    if schema["type"] == "array":
        return f"list of {_words(schema['items'])}"
    names = {"string": "text", "boolean": "`true` or `false`"}
    return " ".join(filter(None, [names.get(schema["type"], schema["type"]), _range(schema)]))


def _range(schema: dict[str, Any]) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    above = schema.get("exclusiveMinimum")
    bounds = [
        f"{low:g}..{high:g}" if low is not None and high is not None else "",
        f"≥ {low:g}" if low is not None and high is None else "",
        f"> {above:g}" if above is not None else "",
        f"≤ {high:g}" if high is not None and low is None else "",
    ]
    return " and ".join(filter(None, bounds))
