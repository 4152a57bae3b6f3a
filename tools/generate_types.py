"""Write the TypeScript types of the API from its pydantic models; ``--check`` only compares.

The one source is ``ehpc_jupyter.models``; what is written is committed, and a difference fails the build.
"""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pydantic.json_schema import models_json_schema

from ehpc_jupyter.models import actions

if TYPE_CHECKING:
    from pydantic import BaseModel

TARGET = Path(__file__).resolve().parent.parent / "labextension" / "src" / "generated" / "api.ts"
HEAD = "// Generated from ehpc_jupyter/models by tools/generate_types.py; do not edit.\n\n"
SCALARS = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}


def action_names() -> list[str]:
    """Every action with a request and a response model, in the order the models stand."""
    ends = [name.removesuffix("Request") for name in vars(actions) if name.endswith("Request")]
    return [name for name in ends if hasattr(actions, f"{name}Response")]


def type_name(key: str) -> str:
    """The name of a definition; pydantic writes ``Name-Input`` where a model differs by direction."""
    return key.replace("-", "")


def literal(value: object) -> str:
    """A JSON scalar as TypeScript; strings in the quotes that the linter wants."""
    return f"'{value}'" if isinstance(value, str) else str(value).lower()


def type_of(schema: dict[str, Any]) -> str:
    """The TypeScript type of a JSON schema; ``null`` is dropped, because absence is said by ``?``."""
    if "$ref" in schema:
        return type_name(str(schema["$ref"]).rsplit("/", 1)[-1])
    if "const" in schema:
        return literal(schema["const"])
    if "enum" in schema:
        return " | ".join(literal(value) for value in schema["enum"])
    if "anyOf" in schema:
        kinds = [type_of(one) for one in schema["anyOf"] if one.get("type") != "null"]
        return " | ".join(dict.fromkeys(kinds))
    kind = schema.get("type")
    if kind == "array":
        item = type_of(schema.get("items", {}))
        return f"({item})[]" if " " in item else f"{item}[]"
    if kind == "object":
        values = schema.get("additionalProperties")
        return f"Record<string, {type_of(values) if isinstance(values, dict) else 'unknown'}>"
    return SCALARS.get(str(kind), "unknown")


def comment(schema: dict[str, Any], indent: str) -> str:
    """The description as a doc comment."""
    text = " ".join(str(schema.get("description", "")).replace("``", "`").replace("*/", "* /").split())
    if not text:
        return ""
    lines = textwrap.wrap(text, 88 - len(indent))
    if len(lines) == 1:
        return f"{indent}/** {text} */\n"
    return f"{indent}/**\n" + "".join(f"{indent} * {line}\n" for line in lines) + f"{indent} */\n"


def declaration(name: str, schema: dict[str, Any]) -> str:
    """One exported interface, or a union for an enumeration."""
    head = comment(schema, "")
    if schema.get("type") != "object":
        members = [literal(value) for value in schema["enum"]]
        return f"{head}export type {name} =\n  | " + "\n  | ".join(members) + ";\n"
    required = set(schema.get("required", ()))
    body = ""
    for field, part in schema.get("properties", {}).items():
        nullable = any(one.get("type") == "null" for one in part.get("anyOf", ()))
        mark = "?" if nullable or field not in required else ""
        body += f"{comment(part, '  ')}  {field}{mark}: {type_of(part)};\n"
    return f"{head}export interface {name} {{\n{body}}}\n"


def generate() -> str:
    """The whole file."""
    names = action_names()
    models: list[tuple[type[BaseModel], Any]] = []
    for name in names:
        models.append((getattr(actions, f"{name}Request"), "validation"))
        models.append((getattr(actions, f"{name}Response"), "serialization"))
    _, schema = models_json_schema(models, by_alias=True)
    parts = [declaration(type_name(name), part) for name, part in sorted(schema["$defs"].items())]
    rows = "".join(f"  {name}: {{ request: {name}Request; response: {name}Response }};\n" for name in names)
    parts.append(f"/** Every action with what goes in and what comes out. */\nexport interface Actions {{\n{rows}}}\n")
    return HEAD + "\n".join(parts)


def main() -> int:
    """Write the file, or compare it: 1 when it differs."""
    text = generate()
    if "--check" in sys.argv[1:]:
        if TARGET.is_file() and TARGET.read_text(encoding="utf-8") == text:
            return 0
        print(f"{TARGET.name} differs from the models: run tools/generate_types.py", file=sys.stderr)
        return 1
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
