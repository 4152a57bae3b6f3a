"""The fields of a job as the model declares them, flat: what form, magic and ``Client.submit`` are derived from.

A field added to the model appears in all three without an edit here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from ehpc_jupyter.models.actions import CreateJobRequest
from ehpc_jupyter.models.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ehpc_jupyter.models.spec import JobSpec

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


def values_of(spec: JobSpec, prefix: str = "JobSpec.") -> dict[str, Any]:
    """The values that a specification holds, by wire path; nested models are taken apart."""
    found: dict[str, Any] = {}

    def look(model: BaseModel, path: str) -> None:
        for name, info in type(model).model_fields.items():
            value = getattr(model, name)
            if isinstance(value, BaseModel):
                look(value, f"{path}{info.alias or name}.")
            elif value is not None:
                found[path + (info.alias or name)] = value

    look(spec, prefix)
    return found


def values_from_keywords(
    keywords: Mapping[str, Any], caller: str, request: type[CreateJobRequest] = CreateJobRequest
) -> dict[str, Any]:
    """Keywords such as ``wall_time="1:00:00", nodes=2, resources=Resources(cores=4)`` as values by wire path.

    ``None`` means "not given".

    Raises:
        TypeError: a keyword is no field of a job; the message names the nearest one.
    """
    by_name = {field.name: field for field in fields_of(request)}
    values: dict[str, Any] = {}
    for name, value in keywords.items():
        field = by_name.get(name)
        if field is None:
            raise TypeError(f"{caller}() got an unexpected keyword {name!r}{did_you_mean(name, by_name)}")
        if value is None:
            continue
        if not field.is_group:
            values[field.path] = value
        elif isinstance(value, BaseModel):
            for path, part in values_of(value, f"{field.path}.").items():  # type: ignore[arg-type]
                values.setdefault(path, part)
        elif isinstance(value, dict):
            values.update(_parts(field, value, by_name))
        else:
            raise TypeError(f"{caller}() takes {name} as a dict or a model, not as {type(value).__name__}")
    return values


def _parts(group: JobField, value: Mapping[str, Any], by_name: Mapping[str, JobField]) -> dict[str, Any]:
    """A group given as a dictionary, with Python or wire names; an unknown name is left for the model to refuse."""
    return {
        by_name[name].path if name in by_name else f"{group.path}.{name}": part
        for name, part in value.items()
        if part is not None
    }
