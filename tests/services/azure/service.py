"""Azure Blob Storage: the emulator Azurite, from npm."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from services.runner import Service, ServiceError

AZURITE = Path(os.environ.get("AZURITE", Path.home() / ".cache" / "pathway-services" / "azurite"))


def _command(port: int, folder: Path) -> list[str]:
    program = AZURITE / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js"
    if not program.exists() or shutil.which("node") is None:
        raise ServiceError(
            f"azure: there is no node, or no azurite in {AZURITE}; `make test-services` installs both"
        )
    places = ["--blobHost", "127.0.0.1", "--blobPort", str(port), "--location", str(folder)]
    return ["node", str(program), *places, "--silent", "--disableTelemetry", "--skipApiVersionCheck"]


SERVICE = Service("azure", _command, "nodejs")
