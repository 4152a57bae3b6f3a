"""The inputs of a job form: a control for each kind of field, with its help and its error below it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ipywidgets import HTML, Button, Dropdown, GridBox, Layout, Text, Textarea, VBox
from pydantic import SecretStr

from ehpc_jupyter.errors import Problem
from ehpc_jupyter.models.values import Variable
from ehpc_jupyter.notebook.markup import html
from ehpc_jupyter.notebook.secret import SecretText

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ehpc_jupyter.notebook.fields import JobField

ERROR_STYLE = "color:var(--jp-error-color1,#d8453f)"
# display and line-height: a widget's own line is as high as a button, which tears a help of two lines apart.
_NOTE_STYLE = "display:block;line-height:1.3;overflow-wrap:anywhere"
HELP_STYLE = f"{_NOTE_STYLE};opacity:.75;font-size:.85em"
ALERT_STYLE = f"{_NOTE_STYLE};{ERROR_STYLE}"
#: Labels stand above their controls, also where the form is narrow. ipywidgets writes widths into the elements, hence
#: ``!important``.
FORM_STYLE = """<style>
.ehpc-field > .widget-inline-hbox { flex-direction: column; align-items: stretch; height: auto; }
.ehpc-field > .widget-inline-hbox > .widget-label {
  width: auto !important; height: auto; padding-left: 1px; line-height: 1.5; text-align: left;
}
.ehpc-field > .widget-inline-hbox > :not(.widget-label) { flex: none; }
.ehpc-field > .widget-inline-hbox > select { min-height: var(--jp-widgets-inline-height, 28px); }
.ehpc-form .widget-html, .ehpc-form .widget-html-content { height: auto; min-height: 0; line-height: 1.4; }
.ehpc-form .widget-html-content { flex: 1 1 100%; min-width: 0; }
.ehpc-bare > .widget-inline-hbox > .widget-label {
  position: absolute; width: 1px !important; height: 1px; overflow: hidden; clip-path: inset(50%);
}
.ehpc-form .ehpc-fold, .ehpc-form .ehpc-fold.mod-active {
  align-self: flex-start; max-width: 100%; padding: 0 8px 0 0; background: transparent; color: inherit; font-weight: 600;
}
.ehpc-form .ehpc-fold:hover { box-shadow: none; text-decoration: underline; }
.ehpc-form .widget-toggle-buttons .widget-toggle-button, .ehpc-form .widget-toggle-button { box-shadow: none; }
.ehpc-drawer {
  padding: 8px 12px; border: 1px solid var(--jp-border-color2, #8884); margin-top: 8px; border-radius: 2px;
}
.ehpc-form .ehpc-copy {
  width: 100%; box-sizing: border-box; padding: 6px 8px; border: 1px solid var(--jp-border-color1, #8888);
  background: transparent; color: inherit; resize: vertical; white-space: pre; overflow-wrap: normal; overflow-x: auto;
  font-family: var(--jp-code-font-family, monospace); font-size: var(--jp-code-font-size, 13px); line-height: 1.35;
}
.ehpc-drawer button.widget-button { width: auto; }
.ehpc-form select { background-image: none !important; appearance: auto; }
.ehpc-form pre { font-size: var(--jp-code-font-size, 13px); }
</style>"""
_VARIABLES_HELP = "Environment variables of the job, one NAME=value a line."


class FieldBox(VBox):  # type: ignore[misc]  # ipywidgets has no types
    """One field: its control, and a line that shows its help, or what is wrong with it.

    Args:
        field: what it is for.
        changed: called with this box whenever the user changes it.
    """

    def __init__(self, field: JobField, changed: Callable[[FieldBox], None]) -> None:
        self.field = field
        self._changed = changed
        self._quiet = False
        self._help = _VARIABLES_HELP if field.widget == "variables" else field.help
        self._notes: Mapping[str, str] = {}
        self.note = HTML(layout=Layout(margin="0 2px"))
        self.control = self._listen(self._make())
        super().__init__(
            [self.control, *self._forget_button(), self.note], layout=wide() if self.is_wide else Layout(width="auto")
        )
        self.add_class("ehpc-field")
        self.note.add_class("ehpc-note")
        self.show_help()

    @property
    def is_wide(self) -> bool:
        """Whether it takes a row of its own."""
        return self.field.widget == "code" or self.field.name == "command_line"

    def _make(self) -> Any:
        kind = self.field.widget
        if kind == "code":
            return Textarea(placeholder="#!/bin/bash\nhostname", rows=6, **self._options())
        if kind == "variables":
            return Textarea(placeholder="NAME=value", rows=2, **self._options())
        if kind in {"choice", "cluster"}:
            return self._dropdown(
                [("default" if kind == "choice" else "", ""), *((choice, choice) for choice in self.field.choices)], ""
            )
        if kind == "password":
            return SecretText(**self._options())
        return self._text("")

    def _text(self, value: str) -> Text:
        return Text(value=value, placeholder=self.field.example or "\u200b", **self._options())

    def _dropdown(self, choices: Sequence[tuple[str, str]], value: str) -> Dropdown:
        return Dropdown(options=choices, value=value, **self._options())

    def _options(self) -> dict[str, Any]:
        return {
            "description": self.field.title,
            "tooltip": self.field.help,
            "style": {"description_width": "initial"},
            "layout": Layout(width="auto"),
        }

    def _listen(self, control: Any) -> Any:
        control.observe(self._on_change, "placeholder" if isinstance(control, SecretText) else "value")
        return control

    def _forget_button(self) -> list[Button]:
        """A password's box is always empty, so emptying it takes a button."""
        if not isinstance(self.control, SecretText):
            return []
        button = Button(
            description="Forget the password", layout=Layout(width="auto", display="none", align_self="flex-end")
        )
        button.on_click(lambda _button: setattr(self.control, "secret", None))

        def show(_change: Any) -> None:
            button.layout.display = "none" if self.control.secret is None else ""

        self.control.observe(show, "placeholder")
        return [button]

    def _on_change(self, _change: Any) -> None:
        if not self._quiet:
            self._changed(self)

    # --- the value

    def read(self) -> tuple[Any, Sequence[Problem]]:
        """What the model is given, None if the field is empty; and what cannot be read of it."""
        if isinstance(self.control, SecretText):
            return self.control.secret, ()
        text: str = self.control.value
        if not text.strip():
            return None, ()
        if self.field.widget == "variables":
            return _variables(text, self.field.path)
        return text if self.field.widget == "code" else text.strip(), ()

    def fill(self, value: Any) -> None:
        """Put a value of the model in, without calling ``changed``."""
        self._quiet = True
        try:
            if isinstance(self.control, SecretText):
                self.control.secret = value if isinstance(value, SecretStr) else SecretStr(str(value))
                return
            text = _written(value) if self.field.widget == "variables" else str(value)
            if isinstance(self.control, Dropdown) and text not in {choice for _, choice in self.control.options}:
                self.control.options = [*self.control.options, (text, text)]
            self.control.value = text
        finally:
            self._quiet = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing is filled in."""
        return self.read() == (None, ())

    def clear(self) -> None:
        """Empty it, without calling ``changed``; a choice that cannot be empty stays."""
        if isinstance(self.control, SecretText):
            self.forget()
        elif not isinstance(self.control, Dropdown) or "" in {value for _, value in self.control.options}:
            self.fill("")

    def forget(self) -> None:
        """Empty a password box, without calling ``changed``."""
        self._quiet = True
        try:
            if isinstance(self.control, SecretText):
                self.control.secret = None
        finally:
            self._quiet = False

    def offer(self, choices: Sequence[tuple[str, str]], notes: Mapping[str, str] | None = None) -> None:
        """Let the user choose; what is chosen already stays a choice.

        Args:
            choices: labels with values; they need no help.
            notes: what is said below of each value.
        """
        now = self.control.value
        self._help, self._notes = "", notes or {}
        self.show_help()
        if now not in {value for _, value in choices}:
            choices = [*choices, (now, now)]
        self._quiet = True
        try:
            if isinstance(self.control, Dropdown):
                self.control.options = choices
                self.control.value = now
            else:
                self._replace(self._dropdown(choices, now))
        finally:
            self._quiet = False

    def free_text(self, reason: str) -> None:
        """Let the user type, because what there is to choose from is not known; the reason stands below."""
        if isinstance(self.control, Dropdown):
            self._replace(self._text(self.control.value))
        self._help, self._notes = reason, {}
        self.show_help()

    def _replace(self, control: Any) -> None:
        old, self.control = self.control, self._listen(control)
        self.children = [self.control, self.note]
        old.close()

    # --- the line below

    def show_help(self) -> None:
        """Show the field's help, or what is known of the value that is chosen."""
        words = self._notes.get(self.control.value, self._help) if self._notes else self._help
        self.note.value = html('<span style="{}">{}</span>', HELP_STYLE, words) if words else ""

    def show_error(self, words: str) -> None:
        """Show what is wrong instead of the help."""
        self.note.value = html('<span role="alert" style="{}">{}</span>', ALERT_STYLE, words)


class GroupBox(VBox):  # type: ignore[misc]
    """A field that holds others: its help or error above a grid of them, which becomes one column when narrow."""

    def __init__(self, field: JobField, members: Sequence[FieldBox]) -> None:
        self.field = field
        self.note = HTML()
        grid = GridBox(
            list(members),
            layout=columns("7em"),
        )
        super().__init__([self.note, grid], layout=wide())
        self.show_help()

    def show_help(self) -> None:
        """Show the group's help."""
        words = (self.field.title, HELP_STYLE, self.field.help)
        self.note.value = html('<strong>{}</strong><span style="{}">{}</span>', *words)

    def show_error(self, words: str) -> None:
        """Show what is wrong instead of the help."""
        title = html("<strong>{}</strong>", self.field.title)
        self.note.value = html('{}<span role="alert" style="{}">{}</span>', title, ALERT_STYLE, words)


def columns(narrowest: str) -> Layout:
    """A grid of as many columns as fit, at least one; ``narrowest`` is a CSS length."""
    template = f"repeat(auto-fit, minmax(min(100%, {narrowest}), 1fr))"
    return Layout(grid_template_columns=template, grid_gap=".5em 1em", width="auto")


def wide() -> Layout:
    """All columns of a grid."""
    # Not grid_column: a grid_area that is not set resets it.
    return Layout(width="auto", grid_area="auto / 1 / auto / -1")


def _variables(text: str, path: str) -> tuple[Any, list[Problem]]:
    if text.lstrip().startswith("["):
        return text, []  # JSON, as the API has it; the model reads it
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    found = [{"Name": name.strip(), "Value": value} for _, line in lines for name, _, value in [line.partition("=")]]
    faults = [Problem(path, f"line {n} is {line.strip()!r}; write NAME=value") for n, line in lines if "=" not in line]
    return (None if faults else found), faults


def _written(value: Any) -> str:
    """Variables, in any form that the model takes, as the user would type them."""
    if isinstance(value, dict):
        pairs = [(str(name), str(text)) for name, text in value.items()]
    elif isinstance(value, (list, tuple)) and all(isinstance(item, Variable) for item in value):
        pairs = [(item.name, item.value) for item in value]
    elif isinstance(value, str):
        return _written(_parsed(value)) if value.lstrip().startswith("[") and _parsed(value) is not None else value
    else:
        return json.dumps(value)
    if any("\n" in text or "\r" in text for _, text in pairs):
        return json.dumps([{"Name": name, "Value": text} for name, text in pairs], ensure_ascii=False)
    return "\n".join(f"{name}={text}" for name, text in pairs)


def _parsed(text: str) -> tuple[Variable, ...] | None:
    """Variables as the API writes them; None if that is not what it is."""
    try:
        return tuple(Variable.model_validate(item) for item in json.loads(text))
    except ValueError:
        return None
