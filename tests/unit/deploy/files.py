"""Where the deploy files are, and how a Dockerfile is read."""

import json
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Instruction:
    """`words` is the rest of the line, with continued lines joined."""

    name: str
    words: str

    @property
    def arguments(self) -> list[str]:
        """Of an exec form. ValueError for a shell form, which would put a shell at PID 1."""
        found: list[str] = json.loads(self.words)
        return found


def dockerfile() -> list[Instruction]:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [Instruction(*line.split(maxsplit=1)) for line in joined.splitlines() if line.strip()]


def last(name: str) -> Instruction:
    """The instruction that counts when it stands more than once."""
    return [one for one in dockerfile() if one.name == name][-1]
