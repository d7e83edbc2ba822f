"""A shelf: the JSON objects of one kind, all in memory, each change written to the storage.

Process: sandbox.

For things that are few: scripted phones, templates, media, numbers, rules. Messages and calls are many: they stay on
disk.
"""

from collections.abc import Iterator

import orjson

from services.sandbox.wire.shapes import Json
from services.sandbox.world.storage import Storage

# An update keeps the row's place, so that lists come back in the order in which things were made.
_PUT = "INSERT INTO things (kind, id, body) VALUES (?, ?, ?) ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body"


class Shelf:
    """`kind` is the name in the storage. Objects handed out are the kept ones: change them through `put` only."""

    def __init__(self, storage: Storage, kind: str) -> None:
        self._storage = storage
        self._kind = kind
        self._things: dict[str, Json] = {}

    def load(self) -> None:
        """Read back what an earlier process kept."""
        rows = self._storage.rows("SELECT id, body FROM things WHERE kind = ? ORDER BY n", (self._kind,))
        self._things = {row[0]: orjson.loads(row[1]) for row in rows}

    def get(self, thing_id: str) -> Json | None:
        return self._things.get(thing_id)

    def put(self, thing_id: str, thing: Json) -> None:
        """Keep it under this id, in place of what was there."""
        self._things[thing_id] = thing
        self._storage.add(_PUT, (self._kind, thing_id, orjson.dumps(thing)))

    def drop(self, thing_id: str) -> bool:
        """Whether there was one to drop."""
        if self._things.pop(thing_id, None) is None:
            return False
        self._storage.add("DELETE FROM things WHERE kind = ? AND id = ?", (self._kind, thing_id))
        return True

    def clear(self) -> None:
        self._things.clear()
        self._storage.add("DELETE FROM things WHERE kind = ?", (self._kind,))

    def items(self) -> Iterator[tuple[str, Json]]:
        return iter(list(self._things.items()))

    def __len__(self) -> int:
        return len(self._things)
