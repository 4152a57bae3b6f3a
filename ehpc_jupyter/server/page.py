"""The API's description as one page of HTML: no script, nothing from elsewhere, light or dark. Pure."""

from __future__ import annotations

import base64
import hashlib
import json
from html import escape
from typing import Any

_STYLE = """
:root { color-scheme: light dark; }
:root[data-theme="light"] { color-scheme: light; }
:root[data-theme="dark"] { color-scheme: dark; }
html { background: Canvas; color: CanvasText; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
pre, table { overflow-x: auto; display: block; }
pre { padding: .7rem; border: 1px solid; border-radius: 4px; border-color: color-mix(in srgb, currentColor 25%, transparent); }
td, th { text-align: left; vertical-align: top; padding: .2rem .8rem .2rem 0; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid; }
p code { overflow-wrap: anywhere; }
small { opacity: .75; }
"""
#: For the Content-Security-Policy: this style and no other.
STYLE_HASH = f"'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'"


def render(document: dict[str, Any], theme: str = "") -> str:
    """The page.

    Args:
        document: OpenAPI, as ``openapi.document`` makes it.
        theme: ``light`` or ``dark``; as the reader's system is if anything else.
    """
    info, schemas = document["info"], document["components"]["schemas"]
    links = " · ".join(f'<a href="#{name[1:]}">{name[1:]}</a>' for name in document["paths"])
    parts = [
        f'<!DOCTYPE html><html lang="en" data-theme="{escape(theme)}"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(info['title'])}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{escape(info['title'])} <small>{escape(info['version'])}</small></h1><p>{escape(info['description'])}</p>",
        f"<p>Server: <code>{escape(document['servers'][0]['url'])}</code></p><nav>{links}</nav>",
    ]
    for path, methods in document["paths"].items():
        parts += _action(path, methods, schemas, document["servers"][0]["url"])
    parts.append('<h2 id="errors">Errors</h2><table><tr><th>Status</th><th>Code</th><th>Meaning</th></tr>')
    for name, answer in document["components"]["responses"].items():
        for code, sample in answer["content"]["application/json"]["examples"].items():
            cells = (name.removeprefix("Error"), f"<code>{escape(code)}</code>", escape(sample["summary"]))
            parts.append(f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>")
    parts.append("</table></body></html>")
    return "\n".join(parts)


def _action(path: str, methods: dict[str, Any], schemas: dict[str, Any], server: str) -> list[str]:
    post = methods["post"]
    content = post["requestBody"]["content"]["application/json"]
    answer = post["responses"]["200"]["content"]["application/json"]["schema"]
    words = ", ".join(method.upper() for method in methods)
    return [
        f'<h2 id="{path[1:]}">{path[1:]}</h2>',
        f"<p>{words} <code>{escape(server + path)}</code> <small>({post['tags'][0]})</small></p>",
        f"<p>{escape(post['summary'])}</p><pre>{escape(json.dumps(content['example'], indent=2, ensure_ascii=False))}</pre>",
        "<h3>Request</h3>",
        *_fields(content["schema"], schemas, ""),
        "<h3>Answer</h3>",
        *_fields(answer, schemas, ""),
    ]


def _fields(schema: dict[str, Any], schemas: dict[str, Any], prefix: str) -> list[str]:
    return ["<table>", *_rows(schema, schemas, prefix, ()), "</table>"]


def _rows(schema: dict[str, Any], schemas: dict[str, Any], prefix: str, seen: tuple[str, ...]) -> list[str]:
    own = _resolved(schema, schemas)
    rows: list[str] = []
    for name, field in own.get("properties", {}).items():
        required = " <small>required</small>" if name in own.get("required", []) and not seen else ""
        text = escape(
            _resolved(field, schemas).get("description", "") if "$ref" in field else field.get("description", "")
        )
        cells = (f"<code>{escape(prefix + name)}</code>{required}", escape(_kind(field, schemas)), text)
        rows.append(f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>")
        for kind in (field, *field.get("anyOf", []), field.get("items", {})):
            target = str(kind.get("$ref", ""))
            if target and target not in seen and "properties" in _resolved(kind, schemas):
                dot = "[]." if kind is field.get("items") else "."
                rows += _rows(kind, schemas, f"{prefix}{name}{dot}", (*seen, target))
    return rows


def _resolved(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    target = str(schema.get("$ref", "")).rpartition("/")[2]
    found: dict[str, Any] = schemas.get(target, schema)
    return found


def _kind(field: dict[str, Any], schemas: dict[str, Any]) -> str:
    kinds = []
    for kind in field.get("anyOf", [field]):
        own = _resolved(kind, schemas)
        word = " | ".join(str(value) for value in own["enum"]) if "enum" in own else str(own.get("type", "any"))
        if word != "null" and word not in kinds:
            kinds.append(word)
    return " or ".join(kinds)
