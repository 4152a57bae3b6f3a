"""What a form opens below its buttons: what the cluster would say, the job as something to paste, templates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ipywidgets import HTML, Button, Dropdown, HBox, Layout, Text, ToggleButtons, VBox

from ehpc_jupyter.errors import EhpcError, InternalError
from ehpc_jupyter.notebook import copies
from ehpc_jupyter.notebook.inputs import ALERT_STYLE, HELP_STYLE
from ehpc_jupyter.notebook.markup import html

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ehpc_jupyter.models.actions import CreateJobRequest, Template
    from ehpc_jupyter.notebook.client import Client

    Spawn = Callable[[Callable[[], None]], None]

_ROW = {"flex_flow": "row wrap", "align_items": "flex-end", "grid_gap": ".4em 1em"}
#: Copies without the asynchronous clipboard, which browsers keep from pages that are not served by HTTPS.
_COPY = (
    "const area = this.parentElement.querySelector('textarea'); area.focus(); area.select();"
    "if (document.execCommand('copy')) { this.textContent = 'Copied'; }"
)


class Drawer(VBox):  # type: ignore[misc]  # ipywidgets has no types
    """A part that is shown or not."""

    def __init__(self, children: list[Any]) -> None:
        super().__init__(children, layout=Layout(display="none", width="auto"))
        self.add_class("ehpc-drawer")

    @property
    def is_open(self) -> bool:
        """Whether it is shown."""
        return bool(self.layout.display is None)

    def show(self, is_open: bool) -> None:
        """Show it, or not."""
        self.layout.display = None if is_open else "none"


class CopyDrawer(Drawer):
    """The job as a ``%%ehpc`` cell or as Python, in a text area with a button that copies it."""

    def __init__(self) -> None:
        self._request: CreateJobRequest | None = None
        self.kind = ToggleButtons(
            options=[("%%ehpc cell", copies.as_cell), ("Python", copies.as_python)],
            index=0,
            style={"button_width": "auto"},
        )
        self.area = HTML(layout=Layout(width="auto"))
        super().__init__([self.kind, self.area])
        self.kind.observe(lambda _change: self._write(), "value")

    def offer(self, request: CreateJobRequest | None) -> None:
        """What is to be copied; None while there is nothing that would run."""
        self._request = request
        self._write()

    def show(self, is_open: bool) -> None:
        """See ``Drawer``."""
        super().show(is_open)
        self._write()

    def _write(self) -> None:
        if not self.is_open:
            return
        if self._request is None:
            self.area.value = html('<span style="{}">Something above is wrong or missing yet.</span>', HELP_STYLE)
            return
        text = self.kind.value(self._request)
        rows = min(max(text.count("\n") + 1, 3), 20)
        self.area.value = html(
            # A line end right after the tag is not part of the text.
            '<textarea class="ehpc-copy" rows="{}" spellcheck="false" aria-label="The job, to be pasted into a cell">'
            '\n{}</textarea><button type="button" class="jupyter-button widget-button" onclick="{}">Copy</button>',
            *(rows, text, _COPY),
        )


class TemplateDrawer(Drawer):
    """Templates: load, save, delete.

    Args:
        client: who keeps them.
        spawn: how work is done beside the kernel's thread.
        fields: what the form says, by wire path, as text.
        fill: puts a template into the form.
        refused: shows what is wrong with fields; returns the words for what has no place there.
    """

    def __init__(
        self,
        client: Client,
        spawn: Spawn,
        fields: Callable[[], Mapping[str, str]],
        fill: Callable[[Template], None],
        refused: Callable[[EhpcError], list[str]],
    ) -> None:
        self._client = client
        self._spawn = spawn
        self._fields = fields
        self._fill = fill
        self._refused = refused
        self._sure = ""
        wide = Layout(flex="1 1 14em", width="auto", max_width="28em")
        style = {"description_width": "initial"}
        self.choice = Dropdown(description="Saved templates", options=[("none yet", "")], layout=wide, style=style)
        self.name = Text(description="Save as", placeholder="a name", layout=wide, style=style)
        self.load_button = self._button("Load", "Fill the form in; what is in it now is replaced", self._load)
        self.delete_button = self._button("Delete", "Forget the template", self._delete)
        self.save_button = self._button("Save", "Keep what the form says, without a password", self._save)
        self.note = HTML()
        rows = [[self.choice, self.load_button, self.delete_button], [self.name, self.save_button]]
        for box in (self.choice, self.name):
            box.add_class("ehpc-field")
        super().__init__([*(HBox(row, layout=Layout(**_ROW)) for row in rows), self.note])
        self.choice.observe(self._chosen, "value")
        self._enable()

    def _button(self, label: str, help_text: str, work: Callable[[], str]) -> Button:
        button = Button(description=label, tooltip=help_text, layout=Layout(width="auto"))
        button.on_click(lambda _button: self._spawn(lambda: self._do(work)))
        return button

    def _do(self, work: Callable[[], str]) -> None:
        try:
            self._say(work())
        except EhpcError as error:
            self._say("; ".join(self._refused(error)), wrong=True)
        except Exception as error:  # noqa: BLE001 - a thread has nobody to raise to
            self._say(InternalError(f"{type(error).__name__}: {error}").message, wrong=True)

    def _say(self, words: str, *, wrong: bool = False) -> None:
        role, style = ("alert", ALERT_STYLE) if wrong else ("status", HELP_STYLE)
        self.note.value = html('<span role="{}" style="{}">{}</span>', role, style, words) if words else ""

    def show(self, is_open: bool) -> None:
        """See ``Drawer``. What is saved is asked for again: another notebook may have saved one."""
        super().show(is_open)
        if is_open:
            self._spawn(lambda: self._do(self._list))

    def _list(self, chosen: str | None = None) -> str:
        names = [template.name for template in self._client.templates()]
        now = chosen if chosen is not None else self.choice.value
        self.choice.options = [(name, name) for name in names] or [("none yet", "")]
        self.choice.value = now if now in names else (names[0] if names else "")
        self._enable()
        return ""

    def _chosen(self, _change: Any) -> None:
        self._calm()
        self._enable()

    def _calm(self) -> None:
        self._sure, self.delete_button.description = "", "Delete"

    def _enable(self) -> None:
        for button in (self.load_button, self.delete_button):
            button.disabled = not self.choice.value

    def _load(self) -> str:
        template = self._client.template(self.choice.value)
        self._fill(template)
        self.name.value = template.name
        return f"Loaded {template.name}."

    def _save(self) -> str:
        name = self.name.value.strip()
        replaced = name in {template.name for template in self._client.templates()}
        self._client.save_template(name, self._fields())
        self._list(name)
        return f"Saved {name}{', in place of the one of that name' if replaced else ''}."

    def _delete(self) -> str:
        name = self.choice.value
        if self._sure != name:  # one click too many must not cost a template
            self._sure, self.delete_button.description = name, "Really delete?"
            return ""
        self._client.delete_template(name)
        self._calm()
        self._list()
        return f"Deleted {name}."
