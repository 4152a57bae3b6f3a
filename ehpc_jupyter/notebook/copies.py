"""A job as something to paste: a ``%%ehpc`` cell, or Python. Both run as they stand and ask for the same job. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from ehpc_jupyter.models.fields import JobField, fields_of, values_of
from ehpc_jupyter.notebook.flags import SCRIPT, flags_of
from ehpc_jupyter.notebook.words import quote

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ehpc_jupyter.models.actions import CreateJobRequest

_CLUSTER = "ClusterId"


def as_cell(request: CreateJobRequest) -> str:
    """A ``%%ehpc`` cell. A password is asked for when it runs."""
    words = ["%%ehpc"]
    script = ""
    for field, value in _given(request):
        flag = flags_of(field)[0]
        if field.path == SCRIPT:
            script = str(value)
        elif isinstance(value, SecretStr):
            words.append(flag)
        elif field.widget == "variables":
            words += [f"{flag} {quote(f'{item.name}={item.value}')}" for item in value]
        else:
            text = quote(str(value))
            words.append(f"{flag}={text}" if str(value).startswith("-") else f"{flag} {text}")
    return " ".join(words) + "\n" + script


def as_python(request: CreateJobRequest) -> str:
    """Lines of Python that submit the job and show it. A password is asked for when they run."""
    given = [(field, value) for field, value in _given(request) if field.path != _CLUSTER]
    lines = ["from ehpc_jupyter import Client"]
    if any(isinstance(value, SecretStr) for _, value in given):
        lines.insert(0, "from getpass import getpass")
    arguments = "".join(f"    {field.name}={_literal(field, value)},\n" for field, value in given)
    return "\n".join([*lines, "", f"job = Client({_text(request.cluster_id)}).submit(\n{arguments})", "job", ""])


def _given(request: CreateJobRequest) -> Iterator[tuple[JobField, Any]]:
    """The fields that hold something, in the model's order."""
    values = values_of(request, "")
    for field in fields_of(type(request)):
        if field.path in values and field.group != "hidden":
            yield field, values[field.path]


def _literal(field: JobField, value: Any) -> str:
    if isinstance(value, SecretStr):
        return f"getpass({_text(f'{field.title}: ')})"
    if field.widget == "variables":
        return "{" + ", ".join(f"{_text(item.name)}: {_text(item.value)}" for item in value) + "}"
    return repr(value) if isinstance(value, int) else _text(str(value))


def _text(text: str) -> str:
    """A text as a Python literal; one of several lines stands in lines of its own, if every other character can be seen."""
    lines = text.split("\n")
    if len(lines) < 2 or not all(line.replace("\t", "").isprintable() for line in lines):
        plain = text.isprintable() and "\\" not in text and '"' not in text
        return f'"{text}"' if plain else repr(text)
    inner = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    if inner.endswith('"'):
        inner = f'{inner[:-1]}\\"'
    return f'"""\\\n{inner}"""'
