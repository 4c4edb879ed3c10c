"""A PostgreSQL server with logical replication, TLS by a certificate of its own, and users of several kinds.

It runs as an unprivileged user, starts again when it is stopped while there is a file `again`, and lets users
in as `pg_hba.conf` below says.
"""

from __future__ import annotations

import os
import pwd
import shlex
import shutil
import signal
import subprocess
from pathlib import Path

from services.runner import Running, Service, ServiceError, accepts_connections

_ACCESS = """\
host all with_password 127.0.0.1/32 scram-sha-256
host all with_md5 127.0.0.1/32 md5
hostssl all only_tls 127.0.0.1/32 trust
hostnossl all only_tls 127.0.0.1/32 reject
hostssl all with_certificate 127.0.0.1/32 cert
host all all 127.0.0.1/32 trust
host replication all 127.0.0.1/32 trust
local all all trust
"""

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "wal_level": "logical",
    "fsync": "off",
    "ssl": "on",
    "max_wal_senders": "20",
    "max_replication_slots": "20",
    "timezone": "Asia/Kathmandu",
    "datestyle": "german",
}


def _programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    if not found:
        raise ServiceError("postgres: no server in /usr/lib/postgresql; `make test-services` installs it")
    return found[-1]


def _certificates(folder: Path) -> None:
    """An authority, and certificates by it for the server and for a client."""

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    new = ["-newkey", "rsa:2048", "-nodes", "-days", "2"]
    openssl("req", "-x509", *new, "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=test authority")
    for name, subject in (("server", "localhost"), ("client", "with_certificate")):
        (folder / f"{name}.ext").write_text(f"subjectAltName=DNS:{subject}\n")
        openssl(
            *("req", *new, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={subject}"),
        )
        openssl(
            *("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial"),
            *("-days", "2", "-extfile", f"{name}.ext", "-out", f"{name}.crt"),
        )
    for key in folder.glob("*.key"):
        key.chmod(0o600)


def _command(port: int, folder: Path) -> list[str]:
    programs = _programs()
    _certificates(folder)
    (folder / "pg_hba.conf").write_text(_ACCESS)
    settings = {
        **_SETTINGS,
        "port": str(port),
        "unix_socket_directories": str(folder),
        "hba_file": str(folder / "pg_hba.conf"),
        "ssl_ca_file": str(folder / "ca.crt"),
        "ssl_cert_file": str(folder / "server.crt"),
        "ssl_key_file": str(folder / "server.key"),
    }
    options = " ".join(f"-c {shlex.quote(f'{name}={value}')}" for name, value in settings.items())
    script = (
        f"{programs}/initdb -D data -U postgres -A trust -E UTF8 --locale=C --no-sync && "
        f"while {programs}/postgres -D data {options}; [ -e again ]; do rm again; done"
    )
    if os.geteuid() != 0:
        return ["sh", "-c", script]
    users = {user.pw_name for user in pwd.getpwall()}
    user = pwd.getpwnam("postgres" if "postgres" in users else "nobody")
    for path in [folder, *folder.iterdir()]:
        shutil.chown(path, user.pw_uid, user.pw_gid)
    return [
        "setpriv",
        f"--reuid={user.pw_uid}",
        f"--regid={user.pw_gid}",
        "--clear-groups",
        "sh",
        "-c",
        script,
    ]


def _ready(running: Running) -> bool:
    return (running.folder / "data" / "postmaster.pid").exists() and accepts_connections(running)


SERVICE = Service("postgres", _command, "postgresql", ready=_ready, stop_signal=signal.SIGINT)
