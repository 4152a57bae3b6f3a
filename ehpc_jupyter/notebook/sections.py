"""A form's fields as widgets: what most people need is open, the rest folded, and one of two ways to say what runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ipywidgets import GridBox, Layout, ToggleButton, ToggleButtons, VBox

from ehpc_jupyter.notebook.inputs import FieldBox, GroupBox, columns, wide

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ehpc_jupyter.notebook.fields import JobField

_TITLES = {"resources": "Resources", "output": "Output files", "more": "More"}
#: At most two beside each other.
_COLUMN = "max(16em, 34%)"
_OPEN = ("command", "resources")
_ORDER = (*_OPEN, "output", "more")
#: Two ways to say what runs; a job has one of them.
_ALTERNATIVES = ("JobSpec.Script", "JobSpec.CommandLine")
#: Where first: a queue's limits are known before anything is asked for.
_FIRST = ("cluster", "queue")


class WhatRuns(VBox):  # type: ignore[misc]  # ipywidgets has no types
    """Several fields of which one is used; what was typed into another one stays.

    Args:
        boxes: the fields.
        changed: called when another one is chosen.
    """

    def __init__(self, boxes: Sequence[FieldBox], changed: Callable[[], None]) -> None:
        self._boxes = {box.field.path: box for box in boxes}
        self.choice = ToggleButtons(
            options=[(box.field.title, box.field.path) for box in boxes],
            value=boxes[0].field.path,
            tooltips=[box.field.help for box in boxes],
            style={"button_width": "auto"},
        )
        super().__init__([self.choice, *boxes], layout=wide())
        for box in boxes:
            box.add_class("ehpc-bare")
        self._changed = changed
        self._show()
        self.choice.observe(self._chosen, "value")

    def _chosen(self, _change: Any) -> None:
        self._show()
        self._changed()

    def _show(self) -> None:
        for path, box in self._boxes.items():
            box.layout.display = None if path == self.choice.value else "none"

    @property
    def used(self) -> str:
        """The path of the field that is used."""
        path: str = self.choice.value
        return path

    def use(self, path: str) -> None:
        """Use that field, if it is one of these."""
        if path in self._boxes:
            self.choice.value = path

    @property
    def unused(self) -> set[str]:
        """The paths of the others."""
        return self._boxes.keys() - {self.used}


class Folded(VBox):  # type: ignore[misc]
    """A part that opens below its title. The title is a button: an accordion's cannot be reached by the keyboard.

    Args:
        title: its title.
        content: what is folded.
    """

    def __init__(self, title: str, content: Any) -> None:
        self._content = content
        self.head = ToggleButton(description=title, layout=Layout(width="auto"))
        self.head.add_class("ehpc-fold")
        super().__init__([self.head, content], layout=Layout(width="auto"))
        self._show()
        self.head.observe(self._show, "value")

    def _show(self, _change: Any = None) -> None:
        self.head.icon = "caret-down" if self.head.value else "caret-right"
        self._content.layout.display = None if self.head.value else "none"

    @property
    def is_open(self) -> bool:
        """Whether it is open."""
        return bool(self.head.value)

    def unfold(self) -> None:
        """Open it."""
        self.head.value = True


class Sections:
    """All fields of a form.

    Args:
        fields: what there is, in the model's order.
        changed: called with the box whenever the user changes it; None when another alternative is chosen.

    Attributes:
        boxes: the inputs, by wire path.
        groups: the headings over inputs, by wire path.
        parts: the widgets to show, in their order.
    """

    def __init__(self, fields: Sequence[JobField], changed: Callable[[FieldBox | None], None]) -> None:
        self._changed = changed
        self.boxes: dict[str, FieldBox] = {}
        self.groups: dict[str, GroupBox] = {}
        self._what_runs: WhatRuns | None = None
        self._members = {
            field.path: [f for f in fields if f.path.startswith(f"{field.path}.")] for field in fields if field.is_group
        }
        inside = {member.path for members in self._members.values() for member in members}
        tops = [field for field in fields if field.path not in inside]
        groups = dict.fromkeys(field.group for field in fields)
        folded = [name for name in (*_ORDER, *groups) if name in groups and name not in _OPEN]
        always = sorted((f for f in tops if f.group in _OPEN), key=_rank)
        grid = GridBox(self._widgets(always), layout=columns(_COLUMN))
        grid.layout.margin = "0 0 .5em"
        self._folded: dict[str, Folded] = {}
        for name in dict.fromkeys(folded):
            inner = GridBox(self._widgets([f for f in tops if f.group == name]), layout=columns(_COLUMN))
            self._folded[name] = Folded(_title(name), inner)
        self.parts: list[Any] = [grid, *self._folded.values()]

    def _widgets(self, fields: Sequence[JobField]) -> list[Any]:
        pair = [field for field in fields if field.path in _ALTERNATIVES]
        found: list[Any] = []
        for field in fields:
            if field in pair and len(pair) > 1:
                if field is pair[0]:
                    boxes = [self._box(one) for one in pair]
                    self._what_runs = WhatRuns(boxes, lambda: self._changed(None))
                    found.append(self._what_runs)
            elif field.is_group:
                self.groups[field.path] = GroupBox(field, [self._box(one) for one in self._members[field.path]])
                found.append(self.groups[field.path])
            else:
                found.append(self._box(field))
        return found

    def _box(self, field: JobField) -> FieldBox:
        self.boxes[field.path] = FieldBox(field, self._changed)
        return self.boxes[field.path]

    def in_use(self) -> dict[str, FieldBox]:
        """The inputs that count: those of unused alternatives do not."""
        unused = self._what_runs.unused if self._what_runs else set()
        return {path: box for path, box in self.boxes.items() if path not in unused}

    def use(self, paths: Mapping[str, Any]) -> None:
        """Choose the alternative that is among these."""
        for path in _ALTERNATIVES:
            if self._what_runs and path in paths:
                self._what_runs.use(path)

    def home_of(self, path: str) -> str | None:
        """The path of the input or heading where a problem of that path is shown; None if there is none."""
        if self._what_runs and path in self._what_runs.unused:
            return self._what_runs.used
        while path and path not in self.boxes and path not in self.groups:
            path = path.rpartition(".")[0]
        return path or None

    def place(self, path: str) -> FieldBox | GroupBox:
        """The input or heading of that path."""
        return self.boxes.get(path) or self.groups[path]

    def unfold(self, path: str) -> None:
        """Open the part that holds it."""
        group = self.place(path).field.group
        if group in self._folded:
            self._folded[group].unfold()

    def is_folded(self, group: str) -> bool:
        """Whether a part is there and closed."""
        return group in self._folded and not self._folded[group].is_open

    def tell_what_is_folded(self) -> None:
        """Name in the title of each folded part which of its fields are filled in."""
        for group, part in self._folded.items():
            filled = [box.field.title for box in self.boxes.values() if box.field.group == group and not box.is_empty]
            part.head.description = f"{_title(group)}: {', '.join(filled)}" if filled else _title(group)


def _rank(field: JobField) -> int:
    if field.widget in _FIRST:
        return _FIRST.index(field.widget)
    return len(_FIRST) + (field.path not in _ALTERNATIVES)


def _title(group: str) -> str:
    return _TITLES.get(group, group.capitalize())
