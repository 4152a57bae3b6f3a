"""What this machine has to give away."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NamedTuple

from ehpc_jupyter.localq.settings import PREFIX, number

_CGROUPS = Path("/sys/fs/cgroup")


class Machine(NamedTuple):
    """Cores, memory (MB) and the ids of the GPUs."""

    cores: int
    memory_mb: int
    gpus: tuple[str, ...]


def machine() -> Machine:
    """This machine, as this process may use it. Raises Refused: a variable that overrides it is wrong."""
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    # A container or a login node's per-user slice may have less than the machine: affinity does not show it.
    for limit_cores, limit_memory in _cgroup_limits():
        cores = min(cores, limit_cores or cores)
        memory = min(memory, limit_memory or memory)
    return Machine(int(number("CORES", cores)), int(number("MEMORY_MB", memory // 1024**2)), _gpus())


def _cgroup_limits() -> list[tuple[int, int]]:
    """Cores and bytes that each cgroup (version 2) above this process grants; 0 where it sets no limit."""
    found = []
    try:
        own = next(x[3:] for x in Path("/proc/self/cgroup").read_text().splitlines() if x.startswith("0::"))
        group = _CGROUPS / own.lstrip("/")
        for folder in (group, *group.parents):
            if _CGROUPS not in (folder, *folder.parents):
                break
            quota, _, period = _word(folder / "cpu.max").partition(" ")
            memory = _word(folder / "memory.max")
            cores = max(1, int(quota) // int(period)) if quota.isdecimal() and period.isdecimal() else 0
            found.append((cores, int(memory) if memory.isdecimal() else 0))
    except (OSError, StopIteration):  # no cgroups of version 2 here
        pass
    return found


def _word(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def _gpus() -> tuple[str, ...]:
    text = os.environ.get(PREFIX + "GPUS", "").strip()
    if "," in text or text.startswith(("GPU-", "MIG-")):
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if text:
        return tuple(str(i) for i in range(int(number("GPUS", 0))))
    try:
        count = len(list(Path("/proc/driver/nvidia/gpus").iterdir()))
    except OSError:
        count = 0
    return tuple(str(i) for i in range(count))
