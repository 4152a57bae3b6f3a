"""The folders, configuration files and keys of a new lab."""

import os
import secrets
import shutil
import socket
import stat
from pathlib import Path
from string import Template

from ehpclab.layout import (
    CLUSTER,
    CTLD_PORT,
    DB_NAME,
    DBD_PORT,
    MUNGE_SOCKET,
    NODES,
    SLURM_ETC,
    TEMPLATES,
    USERS,
    Lab,
    LabError,
    slurmd_port,
)
from ehpclab.procs import check

LINKED = ("slurm.conf", "gres.conf", "slurmdbd.conf")

ACCOUNTING = f"""\
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={DBD_PORT}
AccountingStorageEnforce=associations,limits,qos
AccountingStorageTRES=gres/gpu"""
# Enforcing limits without a place that knows them stops slurmctld.
NO_ACCOUNTING = "AccountingStorageType=accounting_storage/none"

NODE = (
    "NodeName={node} NodeAddr=127.0.0.1 NodeHostname={host} Port={port} CPUs=16 Boards=1"
    " SocketsPerBoard=1 CoresPerSocket=16 ThreadsPerCore=1 RealMemory=65536 Gres=gpu:2"
    " State=UNKNOWN"
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def make_folders(lab: Lab) -> None:
    for path, owner, mode in (
        (lab.etc, "root", 0o755),
        (lab.log, "slurm", 0o755),
        (lab.run, "slurm", 0o755),
        (lab.state / "ctld", "slurm", 0o700),
        (lab.state / "dev", "root", 0o755),
        (lab.ssh, "root", 0o755),
        (lab.db, "mysql", 0o700),
        # munged refuses a key that others could read.
        (lab.munge, "munge", 0o700),
        *((lab.state / f"d.{node}", "root", 0o755) for node in NODES),
    ):
        path.mkdir()
        path.chmod(mode)
        shutil.chown(path, owner, owner)
    # The folders that a service manager would make: sshd's for privilege separation,
    # and munge's, where munged must be able to write and every client to look.
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    MUNGE_SOCKET.parent.mkdir(exist_ok=True)
    MUNGE_SOCKET.parent.chmod(0o755)
    shutil.chown(MUNGE_SOCKET.parent, "munge", "munge")


def make_devices(lab: Lab) -> None:
    for number in (0, 1):
        path = lab.state / "dev" / f"gpu{number}"
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 3))
        path.chmod(0o666)


def write_private(path: Path, data: str | bytes, owner: str | int = "root") -> None:
    """Write a file that was never readable by others, not even while it was written."""
    path.unlink(missing_ok=True)
    content = data.encode() if isinstance(data, str) else data
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    shutil.chown(path, owner)


def write_configs(lab: Lab) -> None:
    # Slurm compares with the short name, also where the host has a domain.
    host = socket.gethostname().split(".")[0]
    values = {
        "ACCOUNTING": ACCOUNTING if lab.settings.accounting else NO_ACCOUNTING,
        "CLUSTER": CLUSTER,
        "CTLD_PORT": CTLD_PORT,
        "DBD_PORT": DBD_PORT,
        "DB_NAME": DB_NAME,
        "DB_PASSWORD": secrets.token_hex(16),
        "DB_PORT": lab.settings.db_port,
        "HOST": host,
        "MIN_JOB_AGE": lab.settings.min_job_age_s,
        "NODES": "\n".join(NODE.format(node=node, host=host, port=slurmd_port(node)) for node in NODES),
        "SSHD_PORT": lab.settings.sshd_port,
        "STATE": lab.state,
        "USERS": " ".join(USERS),
    }

    def fill(name: str) -> str:
        return Template((TEMPLATES / f"{name}.in").read_text()).substitute(values)

    for name in ("slurm.conf", "gres.conf", "sshd_config"):
        (lab.etc / name).write_text(fill(name))
    write_private(lab.munge / "munge.key", secrets.token_bytes(128), "munge")
    if lab.settings.accounting:
        (lab.etc / "mariadb.cnf").write_text(fill("mariadb.cnf"))
        write_private(lab.db / "init.sql", fill("mariadb-init.sql"), "mysql")
        write_private(lab.etc / "slurmdbd.conf", fill("slurmdbd.conf"), "slurm")


def make_key(path: Path) -> str:
    """Make a key pair without a passphrase and return the public half."""
    check("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", path.name, "-f", str(path))
    return path.with_name(f"{path.name}.pub").read_text()


def make_host_key(lab: Lab) -> None:
    kind, key = make_key(lab.ssh / "host_key").split()[:2]
    lab.known_hosts.write_text(f"[127.0.0.1]:{lab.settings.sshd_port} {kind} {key}\n")


def linked_state() -> Path | None:
    """The state folder of the lab that /etc/slurm points to, if it points to one."""
    conf = SLURM_ETC / "slurm.conf"
    return conf.readlink().parent.parent if conf.is_symlink() else None


def link_configs(lab: Lab) -> None:
    """Show the files where the client commands look for them."""
    SLURM_ETC.mkdir(mode=0o755, exist_ok=True)
    for name in LINKED:
        link, target = SLURM_ETC / name, lab.etc / name
        if link.exists() and not link.is_symlink():
            raise LabError(f"{link} belongs to another cluster; move it away first")
        link.unlink(missing_ok=True)
        if target.exists():
            link.symlink_to(target)


def unlink_configs(lab: Lab) -> None:
    for name in LINKED:
        link = SLURM_ETC / name
        if link.is_symlink() and link.readlink() == lab.etc / name:
            link.unlink()
