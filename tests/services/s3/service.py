"""S3: the emulator of moto."""

from __future__ import annotations

import sys
from pathlib import Path

from services.runner import Service


def _command(port: int, folder: Path) -> list[str]:
    return [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]


SERVICE = Service("s3", _command, "moto[server]", environment={"MOTO_S3_CUSTOM_ENDPOINTS": ""})
