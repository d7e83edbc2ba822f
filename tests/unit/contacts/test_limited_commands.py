"""What a key of some numbers may do to a contact, as the owner does it: its part, never the whole of others."""

from collections.abc import Mapping
from typing import Any

import pytest

from config.errors import RequestRefused
from services.commands import Command, Outcome
from services.contacts import (
    ConsentState,
    ContactCommands,
    ContactEditor,
    ContactState,
    Identity,
    Patch,
    project_contact,
)
from services.events import event_json
from services.store import Event, Fact
from tests.doubles.clock import START, ManualClock
from tests.doubles.collections import CollectionDatabase

A, B, C = "12025550101", "12025550102", "12025550103"
PHONE, KEY = "12025550111", "wa:12025550111"
SECRET = "theirs"
THEIRS = {"key": KEY, "number": B, "name": SECRET, "labels": [SECRET], "attributes": {SECRET: SECRET}}
STOP = {"category": "all", "source": SECRET, "proof": {"text": SECRET}, "at": START}


class Owner:
    """As much of an owner as commands on contacts need; ``log`` is what it would record."""

    def __init__(self) -> None:
        database = CollectionDatabase()
        self.consents = ConsentState(database.real)
        self.editor = ContactEditor(ContactState(database.real), self.consents)
        self._commands = ContactCommands(self.editor, ManualClock(), numbers=[A, B, C])
        self.log: list[Fact] = []

    async def does(self, kind: str, data: Mapping[str, Any], *, limit: tuple[str, ...] = ()) -> Outcome:
        command = Command("cmd_1", f"contact.{kind}", {**data, "numbers": list(limit)}, "key_1")
        outcome = await getattr(self._commands, kind)(command)
        self.log += outcome.facts
        return outcome  # type: ignore[no-any-return]

    def blocks(self, number: str) -> bool:
        return self.consents.blocks(KEY, is_marketing=False, number=number) is not None


def shown(facts: list[Fact], number: str) -> str:
    """All that readers of this number's log see."""
    events = [Event("evt_1", fact.number, 1, fact.type, fact.at, fact.data) for fact in facts if fact.number == number]
    return repr([event_json(event) for event in events])


def writes(facts: list[Fact]) -> list[Mapping[str, Any]]:
    events = [Event("evt_1", fact.number, 1, fact.type, fact.at, fact.data) for fact in facts]
    return [dict(write.set) for event in events for write in project_contact(event)]


async def test_a_limited_key_changes_what_its_number_knows_and_nothing_of_the_whole() -> None:
    owner = Owner()
    await owner.does("save", THEIRS)
    owner.log.clear()
    made = await owner.does("save", {"key": KEY, "name": "Ana", "labels": []}, limit=(A,))
    assert made.result["is_new"], "to this number"
    assert SECRET not in shown(owner.log, A)
    (written,) = writes(owner.log)
    assert not {"name", "labels", "keys", "wa_id", "updated_at"} & written.keys()


async def test_every_log_tells_what_its_own_number_knows_through_any_number() -> None:
    owner = Owner()
    await owner.does("save", THEIRS)
    await owner.does("save", {"key": KEY, "number": A, "name": "Ana"})
    assert SECRET not in shown(owner.log, A)
    assert SECRET in shown(owner.log, B)
    assert writes(owner.log)[-1]["name"] == "Ana", "a key for every number changes the whole"


async def test_where_no_other_number_knows_the_contact_a_limited_key_changes_all_of_it() -> None:
    owner = Owner()
    await owner.does("save", {"key": KEY, "name": "Ana"}, limit=(A, C))
    assert writes(owner.log)[-1]["name"] == "Ana"


async def test_an_import_of_a_limited_key_is_no_way_around() -> None:
    owner = Owner()
    await owner.does("save", THEIRS)
    await owner.does("opt_out", {"key": KEY, "number": B, **STOP})
    owner.log.clear()
    rows = [{"line": 2, "key": KEY, "name": "Ana", "decisions": [{**STOP, "status": "in", "source": "import"}]}]
    await owner.does("import_rows", {"rows": rows, "number": A}, limit=(A,))
    assert SECRET not in shown([fact for fact in owner.log if fact.type == "contact.imported"], A)
    assert not any("name" in written for written in writes(owner.log))
    assert owner.blocks(A), "an opt-out that another number was told stays"
    assert owner.blocks(B)


@pytest.mark.parametrize("kind", ["save", "opt_in", "opt_out"])
async def test_a_contact_of_another_number_is_not_there_by_its_id(kind: str) -> None:
    owner = Owner()
    made = await owner.does("save", THEIRS)
    with pytest.raises(RequestRefused) as refused:
        await owner.does(kind, {"contact_id": made.result["contact_id"], **STOP}, limit=(A,))
    assert refused.value.code == "not_found"


async def test_an_opt_out_of_a_limited_key_holds_for_its_numbers_and_no_other() -> None:
    owner = Owner()
    await owner.does("save", THEIRS)
    await owner.does("opt_out", {"key": KEY, **STOP}, limit=(A, C))
    assert [owner.blocks(number) for number in (A, B, C)] == [True, False, True]
    assert owner.log[-1].data["opted_out_stored"] == "numbers"
    await owner.does("opt_in", {"key": KEY, **STOP}, limit=(C,))
    assert [owner.blocks(number) for number in (A, B, C)] == [True, False, False]
    await owner.does("opt_in", {"key": KEY, "number": B, **STOP})
    assert [owner.blocks(number) for number in (A, B, C)] == [False, False, False], "a key for every number lifts all"
    assert owner.log[-1].data["opted_out_stored"] == ""


async def test_an_opt_out_for_every_number_is_lifted_by_no_limited_key() -> None:
    owner = Owner()
    await owner.does("save", THEIRS)
    await owner.does("save", {"key": KEY, "number": A})
    await owner.does("opt_out", {"key": KEY, "number": B, **STOP})
    owner.log.clear()
    await owner.does("opt_in", {"key": KEY, **STOP, "source": "paper", "proof": {}}, limit=(A,))
    assert [owner.blocks(number) for number in (A, B)] == [True, True]
    assert owner.log[-1].data["opted_out"] == "all", "the answer says that it still holds"
    assert SECRET not in shown(owner.log, A)


async def test_a_label_that_an_operator_writes_makes_nobody_the_contact_of_the_default_number() -> None:
    owner = Owner()
    made = await owner.does("save", THEIRS)
    await owner.does("save", {"contact_id": made.result["contact_id"], "labels": ["vip"]})
    assert {fact.number for fact in owner.log} == {B}


async def test_who_names_a_contact_by_its_id_or_one_address_learns_no_other_address() -> None:
    owner = Owner()
    both = Identity("12025550111", "US.2")
    await owner.editor.load_people([both])
    known, _ = owner.editor.save(both, B, Patch(), source="message")
    await owner.does("save", {"key": KEY, "name": "Ana"}, limit=(A,))
    await owner.does("save", {"contact_id": known.id, "labels": ["x"]}, limit=(A,))
    await owner.does("save", {"contact_id": known.id, "number": A, "labels": ["y"]})
    assert len(owner.log) == 3
    assert "US.2" not in shown(owner.log, A)
    assert PHONE in shown(owner.log, A)
