"""Programs in Git repositories: cloned, with an environment of their own."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import sysconfig
import tempfile
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


class NoRepository(Exception):
    """The repository cannot be used."""


@dataclass(frozen=True)
class Checkout:
    """Where a program runs."""

    #: None: where the command was given.
    folder: Path | None = None
    environment: Path | None = None

    def program(self, name: str) -> str:
        """The program of that name: a Python of the environment, if there is one."""
        if self.environment is not None and os.path.basename(name) == name and name.startswith("python"):
            return str(self.environment / "bin" / name)
        return name


@contextlib.contextmanager
def checked_out(url: str | None, branch: str | None) -> Iterator[Checkout]:
    """A clone of the repository for as long as the program runs; without one, the program runs as it is.

    Raises:
        NoRepository: it cannot be cloned, or its requirements cannot be installed.
    """
    if url is None:
        yield Checkout()
        return
    try:
        from git import GitError, Repo
    except ImportError:
        raise NoRepository("--repository-url needs GitPython: pip install gitpython") from None
    with tempfile.TemporaryDirectory(prefix="pathway-") as folder:
        clone, environment = Path(folder, "repository"), Path(folder, "environment")
        try:
            Repo.clone_from(url, clone, branch=branch, depth=1)
        except GitError as error:
            raise NoRepository(f"{url} cannot be cloned: {error}") from error
        venv.create(environment, with_pip=True)
        _share_packages(environment)
        requirements = clone / "requirements.txt"
        if requirements.exists():
            python = environment / "bin" / "python"
            command = [str(python), "-m", "pip", "install", "--quiet", "-r", str(requirements)]
            if subprocess.run(command, stdout=sys.stderr, check=False).returncode != 0:
                raise NoRepository(f"the requirements of {url} cannot be installed")
        yield Checkout(clone, environment)


def _share_packages(environment: Path) -> None:
    """What is installed here is there as well, after what the repository wants."""
    paths = {"base": str(environment), "platbase": str(environment)}
    there = Path(sysconfig.get_path("purelib", "venv", vars=paths))
    here = dict.fromkeys([sysconfig.get_path("purelib"), sysconfig.get_path("platlib")])
    # Packages there may lead to others, as those that are being developed do.
    lines = [f"import site; site.addsitedir({path!r})" for path in here]
    (there / "_pathway.pth").write_text("\n".join(lines) + "\n")
