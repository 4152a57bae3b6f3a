"""The environment of a job: the submitter's, as with ``sbatch --export=ALL``, without Jupyter's secrets."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from ehpc_jupyter.localq.indices import Array

_JUPYTER = (b"JUPYTER", b"JPY", b"CONFIGPROXY", b"EHPC_JUPYTER")
_SECRET = (b"TOKEN", b"PASSWORD", b"PASSWD", b"SECRET", b"COOKIE", b"CRYPT_KEY", b"API_KEY")
#: Those of a job that submits jobs: they say what this queue says anew for each task, or nothing.
_OURS = (b"EHPC_JOB_ID", b"EHPC_JOB_NAME", b"EHPC_ARRAY_TASK_ID", b"EHPC_CORES", b"EHPC_GPUS", b"EHPC_NODELIST")


def is_dropped(name: bytes, value: bytes) -> bool:
    """The rule, in one place, for variables that no job gets and that are never stored.

    A process that has Jupyter's token can run anything in its owner's name through the server. The inline backend of
    matplotlib is set by a kernel for itself; outside of one it shows nothing.
    """
    upper = name.upper()
    secret = any(word in upper for word in _JUPYTER) and any(word in upper for word in _SECRET)
    inline = name == b"MPLBACKEND" and b"inline" in value
    return secret or upper.startswith(b"JPY_") or inline or name in _OURS


def kept(environ: Mapping[bytes, bytes]) -> bytes:
    """What is stored: ``NAME=value`` joined by NUL, byte for byte."""
    return b"\0".join(name + b"=" + value for name, value in environ.items() if not is_dropped(name, value))


def marker(job: int) -> tuple[bytes, bytes]:
    """The variable, name and value, by which a process is known as one of a job."""
    return b"EHPC_JOB_ID", str(job).encode()


def of_task(job: sqlite3.Row, array: Array | None, index: int) -> dict[bytes, bytes]:
    """The environment a task's script runs in.

    Args:
        job: its row, ``gpu_ids`` too.
        array: None if the job is none; then there is no ``EHPC_ARRAY_TASK_ID``.
        index: the task's.
    """
    pairs = (entry.partition(b"=") for entry in (job["environment"] or b"").split(b"\0") if entry)
    found = {name: value for name, _, value in pairs}
    ours = {
        "EHPC_JOB_NAME": job["name"],
        "EHPC_CORES": str(job["cores"]),
        "EHPC_NODELIST": os.uname().nodename,
        "PWD": job["work_dir"],
    }
    if array:
        ours["EHPC_ARRAY_TASK_ID"] = str(array.number(index))
    if job["gpu_ids"]:
        ours |= {"EHPC_GPUS": str(job["gpus"]), "CUDA_VISIBLE_DEVICES": job["gpu_ids"]}
    found.update((name.encode(), value.encode()) for name, value in ours.items())
    found.update([marker(job["id"])])
    return found
