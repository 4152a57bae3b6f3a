"""Registers the magics. Imports nothing heavy: ``%load_ext`` stays quick, the first use pays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import SimpleNamespace

    from IPython.core.interactiveshell import InteractiveShell

    from ehpc_jupyter.notebook.magic import EhpcMagic


def register(ipython: InteractiveShell) -> None:
    """Register ``%%ehpc`` and ``%ehpc``, and the completion of their flags."""
    made: list[EhpcMagic] = []

    def ehpc(line: str, cell: str | None = None) -> Any:
        """Run the cell as a job on a cluster; ``%%ehpc --help`` lists the flags, ``%ehpc`` the line commands."""
        from ehpc_jupyter.notebook.magic import EhpcMagic

        if not made:
            made.append(EhpcMagic(ipython))
        return made[0](line, cell)

    ipython.register_magic_function(ehpc, "line_cell", "ehpc")  # type: ignore[arg-type]
    if _give_body not in ipython.input_transformers_cleanup:
        ipython.input_transformers_cleanup.append(_give_body)
    for key in ("%%ehpc", "%ehpc"):
        ipython.set_hook("complete_command", _complete, str_key=key)  # type: ignore[no-untyped-call]


def _give_body(lines: list[str]) -> list[str]:
    """IPython refuses a cell magic without a body before it is asked; ``%%ehpc --help`` needs none."""
    return [*lines, "\n"] if len(lines) == 1 and lines[0].split()[:1] == ["%%ehpc"] else lines


def _complete(_shell: InteractiveShell, event: SimpleNamespace) -> list[str]:
    from ehpc_jupyter.notebook.magic import completions

    return completions(event.line)
