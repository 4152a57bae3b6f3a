"""Run cluster jobs from a notebook.

Importing this package imports nothing heavy: every name below is fetched at its first use. The embedded scheduler
(``python -m ehpc_jupyter.localq``) starts a process for every job and depends on that.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as type checkers read it; importing typing costs 10 ms

if TYPE_CHECKING:
    from typing import Any

    from IPython.core.interactiveshell import InteractiveShell

    from ehpc_jupyter.models.spec import JobSpec, Resources
    from ehpc_jupyter.notebook.client import Client
    from ehpc_jupyter.notebook.form import JobForm
    from ehpc_jupyter.notebook.job import Job, JobFailed
    from ehpc_jupyter.notebook.several import as_completed, wait

    __version__: str

__all__ = ["Client", "Job", "JobFailed", "JobForm", "JobSpec", "Resources", "__version__", "as_completed", "wait"]

_HOMES = {
    "Client": "ehpc_jupyter.notebook.client",
    "Job": "ehpc_jupyter.notebook.job",
    "JobFailed": "ehpc_jupyter.notebook.job",
    "JobForm": "ehpc_jupyter.notebook.form",
    "JobSpec": "ehpc_jupyter.models.spec",
    "Resources": "ehpc_jupyter.models.spec",
    "as_completed": "ehpc_jupyter.notebook.several",
    "wait": "ehpc_jupyter.notebook.several",
}


def __getattr__(name: str) -> Any:
    value: Any
    if name == "__version__":
        from importlib.metadata import PackageNotFoundError, version  # costs 20 ms

        try:
            value = version("ehpc-jupyter")
        except PackageNotFoundError:  # a source tree on the path, not installed
            value = "0+source"
    elif name in _HOMES:
        from importlib import import_module

        value = getattr(import_module(_HOMES[name]), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def load_ipython_extension(ipython: InteractiveShell) -> None:
    """``%load_ext ehpc_jupyter``: registers the ``%%ehpc`` cell magic and the ``%ehpc`` line magic."""
    from ehpc_jupyter.notebook.extension import register

    register(ipython)


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """What ``jupyter server extension enable ehpc_jupyter`` looks for."""
    from ehpc_jupyter.server.extension import EhpcExtension

    return [{"module": "ehpc_jupyter.server.extension", "app": EhpcExtension}]


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """What ``jupyter labextension develop`` looks for."""
    return [{"src": "labextension", "dest": "ehpc-jupyter"}]
