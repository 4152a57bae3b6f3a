"""Names, numbers and paths of the lab."""

import json
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

DEFAULT_STATE = Path("/tmp/ehpc-lab")
LOCK = Path("/run/ehpc-lab.lock")
SLURM_ETC = Path("/etc/slurm")
# Where every munge client looks. Another place would have to be told to each of
# them, and Slurm does not tell all of its own.
MUNGE_SOCKET = Path("/run/munge/munge.socket.2")
TEMPLATES = Path(__file__).resolve().parent.parent / "templates"

CLUSTER = "lab"
NODES = ("node1", "node2", "node3", "node4")
CTLD_PORT = 6817
DBD_PORT = 6819
FIRST_SLURMD_PORT = 17001
DB_NAME = "slurm_acct_db"

USERS = {"ehpcuser": 20001, "ehpcother": 20002}
# The first account is the users' default.
ACCOUNTS = {"proj": (), "small": ("GrpSubmitJobs=2",)}


class LabError(Exception):
    """Something the caller can read and act on; `logs` are the files to look at."""

    def __init__(self, message: str, logs: tuple[Path, ...] = ()) -> None:
        super().__init__(message)
        self.logs = logs


@dataclass(frozen=True)
class Settings:
    """What is chosen anew at each start and needed again to repair or to stop."""

    accounting: bool
    sshd_port: int
    db_port: int
    min_job_age_s: int = 300


@dataclass(frozen=True)
class Lab:
    """One lab: everything it writes is below `state`, but for links in /etc/slurm and munge's socket."""

    state: Path

    @property
    def etc(self) -> Path:
        return self.state / "etc"

    @property
    def run(self) -> Path:
        return self.state / "run"

    @property
    def log(self) -> Path:
        return self.state / "log"

    @property
    def db(self) -> Path:
        return self.state / "db"

    @property
    def munge(self) -> Path:
        return self.state / "munge"

    @property
    def ssh(self) -> Path:
        return self.state / "ssh"

    @property
    def known_hosts(self) -> Path:
        return self.ssh / "known_hosts"

    @property
    def description(self) -> Path:
        """What the tests read. It exists only for a lab that came up whole."""
        return self.state / "lab.json"

    @property
    def settings_file(self) -> Path:
        """Written first, so it also marks a folder as a lab that may be removed."""
        return self.state / "settings.json"

    def exists(self) -> bool:
        # Below /tmp anyone can make a folder of this name.
        return self.settings_file.is_file() and not self.state.is_symlink() and self.state.stat().st_uid == 0

    @cached_property
    def settings(self) -> Settings:
        return Settings(**json.loads(self.settings_file.read_text()))

    def save(self, settings: Settings) -> None:
        self.settings_file.write_text(json.dumps(asdict(settings)))


def slurmd_port(node: str) -> int:
    return FIRST_SLURMD_PORT + NODES.index(node)
