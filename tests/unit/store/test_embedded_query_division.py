"""What one index of the embedded server answers, and what is looked at afterwards."""

from typing import Any

import pytest

from services.store.embedded.query_division import Plan
from services.store.indexes import INDEXES, Index

PLAN = Plan(INDEXES)
BETWEEN = {"$gte": 1, "$lt": 9}


@pytest.mark.parametrize(
    ("query", "indexed"),
    [
        ({"order": BETWEEN}, {"order"}),
        ({"status": "read", "order": BETWEEN}, {"order"}),
        ({"number": "1", "status": "read", "order": BETWEEN}, {"order"}),
        ({"number": {"$in": ["1", "2"]}, "order": BETWEEN}, {"order"}),
        ({"conversation": "c", "number": {"$in": ["1"]}, "order": BETWEEN}, {"conversation", "order"}),
        (
            {"number": "1", "status": "queued", "priority": 0, "order": BETWEEN},
            {"number", "status", "priority", "order"},
        ),
        ({"number": "1", "status": {"$in": ["held"]}}, {"number", "status"}),
        ({"number": "1", "status": {"$in": ["held"]}, "order": BETWEEN}, {"order"}),
        ({"number": "1", "due_at": {"$gt": 1, "$lte": 2}}, {"number", "due_at"}),
        ({"_id": {"$in": ["a"]}, "number": "1", "order": BETWEEN}, {"_id"}),
        ({"campaign": "c", "status": "read"}, {"campaign", "status"}),
        ({"to": {"$in": ["1", "2"]}, "order": BETWEEN}, {"order"}),
        ({"order": {"$ne": 4}, "to": "1"}, {"to"}),
        ({"wamid": None, "direction": "in"}, {"wamid"}),
    ],
)
def test_the_narrowest_index_answers_what_stands_in_it(query: dict[str, Any], indexed: set[str]) -> None:
    first, rest = PLAN.divide("messages", query)
    assert set(first) == indexed
    assert {**rest, **first} == query
    assert not set(first) & set(rest)


def test_of_two_indexes_that_fit_the_one_in_the_order_of_the_answer_is_taken() -> None:
    query = {"to": "1", "order": BETWEEN, "number": "1", "status": "queued", "priority": 0}
    assert set(PLAN.divide("messages", query, [("to", 1), ("order", 1)])[0]) == {"to", "order"}
    assert len(PLAN.divide("messages", query, [("number", 1), ("status", 1)])[0]) == 4
    assert set(PLAN.divide("messages", {"to": "1", "order": BETWEEN}, [("order", -1)])[0]) == {"to", "order"}


def test_what_no_index_knows_stays_one_query() -> None:
    assert PLAN.divide("messages", {"direction": "in"}) == ({"direction": "in"}, {})
    assert PLAN.divide("unheard_of", {"x": 1}) == ({"x": 1}, {})
    assert PLAN.divide("messages", {"$or": [{"to": "1"}]})[1] == {}


def test_a_partial_index_is_none() -> None:
    partial = Index("things", (("owner", 1),), (("partialFilterExpression", {"owner": {"$exists": True}}),))
    assert Plan([partial]).divide("things", {"owner": "a", "x": 1}) == ({"owner": "a", "x": 1}, {})


def test_a_search_begins_with_its_first_word_and_is_repeated_exactly() -> None:
    words = [{"tokens": {"$elemMatch": {"$gte": word, "$lt": word + "\uffff"}}} for word in ("ana", "li")]
    query = {"$and": words, "labels": "vip", "order": BETWEEN}
    first, rest = PLAN.divide("contacts", query)
    assert first == {"tokens": {"$gte": "ana", "$lt": "ana\uffff"}}
    assert rest == query
