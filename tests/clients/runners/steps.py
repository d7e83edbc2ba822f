"""What the Python runners share: their orders, and one line a step."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ORDERS: dict[str, Any] = json.load(sys.stdin)


def say(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def step(kind: str, action: Callable[[], Any], id_of: Callable[[Any], Any] = lambda answer: None) -> Any:
    """One step of a client; a step that fails says why, and the next one runs."""
    try:
        answer = action()
        if isinstance(answer, dict) and "error" in answer:
            raise RuntimeError(json.dumps(answer["error"]))
        say({"kind": kind, "ok": True, "id": id_of(answer)})
    except Exception as error:
        say({"kind": kind, "ok": False, "error": f"{type(error).__name__}: {error}"[:1500]})
        return None
    return answer


def sample(name: str) -> Path:
    return Path(ORDERS["samples"]) / f"sample.{name}"
