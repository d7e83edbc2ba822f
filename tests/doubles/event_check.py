"""Checks events against their type of the catalogue: a drifted literal fails the test that records it."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import orjson
from jsonschema import Draft202012Validator

from config.ids import new_id
from services.events.catalogue.types import EVENT_TYPES
from services.events.wire import INTERNAL, event_bytes
from services.store import Event, Fact

Shape = tuple[str, frozenset[tuple[str, type]]]
"""A type of event, and its fields with the kinds of their values."""


def check_facts(facts: Sequence[Fact]) -> None:
    """AssertionError when a fact's type is unknown, or its data is not what the catalogue says of this type.

    Fields of ``INTERNAL`` are the owner's own and pass.
    """
    for fact in facts:
        event = Event(new_id("evt"), fact.number, 1, fact.type, fact.at, fact.data, fact.conversation_id)
        check_event(orjson.loads(event_bytes(event)))


def check_event(event: Mapping[str, Any]) -> None:
    """The same for an event as it is published."""
    faults = faults_of(event)
    assert not faults, faults


def check_shapes(events: Sequence[Mapping[str, Any]], checked: set[Shape]) -> None:
    """The same for many: of events with the same fields of the same kinds the first one is checked.

    ``checked`` remembers them: a whole check takes about a millisecond, and a log is read many times.
    """
    for event in events:
        shape = (event["type"], frozenset((name, type(value)) for name, value in event["data"].items()))
        if shape not in checked:
            check_event(event)
            checked.add(shape)


def faults_of(event: Mapping[str, Any]) -> list[str]:
    """What is not as services/events/catalogue says, one sentence each."""
    kind = EVENT_TYPES.get(event["type"])
    if kind is None:
        return [f"{event['type']} is not in services/events/catalogue"]
    faults = [
        f"{kind.name}: {'.'.join(map(str, fault.path))}: {fault.message}"
        for fault in _validator(kind.name).iter_errors(event)
    ]
    unknown = sorted(set(event["data"]) - set(kind.fields) - INTERNAL)
    return faults + [f"{kind.name}: {name} is not explained in services/events/catalogue" for name in unknown]


@cache
def _validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(EVENT_TYPES[name].schema())
