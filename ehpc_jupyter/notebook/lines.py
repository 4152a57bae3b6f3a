"""``%ehpc``: small commands in one line."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from ehpc_jupyter.models.suggest import did_you_mean
from ehpc_jupyter.notebook.default import use_cluster
from ehpc_jupyter.notebook.flags import FlagError, split
from ehpc_jupyter.notebook.logs import Follower

if TYPE_CHECKING:
    from collections.abc import Callable

    from ehpc_jupyter.notebook.magic import EhpcMagic
    from ehpc_jupyter.notebook.outcomes import Outcomes


@dataclass(frozen=True)
class Command:
    """A line command.

    Attributes:
        usage: how it is written, without ``%ehpc``.
        help: what it does.
        options: its options, each with what ``argparse`` is told.
        takes: what its words are: ``nothing``, ``jobs``, ``job``, ``cluster`` or ``flags`` of a cell.
    """

    usage: str
    help: str
    options: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = ()
    takes: str = "nothing"


_SWITCH: dict[str, Any] = {"action": "store_true"}
COMMANDS = {
    "jobs": Command(
        "jobs", "the jobs known here, newest first; --active: those that have not ended", ((("--active",), _SWITCH),)
    ),
    "logs": Command(
        "logs [-f] JOB",
        "a job's output so far; -f: as it comes, until the job ends; --stderr: its other output",
        ((("-f", "--follow"), _SWITCH), (("--stderr",), _SWITCH)),
        "job",
    ),
    "stop": Command("stop JOB ...", "stop jobs", takes="jobs"),
    "hold": Command("hold JOB ...", "keep jobs that wait from starting", takes="jobs"),
    "release": Command("release JOB ...", "let held jobs start again", takes="jobs"),
    "rerun": Command("rerun JOB ...", "submit jobs that ended once more", takes="jobs"),
    "check": Command("check FLAGS", "what the cluster would say to %%ehpc FLAGS without a cell", takes="flags"),
    "queues": Command("queues", "the cluster's queues, their limits and what is free"),
    "clusters": Command("clusters", "the clusters configured here"),
    "templates": Command("templates", "the saved templates; --delete NAME", ((("--delete",), {"metavar": "NAME"}),)),
    "use": Command("use CLUSTER", "the cluster of this notebook from now on", takes="cluster"),
}
_HELP_END = """\
JOB is a job's id, or a variable that holds a job. Each takes --cluster NAME. %%ehpc --help tells how to run a cell.
"""


def help_text() -> str:
    """What ``%ehpc help`` shows."""
    width = max(len(command.usage) for command in COMMANDS.values())
    rows = (f"%ehpc {command.usage:<{width}}  {command.help}\n" for command in COMMANDS.values())
    return "".join(rows) + _HELP_END


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise FlagError(f"%ehpc: {message}")


class Lines:
    """The line commands.

    Args:
        magic: the magic that they belong to.
    """

    def __init__(self, magic: EhpcMagic) -> None:
        self._magic = magic

    def run(self, line: str) -> Any:
        """Carry a line out. Returns what the cell shows. Raises FlagError, EhpcError."""
        name, *rest = split(line) or ["help"]
        if name in ("help", "--help"):
            sys.stdout.write(help_text())
            return None
        if name not in COMMANDS:
            raise FlagError(f"there is no %ehpc {name}{did_you_mean(name, COMMANDS)}")
        command = COMMANDS[name]
        if command.takes == "flags":
            return self._magic.run(f"--dry-run {line.split(name, 1)[1]}", "")
        parser = _Parser(prog="%ehpc", add_help=False, allow_abbrev=False)
        parser.add_argument("words", nargs="*")
        parser.add_argument("--cluster")
        for flags, options in command.options:
            parser.add_argument(*flags, **options)
        # intermixed: an option may stand before and after the words
        given = parser.parse_intermixed_args(rest)
        if command.takes == "nothing" and given.words:
            raise FlagError(f"%ehpc {name} takes no {' '.join(given.words)!r}")
        if command.takes in ("job", "cluster") and len(given.words) != 1:
            raise FlagError(f"%ehpc {name}: which {command.takes}? Write: %ehpc {command.usage}")
        if command.takes == "jobs" and not given.words:
            raise FlagError(f"%ehpc {name}: which job? Give its id; %ehpc jobs shows them")
        do: Callable[[Any], Any] = getattr(self, f"_{name}")
        return do(given)

    def _jobs(self, given: Any) -> Any:
        return self._magic.client.jobs("notfinish" if given.active else "all", cluster=given.cluster)

    def _queues(self, given: Any) -> Any:
        return self._magic.client.queues(given.cluster)

    def _clusters(self, _given: Any) -> Any:
        return self._magic.client.clusters()

    def _templates(self, given: Any) -> Any:
        if given.delete is None:
            return self._magic.client.templates()
        self._magic.client.delete_template(given.delete)
        sys.stdout.write(f"Forgotten: template {given.delete}\n")
        return None

    def _use(self, given: Any) -> None:
        (name,) = given.words
        known = [cluster.cluster_id for cluster in self._magic.client.clusters()]
        if name not in known:
            raise FlagError(f"%ehpc use: there is no cluster {name}{did_you_mean(name, known)}")
        use_cluster(name)
        self._magic.client.cluster = name
        sys.stdout.write(f"This notebook works with {name} from now on; --cluster NAME takes another one.\n")

    def _logs(self, given: Any) -> None:
        job = self._magic.named_job(given.words[0], given.cluster)
        log = job.log("stderr" if given.stderr else "stdout")
        if given.follow:
            self._magic.follow(job, Follower(log))
        else:
            sys.stdout.write(log.text())

    def _stop(self, given: Any) -> None:
        self._order(given, "Told to stop", self._magic.client.stop)

    def _hold(self, given: Any) -> None:
        self._order(given, "Held", self._magic.client.hold)

    def _release(self, given: Any) -> None:
        self._order(given, "Released", self._magic.client.release)

    def _rerun(self, given: Any) -> Any:
        made = [outcome.new for outcome in self._order(given, "Submitted again", self._magic.client.rerun)]
        return made[0] if len(made) == 1 else None

    def _order(self, given: Any, done: str, order: Callable[..., Outcomes]) -> Outcomes:
        jobs = [self._magic.named_job(text, given.cluster) for text in given.words]
        outcomes = order(*jobs)
        if well := [outcome.job.title for outcome in outcomes if outcome.ok]:
            sys.stdout.write(f"{done}: {', '.join(well)}\n")
        return outcomes.check()
