"""What was proved: kind × direction × path, and by which clients. Filled by the tests, printed by the last one."""

from collections import defaultdict
from collections.abc import Iterable

PATHS = ("sandbox", "panal")


class Table:
    """Cells by direction, kind and path; each holds the clients that did it."""

    def __init__(self) -> None:
        self._cells: dict[tuple[str, str, str], list[str]] = defaultdict(list)

    def note(self, direction: str, kind: str, path: str, client: str) -> None:
        cell = self._cells[direction, kind, path]
        if client not in cell:
            cell.append(client)

    def empty(self, direction: str, kinds: Iterable[str]) -> list[str]:
        """Cells that nobody filled."""
        return [
            f"{direction} {kind} {path}" for kind in kinds for path in PATHS if not self._cells[direction, kind, path]
        ]

    def text(self, directions: dict[str, Iterable[str]]) -> str:
        """The table, a line a kind."""
        lines = [f"{'direction':9} {'kind':36} {'sandbox alone':58} through Panal"]
        for direction, kinds in directions.items():
            for kind in kinds:
                cells = [", ".join(self._cells[direction, kind, path]) or "-" for path in PATHS]
                lines.append(f"{direction:9} {kind:36} {cells[0]:58} {cells[1]}")
        return "\n".join(lines)


TABLE = Table()
