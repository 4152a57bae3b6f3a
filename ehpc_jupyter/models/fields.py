"""The fields of a job as the model declares them, flat: what form, magic, templates and ``Client.submit`` are derived from.

A field added to the model appears in all of them without an edit here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from ehpc_jupyter.models.job_actions import CreateJobRequest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: Names by which people call a request's own fields, beside the model's.
SHORT_NAMES = {"cluster_id": "cluster", "job_name": "name"}


@dataclass(frozen=True)
class JobField:
    """One field of a job.

    Attributes:
        name: the Python name, or the short name that people use for it: ``wall_time``, ``nodes``, ``cluster``.
        path: its wire path, as problems name it: ``JobSpec.Resources.Nodes``.
        title: its label.
        help: its docstring, one line.
        example: a value as one would type it; empty if the model has none.
        group: the part of a form that shows it; ``hidden`` is shown nowhere.
        widget: how a form shows it: text, number, code, queue, cluster, choice, variables, path, password or group.
        choices: what can be chosen, for ``choice``.
    """

    name: str
    path: str
    title: str
    help: str
    example: str
    group: str
    widget: str
    choices: tuple[str, ...] = ()

    @property
    def is_group(self) -> bool:
        """Whether it is only a heading over fields of its own, which follow it."""
        return self.widget == "group"


def fields_of(request: type[CreateJobRequest] = CreateJobRequest) -> tuple[JobField, ...]:
    """All fields of a job, in the model's order; a nested model's fields follow it."""
    return tuple(_walk(request, ""))


def _walk(model: type[BaseModel], prefix: str) -> Iterator[JobField]:
    schema = model.model_json_schema()["properties"]
    for name, info in model.model_fields.items():
        alias = info.alias or name
        entry: dict[str, Any] = schema[alias]
        inner = nested_model(info.annotation)
        shown = entry.get("x-ehpc") or ({} if inner is None else None)
        if shown is not None:
            yield JobField(
                name=SHORT_NAMES.get(name, name),
                path=prefix + alias,
                title=str(entry.get("title", alias)),
                help=" ".join(str(entry.get("description", "")).replace("`", "").split()),
                example=_example(entry),
                group=str(shown.get("group", "more")),
                widget=str(shown.get("widget", "text")),
                choices=tuple(str(choice) for choice in shown.get("choices", ())),
            )
        if inner is not None and (shown is None or shown.get("widget") == "group"):
            yield from _walk(inner, f"{prefix}{alias}.")


def nested_model(annotation: Any) -> type[BaseModel] | None:
    """The model inside ``Model``, ``Model | None`` or ``Annotated[Model, …]``."""
    for candidate in (annotation, *getattr(annotation, "__args__", ())):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None


def _example(entry: Mapping[str, Any]) -> str:
    for place in (entry, *entry.get("anyOf", ())):
        for example in place.get("examples", ()):
            return str(example)
    return ""


def body_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values by wire path as the nested dictionary that the request is read from.

    ``JobSpec`` is always there, so that a job with nothing in it is told what it lacks and not that ``JobSpec`` is
    missing.
    """
    body: dict[str, Any] = {"JobSpec": {}}
    for path, value in values.items():
        *parents, last = path.split(".")
        place = body
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = value
    return body


def values_of(model: BaseModel, prefix: str = "JobSpec.") -> dict[str, Any]:
    """The values that a model holds, by wire path below ``prefix``; nested models are taken apart."""
    found: dict[str, Any] = {}
    for name, info in type(model).model_fields.items():
        value, path = getattr(model, name), prefix + (info.alias or name)
        if isinstance(value, BaseModel):
            found |= values_of(value, f"{path}.")
        elif value is not None:
            found[path] = value
    return found


def texts_of(request: CreateJobRequest) -> dict[str, str]:
    """What a request says, by wire path, each value as text in its field's one written form; no secret is in it."""
    return dict(_texts(request.to_wire(), ""))


def _texts(body: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for name, value in body.items():
        if isinstance(value, dict):
            yield from _texts(value, f"{prefix}{name}.")
        else:
            yield prefix + name, str(value)
