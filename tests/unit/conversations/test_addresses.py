"""Whose is an address? One person may have several, and a phone number may pass from one person to another."""

from dataclasses import dataclass

import pytest

from services.conversations import ContactRef, holders_of
from tests.doubles.event_writer import NUMBER


@dataclass
class Someone:
    wa_id: str | None
    user_id: str | None
    keys: set[str]


def someone(*keys: str, wa_id: str | None = None, user_id: str | None = None) -> Someone:
    return Someone(wa_id, user_id, set(keys))


BY_NUMBER = someone("wa:1", wa_id="1")
BY_ID = someone("user:U", user_id="U")
BOTH = someone("wa:1", "user:U", wa_id="1", user_id="U")
MOVED = someone("wa:1", "wa:2", "user:U", wa_id="2", user_id="U")
OTHER = someone("wa:1", "user:V", wa_id="1", user_id="V")
ELSEWHERE = someone("wa:9", "user:U", wa_id="9", user_id="U")


@pytest.mark.parametrize(
    ("known", "seen", "mine", "lost"),
    [
        ([], ("1", "U"), [], []),
        ([BY_NUMBER], ("1", "U"), [BY_NUMBER], []),
        ([BY_ID], ("1", "U"), [BY_ID], []),
        ([BY_NUMBER, BY_ID], ("1", "U"), [BY_NUMBER, BY_ID], []),
        ([BOTH], ("1", None), [BOTH], []),
        ([BOTH], (None, "U"), [BOTH], []),
        ([BOTH], ("1", "V"), [BOTH], []),  # the same number with another id: in doubt the same person
        ([MOVED], ("1", "U"), [MOVED], []),
        ([MOVED], ("1", None), [MOVED], []),
        ([MOVED], ("1", "V"), [], [(MOVED, "wa:1")]),  # they left this number, and somebody else writes from it
        ([OTHER, BY_ID], ("1", "U"), [OTHER, BY_ID], []),
        ([OTHER, ELSEWHERE], ("1", "U"), [ELSEWHERE], [(OTHER, "wa:1")]),  # U had 9, and has taken the number of V
    ],
)
def test_who_is_meant_and_who_loses_an_address(
    known: list[Someone], seen: tuple[str | None, str | None], mine: list[Someone], lost: list[tuple[Someone, str]]
) -> None:
    contact = ContactRef(NUMBER, *seen)
    found = holders_of(contact, lambda key: next((one for one in known if key in one.keys), None))
    assert found == (mine, lost)
