"""Divides a query for the embedded server: the part that one index answers, and the part that filters afterwards.

Process: worker, whatsapp.

That server walks an index only when every field of the filter stands in it (equality, then at most one range or
``$in``), and no partial one; with one field more it looks at every document there is. A pipeline whose first stage asks
what an index holds, and whose second asks the rest, gets both. Measured with 100,000 messages, a page of one status:
52 ms as one filter, 0.8 ms as two stages.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal

from services.store.indexes import Index

Query = Mapping[str, Any]
Kind = Literal["equal", "many", "range"]
Keys = tuple[str, ...]

_RANGES: Final = frozenset({"$gt", "$gte", "$lt", "$lte"})
_ID: Final[Keys] = ("_id",)


class Plan:
    """What indexes each collection has. ``divide`` is pure."""

    def __init__(self, indexes: Sequence[Index]) -> None:
        """``indexes``: all there are; partial ones are left out, since the server cannot use them."""
        self._keys: dict[str, list[Keys]] = {}
        for index in indexes:
            if "partialFilterExpression" not in dict(index.options):
                self._keys.setdefault(index.collection, []).append(tuple(field for field, _ in index.keys))

    def divide(
        self, collection: str, query: Query, sort: Sequence[tuple[str, int]] = ()
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """The part that one index answers, and the rest; together they mean the query."""
        if word := _word(query, self._keys.get(collection, ())):
            # A search: its first word is the narrowest that is known of it. The rest asks for it once more, exactly.
            return word, dict(query)
        wanted = tuple(field for field, _ in sort)
        best: tuple[tuple[bool, bool, bool, int], Keys] | None = None
        for keys in (_ID, *self._keys.get(collection, ())):
            used, has_range = _used(keys, query)
            if not used:
                continue
            # A sort by several fields was written for an index; any other sort ends in a range of the last field.
            is_named = len(wanted) > 1 and keys[: len(wanted)] == wanted
            rank = (keys == _ID, is_named, has_range, len(used))
            if best is None or rank > best[0]:
                best = rank, used
        if best is None:
            return dict(query), {}
        return (
            {field: query[field] for field in best[1]},
            {field: value for field, value in query.items() if field not in best[1]},
        )


def _used(keys: Keys, query: Query) -> tuple[Keys, bool]:
    """The fields of this index that this query can use, and whether the last one is a range."""
    used: list[str] = []
    for field in keys:
        kind = _kind(query[field]) if field in query else None
        if kind is None:
            break
        used.append(field)
        if kind != "equal":
            return tuple(used), kind == "range"
    return tuple(used), False


def _kind(condition: Any) -> Kind | None:
    """What is asked of a field; None: nothing that an index answers."""
    if not isinstance(condition, Mapping) or not any(str(name).startswith("$") for name in condition):
        return "equal"
    if set(condition) <= _RANGES:
        return "range"
    return "many" if set(condition) == {"$in"} else None


def _word(query: Query, indexes: Sequence[Keys]) -> dict[str, Any]:
    """Of a search the first condition on an element of an indexed array, widened to what an index answers."""
    for field, bounds in _elements(query.get("$and", ())):
        if (field,) in indexes and bounds and set(bounds) <= _RANGES:
            return {field: dict(bounds)}
    return {}


def _elements(conditions: Sequence[Query]) -> Iterator[tuple[str, Query]]:
    for condition in conditions:
        for field, value in condition.items():
            if isinstance(value, Mapping) and set(value) == {"$elemMatch"}:
                yield field, value["$elemMatch"]
