"""The first API key: given by the operator, or made at the first start and kept in the data folder.

Process: main.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from services.keys.secrets import key_digest, new_key_text

FILE_NAME = "bootstrap.key"


@dataclass(frozen=True, slots=True)
class BootstrapKey:
    """``text`` is set when the key was made just now: it is printed once. ``path`` is where it is kept, if anywhere."""

    digest: str
    text: str | None
    path: Path | None

    def __repr__(self) -> str:
        """Never the text."""
        return f"BootstrapKey(path={self.path})"


def bootstrap_key(configured: str, data_dir: Path) -> BootstrapKey:
    """The first key: ``configured`` if it is not empty, else the one in ``data_dir``, else a new one.

    The file is readable by its owner alone. OSError when the folder cannot be written.
    """
    if configured:
        return BootstrapKey(key_digest(configured), None, None)
    path = data_dir / FILE_NAME
    if path.exists():
        return BootstrapKey(key_digest(path.read_text(encoding="utf-8").strip()), None, path)
    data_dir.mkdir(parents=True, exist_ok=True)
    made = new_key_text()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(made + "\n")
    return BootstrapKey(key_digest(made), made, path)
