"""The key that development makes for itself: kept in the data folder, readable by its owner alone.

Process: main (makes it), worker, whatsapp (read it).
"""

import os
import secrets
from pathlib import Path
from typing import Final

KEY_FILE: Final = "secret.key"
LEAST_LENGTH: Final = 32


class KeyFileDamaged(Exception):
    """The file is there and holds no key. It names the path; nothing is made in its place."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self.path = path


def kept_key(data_dir: Path, *, may_make: bool) -> str | None:
    """The text of the key in ``data_dir``; without one, and if ``may_make``, a new one, on the disk when this returns.

    Raises ``KeyFileDamaged``, and OSError when the folder cannot be read or written.
    """
    path = data_dir / KEY_FILE
    try:
        return _read(path)
    except FileNotFoundError:
        if not may_make:
            return None
    data_dir.mkdir(parents=True, exist_ok=True)
    _write_new(path, secrets.token_urlsafe(32))
    return _read(path)


def _read(path: Path) -> str:
    text = path.read_text(encoding="ascii", errors="replace").strip()
    if len(text) < LEAST_LENGTH or "\ufffd" in text:
        raise KeyFileDamaged(path)
    return text


def _write_new(path: Path, text: str) -> None:
    """Whole or not at all, and never over a key that is there: of two writers the first wins."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        except OSError:  # a file system without hard links
            if not path.exists():
                draft.rename(path)
    finally:
        draft.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
