"""The cluster that this notebook works with unless told otherwise; ``%ehpc use NAME`` sets it."""

from __future__ import annotations

from ehpc_jupyter.models.common import DEFAULT_CLUSTER

_CHOSEN = [DEFAULT_CLUSTER]


def default_cluster() -> str:
    """What ``Client()``, ``JobForm()`` and ``%%ehpc`` take when no cluster is named; ``local`` at first."""
    return _CHOSEN[0]


def use_cluster(name: str) -> None:
    """Take this one from now on, in this kernel. Whether it exists is not looked at."""
    _CHOSEN[0] = name
