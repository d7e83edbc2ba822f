"""The `action` of each interactive kind.

Process: sandbox.

Source: as in `interactive`; flow_cta is 30 as in Meta's OpenAPI description, where some clients allow 20.
"""

from collections.abc import Callable
from typing import Any

from services.sandbox.checks.fields import (
    choice_of,
    link_of,
    list_of,
    object_of,
    objects_of,
    optional_text,
    text_of,
    unique_of,
)
from services.sandbox.checks.simple import check_media
from services.sandbox.wire.faults import GraphFault, absent, invalid
from services.sandbox.wire.shapes import Json

BUTTONS_MOST = 3
ROWS_MOST = 10
SECTIONS_MOST = 10
PRODUCTS_MOST = 30
CARDS = (2, 10)
CARD_BODY_CHARS = 160


def buttons(action: Json) -> None:
    """One to three reply buttons, ids and titles unique."""
    found = objects_of(action.get("buttons"), "buttons", least=1, most=BUTTONS_MOST)
    replies = []
    for at, button in enumerate(found):
        where = f"buttons[{at}]"
        choice_of(button, "type", where=where, among=("reply",))
        reply = object_of(button.get("reply"), f"{where}['reply']")
        text_of(reply, "title", where=f"{where}['reply']", most=20)
        button_id = text_of(reply, "id", where=f"{where}['reply']", most=256)
        if button_id != button_id.strip():
            raise invalid(f"{where}['reply']['id'] must not begin or end with a space.")
        replies.append(reply)
    unique_of([reply["id"] for reply in replies], "button id")
    unique_of([reply["title"] for reply in replies], "button title")


def sections_of_rows(action: Json) -> None:
    """A list: ten rows over all sections."""
    text_of(action, "button", where="interactive['action']", most=20)
    sections = objects_of(action.get("sections"), "sections", least=1, most=SECTIONS_MOST)
    ids = []
    for at, section in enumerate(sections):
        _section_title(section, at, sections)
        for row_at, row in enumerate(objects_of(section.get("rows"), "rows", least=1)):
            where = f"sections[{at}]['rows'][{row_at}]"
            ids.append(text_of(row, "id", where=where, most=200))
            text_of(row, "title", where=where, most=24)
            optional_text(row, "description", where=where, most=72)
    if len(ids) > ROWS_MOST:
        raise invalid(f"Total row count exceed max allowed count: {ROWS_MOST}, given: {len(ids)}")
    unique_of(ids, "row id")


def cta_url(action: Json) -> None:
    named("cta_url")(action)
    parameters = object_of(action.get("parameters"), "action['parameters']")
    text_of(parameters, "display_text", where="action['parameters']", most=20)
    link_of(parameters, "url", where="action['parameters']")


def flow(action: Json) -> None:
    """A flow by its id or its name."""
    named("flow")(action)
    where = "action['parameters']"
    parameters = object_of(action.get("parameters"), where)
    if str(parameters.get("flow_message_version")) != "3":
        raise invalid(f"{where}['flow_message_version'] must be 3.")
    if not parameters.get("flow_id") and not parameters.get("flow_name"):
        raise absent(f"{where}: one of flow_id and flow_name is required.")
    text_of(parameters, "flow_cta", where=where, most=30)
    if parameters.get("mode") is not None:
        choice_of(parameters, "mode", where=where, among=("published", "draft"))
    if parameters.get("flow_action") is not None:
        choice_of(parameters, "flow_action", where=where, among=("navigate", "data_exchange"))


def product(action: Json) -> None:
    text_of(action, "catalog_id", where="interactive['action']")
    text_of(action, "product_retailer_id", where="interactive['action']")


def product_list(action: Json) -> None:
    """Up to ten sections with thirty products in all."""
    text_of(action, "catalog_id", where="interactive['action']")
    sections = objects_of(action.get("sections"), "sections", least=1, most=SECTIONS_MOST)
    count = 0
    for at, section in enumerate(sections):
        _section_title(section, at, sections)
        for item_at, item in enumerate(objects_of(section.get("product_items"), "product_items", least=1)):
            text_of(item, "product_retailer_id", where=f"sections[{at}]['product_items'][{item_at}]")
            count += 1
    if count > PRODUCTS_MOST:
        raise invalid(f"Total product count exceed max allowed count: {PRODUCTS_MOST}, given: {count}")


def carousel(action: Json) -> None:
    """Two to ten cards, all with the same kind of header."""
    cards = objects_of(action.get("cards"), "cards", least=CARDS[0], most=CARDS[1])
    header_kinds = {_card(card, at) for at, card in enumerate(cards)}
    if len(header_kinds) > 1:
        raise invalid("cards: all cards must have the same kind of header.")


def named(name: str) -> Callable[[Json], None]:
    """An action that is known by its name; what else it holds is not looked at."""

    def check(action: Json) -> None:
        if action.get("name") != name:
            raise GraphFault(100, f"Param interactive['action']['name'] must be {name} - got \"{action.get('name')}\".")

    return check


def _section_title(section: Json, at: int, sections: list[Json]) -> None:
    where = f"sections[{at}]"
    if len(sections) > 1:
        text_of(section, "title", where=where, most=24)
    else:
        optional_text(section, "title", where=where, most=24)


def _card(card: Json, at: int) -> str:
    where = f"cards[{at}]"
    kind = choice_of(card, "type", where=where, among=("cta_url", "product"))
    action = object_of(card.get("action"), f"{where}['action']")
    if kind == "product":
        product(action)
        return "product"
    header: Any = object_of(card.get("header"), f"{where}['header']")
    header_kind = choice_of(header, "type", where=f"{where}['header']", among=("image", "video"))
    check_media(header.get(header_kind), header_kind)
    if card.get("body") is not None:
        text = text_of(card["body"], "text", where=f"{where}['body']", most=CARD_BODY_CHARS)
        if text.count("\n") > 2:
            raise invalid(f"{where}['body']['text'] may have 2 line breaks.")
    if "buttons" in action:
        list_of(action["buttons"], f"{where}['action']['buttons']", least=1, most=2)
    else:
        cta_url(action)
    return header_kind
