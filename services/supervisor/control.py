"""Control a running cluster from a shell: `python -m services.supervisor.control reload`, `… scale 6`.

Process: main (it writes its PID and answers); the command is a process of its own.
"""

import contextlib
import logging
import os
import signal
import sys
import time
from pathlib import Path

from config.settings import SettingsRefused, load_settings

PID_FILE = "main.pid"
SCALE_FILE = "scale.order"
ANSWER_FILE = "answer"
ANSWER_LIMIT_S = 5.0
logger = logging.getLogger(__name__)
USAGE = "usage: make reload, or make scale N=4 (python -m services.supervisor.control reload | scale 4)"


def leave_pid(run_dir: str) -> None:
    """Main, at its start: write the PID that the command will signal."""
    try:
        _write(Path(run_dir) / PID_FILE, str(os.getpid()))
    except OSError as error:
        logger.error(
            "%s could not be written (%s): `make reload` and `make scale` do not find this instance.",
            Path(run_dir) / PID_FILE,
            error,
            extra={"action": "control.pid_failed"},
        )


def answer(run_dir: str, line: str) -> None:
    """Main: answer the command that waits."""
    with contextlib.suppress(OSError):
        _write(Path(run_dir) / ANSWER_FILE, line)


def take_scale_request(run_dir: str) -> int | None:
    """Main: take the number of workers that `make scale` asks for. None when there is no request, or it was taken."""
    path = Path(run_dir) / SCALE_FILE
    try:
        count = int(path.read_text(encoding="ascii"))
        path.unlink()
    except (OSError, ValueError):
        return None
    return count


def ask(run_dir: str, *words: str) -> tuple[int, str]:
    """The command: return exit code and line to show. 0 done, 1 refused, 2 no cluster found or command unknown."""
    folder = Path(run_dir)
    pid = _living_main(folder)
    if pid is None:
        return 2, f"No cluster runs from {folder.parent}. Set PANAL_DATA_DIR as the running one has it."
    with contextlib.suppress(OSError):
        (folder / ANSWER_FILE).unlink()
    match words:
        case ("reload",):
            os.kill(pid, signal.SIGHUP)
        case ("scale", count) if count.isdecimal():
            _write(folder / SCALE_FILE, count)
            os.kill(pid, signal.SIGUSR2)
        case _:
            return 2, USAGE
    return _wait_for_answer(folder)


def _wait_for_answer(folder: Path) -> tuple[int, str]:
    give_up_at = time.monotonic() + ANSWER_LIMIT_S
    while time.monotonic() < give_up_at:
        with contextlib.suppress(OSError):
            line = (folder / ANSWER_FILE).read_text(encoding="utf-8")
            return int(line.startswith("refused")), line
        time.sleep(0.05)
    return 2, f"Main did not answer within {ANSWER_LIMIT_S:.0f} s."


def _living_main(folder: Path) -> int | None:
    """Main's PID, if that process is alive and we may signal it."""
    try:
        pid = int((folder / PID_FILE).read_text(encoding="ascii"))
        os.kill(pid, 0)
    except (OSError, ValueError):
        return None
    return pid


def _write(path: Path, text: str) -> None:
    """Write the file whole or not at all: a reader may open it at any moment."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)


def main() -> int:
    try:
        settings = load_settings()
    except SettingsRefused as refused:
        sys.stderr.write(f"{refused}\n")
        return 2
    code, line = ask(str(Path(settings.data_dir) / "run"), *sys.argv[1:])
    (sys.stderr if code else sys.stdout).write(line + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
