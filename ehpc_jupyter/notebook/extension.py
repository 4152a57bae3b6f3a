"""Registers the magics. Imports nothing heavy: ``%load_ext`` stays quick, the first use pays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import SimpleNamespace

    from IPython.core.interactiveshell import InteractiveShell

    from ehpc_jupyter.notebook.completion import Completer
    from ehpc_jupyter.notebook.magic import EhpcMagic


class _Used:
    """What the first use makes."""

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self._magic: EhpcMagic | None = None
        self._completer: Completer | None = None

    @property
    def magic(self) -> EhpcMagic:
        if self._magic is None:
            from ehpc_jupyter.notebook.magic import EhpcMagic

            self._magic = EhpcMagic(self._shell)
        return self._magic

    def complete(self, _shell: InteractiveShell, event: SimpleNamespace) -> list[str]:
        if self._completer is None:
            from ehpc_jupyter.notebook.completion import Completer

            self._completer = Completer(lambda: self.magic.client, self._shell.user_ns)
        line: str = getattr(event, "text_until_cursor", event.line)
        return self._completer.after(line.removesuffix(event.symbol))


def register(ipython: InteractiveShell) -> None:
    """Register ``%%ehpc`` and ``%ehpc``, and their completion."""
    from IPython.core.magic import no_var_expand

    used = _Used(ipython)

    @no_var_expand  # a job gets values of Python's where they are asked for, and $HOME in a flag is the cluster's
    def ehpc(line: str, cell: str | None = None) -> Any:
        """Run the cell as a job on a cluster; ``%%ehpc --help`` lists the flags, ``%ehpc`` the line commands."""
        return used.magic(line, cell)

    ipython.register_magic_function(ehpc, "line_cell", "ehpc")  # type: ignore[arg-type]
    if _give_body not in ipython.input_transformers_cleanup:
        ipython.input_transformers_cleanup.append(_give_body)
    for key in ("%%ehpc", "%ehpc"):
        ipython.set_hook("complete_command", used.complete, str_key=key)  # type: ignore[no-untyped-call]


def _give_body(lines: list[str]) -> list[str]:
    """IPython refuses a cell magic without a body before it is asked; ``%%ehpc --help`` needs none."""
    return [*lines, "\n"] if len(lines) == 1 and lines[0].split()[:1] == ["%%ehpc"] else lines
