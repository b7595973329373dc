"""The OpenAPI document as one page to read: no scripts, nothing loaded from elsewhere."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator, Mapping
from typing import Any

_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c1c1c;background:#fff}
code,pre{font:14px/1.45 ui-monospace,monospace;background:#f4f4f2;border-radius:4px}
code{padding:.1rem .3rem}pre{padding:.8rem;overflow:auto}
details{border:1px solid #d8d8d4;border-radius:6px;margin:.5rem 0;padding:.4rem .8rem}
summary{cursor:pointer}summary b{display:inline-block;min-width:4rem}
table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #e4e4e0;padding:.3rem;text-align:left;vertical-align:top}
@media (prefers-color-scheme:dark){body{color:#e8e8e4;background:#161616}code,pre{background:#242424}details,td,th{border-color:#3a3a3a}a{color:#8ab4f8}}
"""


def docs_page(document: Mapping[str, Any]) -> str:
    """Return the page of an OpenAPI document."""
    title = html.escape(document["info"]["title"])
    parts = [
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>",
        "<meta name='viewport' content='width=device-width,initial-scale=1'>",
        f"<title>{title}</title><style>{_STYLE}</style></head><body><h1>{title}</h1>",
        _prose(document["info"].get("description", "")),
        "<p><a href='/openapi.json'>openapi.json</a></p>",
    ]
    for tag in document.get("tags", []):
        parts.append(f"<h2>{html.escape(tag['name'])}</h2>{_prose(tag['description'])}")
        parts += [
            _operation(method, path, operation, document)
            for path, method, operation in _operations(document)
            if tag["name"] in operation.get("tags", [])
        ]
    return "".join([*parts, "</body></html>"])


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method.upper(), operation


def _operation(
    method: str, path: str, operation: Mapping[str, Any], document: Mapping[str, Any]
) -> str:
    right = operation.get("x-right")
    needs = (
        f"<p>Needs the right <code>{html.escape(right)}</code>.</p>" if right else "<p>Public.</p>"
    )
    return (
        f"<details><summary><b>{method}</b> <code>{html.escape(path)}</code> "
        f"{html.escape(operation['summary'])}</summary>"
        f"{_prose(operation.get('description', ''))}{needs}"
        f"{_parameters(operation)}{_body(operation, document)}{_answers(operation, document)}</details>"
    )


def _parameters(operation: Mapping[str, Any]) -> str:
    rows = "".join(
        f"<tr><td><code>{html.escape(parameter['name'])}</code></td><td>{parameter['in']}"
        f"{', required' if parameter.get('required') else ''}</td>"
        f"<td>{html.escape(parameter.get('description', ''))}</td></tr>"
        for parameter in operation.get("parameters", [])
    )
    return f"<h4>Parameters</h4><table>{rows}</table>" if rows else ""


def _body(operation: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    if "requestBody" not in operation:
        return ""
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    return f"<h4>Body</h4>{_fields(schema, document)}<pre>{_example(schema, document)}</pre>"


def _answers(operation: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    parts = ["<h4>Answers</h4>"]
    for status, answer in operation["responses"].items():
        parts.append(f"<h5>{status}</h5>{_prose(answer['description'])}")
        schema = answer.get("content", {}).get("application/json", {}).get("schema")
        if schema:
            parts.append(_fields(schema, document))
            parts.append(f"<pre>{_example(schema, document)}</pre>")
    return "".join(parts)


def _fields(schema: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    resolved = _resolved(schema, document)
    required = set(resolved.get("required", []))
    rows = "".join(
        f"<tr><td><code>{html.escape(name)}</code></td>"
        f"<td>{'required' if name in required else ''}</td>"
        f"<td>{html.escape(field.get('description', ''))}</td></tr>"
        for name, field in resolved.get("properties", {}).items()
    )
    return f"<table>{rows}</table>" if rows else ""


def _example(schema: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    value = example_of(schema, document)
    return html.escape(json.dumps(value, ensure_ascii=False, indent=2))


def example_of(schema: Mapping[str, Any], document: Mapping[str, Any]) -> Any:
    """Return an example of a schema, put together from those of its fields."""
    schema = _resolved(schema, document)
    if schema.get("examples"):
        return schema["examples"][0]
    if "properties" in schema:
        return {name: example_of(field, document) for name, field in schema["properties"].items()}
    for choice in ("anyOf", "oneOf", "allOf"):
        if choice in schema:
            return example_of(schema[choice][0], document)
    if schema.get("type") == "array":
        return [example_of(schema["items"], document)]
    return schema.get("default", schema.get("const"))


def _resolved(schema: Mapping[str, Any], document: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in schema:
        return schema
    name = schema["$ref"].rpartition("/")[2]
    found: Mapping[str, Any] = document["components"]["schemas"][name]
    return found if not schema.get("examples") else {**found, "examples": schema["examples"]}


def _prose(text: str) -> str:
    """Return text as paragraphs and lists; back-ticks become code."""
    blocks = []
    for block in text.strip().split("\n\n"):
        escaped = html.escape(block)
        pieces = escaped.split("`")
        marked = "".join(
            f"<code>{piece}</code>" if number % 2 else piece for number, piece in enumerate(pieces)
        )
        if marked.startswith("- "):
            items = marked[2:].split("\n- ")
            blocks.append("<ul>" + "".join(f"<li>{item}</li>" for item in items) + "</ul>")
        else:
            blocks.append(f"<p>{marked}</p>")
    return "".join(blocks)
