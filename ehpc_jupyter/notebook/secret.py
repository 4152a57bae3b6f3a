"""A text box for a password that no saved notebook can hold."""

from __future__ import annotations

from typing import Any

from ipywidgets import Password
from pydantic import SecretStr
from traitlets import Unicode

_KEPT = "kept in this kernel's memory; type to replace it"


class SecretText(Password):  # type: ignore[misc]  # ipywidgets has no types
    """A password box that is empty again as soon as the kernel has its text.

    JupyterLab saves the state of widgets with the notebook, and an HTML export embeds it; ipywidgets keeps a password
    there like any other text. Here the browser sends the text once, when the box is left; the kernel keeps it in memory
    and empties the box, so that neither the browser's model nor the kernel's has anything to save.
    """

    # to_json: whatever asks for this widget's state (saving, embedding, an update) is given the empty text.
    # echo_update: ipywidgets sends what a browser changed to all other browsers; not this.
    value = Unicode("").tag(sync=True, echo_update=False, to_json=lambda _value, _widget: "")

    def __init__(self, **options: Any) -> None:
        self._secret: SecretStr | None = None
        super().__init__(continuous_update=False, **options)
        self._empty_words: str = self.placeholder
        self.observe(self._take, "value")

    @property
    def secret(self) -> SecretStr | None:
        """What was typed; None if nothing was."""
        return self._secret

    @secret.setter
    def secret(self, value: SecretStr | None) -> None:
        self._secret = value
        self.placeholder = self._empty_words if value is None else _KEPT

    def _take(self, change: dict[str, Any]) -> None:
        if change["new"]:
            self.value = ""
            self.secret = SecretStr(change["new"])
