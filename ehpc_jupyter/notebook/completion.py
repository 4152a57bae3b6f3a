"""What may follow in a line of ``%%ehpc`` or ``%ehpc``: flags, and values where they are known and cheap to ask for."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from ehpc_jupyter.errors import EhpcError
from ehpc_jupyter.notebook.flags import field_of_flag, known_flags
from ehpc_jupyter.notebook.lines import COMMANDS
from ehpc_jupyter.notebook.words import quote

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ehpc_jupyter.notebook.client import Client

_JOBS = 30


def in_thread(work: Callable[[], None]) -> None:
    """Do work beside the kernel's own thread: nobody waits for a completion."""
    threading.Thread(target=work, name="ehpc-complete", daemon=True).start()


class Completer:
    """Completes lines.

    Args:
        client: who knows clusters, templates and jobs; these questions go to no cluster.
        names: the notebook's variables.
        spawn: how work is done beside the kernel's thread; for tests.
    """

    def __init__(
        self,
        client: Callable[[], Client],
        names: Mapping[str, Any],
        spawn: Callable[[Callable[[], None]], None] = in_thread,
    ) -> None:
        self._client = client
        self._names = names
        self._spawn = spawn
        self._queues: dict[str, list[str]] = {}

    def after(self, line: str) -> list[str]:
        """What may stand at the end of a line.

        Args:
            line: the line up to the word that is to be completed; that word is left out.
        """
        cell = line.lstrip().startswith("%%")
        before = line.replace("=", " ").split()
        last = before[-1] if before else ""
        if last.startswith("-"):
            found = self._values(last, before)
            if found is not None:
                return found
        if cell:
            return known_flags()
        if len(before) < 2:
            return [*COMMANDS]
        return self._words(before[1])

    def _values(self, flag: str, before: list[str]) -> list[str] | None:
        """The values of a flag; None where it takes none that are known."""
        if flag == "--cluster":
            return self._clusters()
        if flag in ("--template", "--delete"):
            return [quote(item.name) for item in self._ask(lambda: self._client().templates())]
        field = field_of_flag(flag)
        if field is None:
            return None
        if field.widget == "queue":
            at = before.index("--cluster") + 1 if "--cluster" in before else len(before)
            return self._known_queues(before[at] if at < len(before) else self._client().cluster)
        if field.widget == "variables":
            return [name for name, value in self._names.items() if _is_plain(name, value)]
        return list(field.choices) or None

    def _words(self, name: str) -> list[str]:
        command = COMMANDS.get(name)
        if command is None:
            return []
        options = ["--cluster", *(flag for flags, _ in command.options for flag in flags)]
        if command.takes == "cluster":
            return self._clusters()
        if command.takes == "flags":
            return known_flags()
        if command.takes in ("job", "jobs"):
            jobs = self._ask(lambda: self._client().jobs(limit=_JOBS))
            return [*(str(job.job_id) for job in jobs if job.job_id), *options]
        return options

    def _clusters(self) -> list[str]:
        return [item.cluster_id for item in self._ask(lambda: self._client().clusters())]

    def _known_queues(self, cluster: str) -> list[str]:
        """Queues are asked of the cluster itself, which may take its time: they are there at the next Tab."""
        if cluster not in self._queues:
            self._queues[cluster] = []

            def fetch() -> None:
                found = [queue.queue_name for queue in self._ask(lambda: self._client().queues(cluster))]
                if found:
                    self._queues[cluster] = found
                else:
                    self._queues.pop(cluster)

            self._spawn(fetch)
        return self._queues.get(cluster, [])

    @staticmethod
    def _ask(question: Callable[[], list[Any]]) -> list[Any]:
        try:
            return question()
        except EhpcError:
            return []  # a completion is no place for an error


def _is_plain(name: str, value: object) -> bool:
    return not name.startswith("_") and isinstance(value, (str, int, float)) and not isinstance(value, bool)
