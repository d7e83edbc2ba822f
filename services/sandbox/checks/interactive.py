"""Interactive messages: what every kind has, and the table of kinds.

Process: sandbox.

Source: Meta, "Interactive reply buttons", "Interactive lists", "CTA URL" and their siblings (2025-12).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from services.sandbox.checks import interactive_actions as actions
from services.sandbox.checks.fields import choice_of, object_of, text_of
from services.sandbox.checks.simple import check_media
from services.sandbox.wire.faults import GraphFault, absent
from services.sandbox.wire.shapes import Json

HEADER_CHARS = 60
FOOTER_CHARS = 60
BODY_CHARS = 1024
LIST_BODY_CHARS = 4096
EVERY_HEADER = ("text", "image", "video", "document")


@dataclass(frozen=True, slots=True)
class Form:
    """What a kind may have around its action."""

    check_action: Callable[[Json], None]
    headers: tuple[str, ...] = ()
    needs_header: bool = False
    needs_body: bool = True
    body_chars: int = BODY_CHARS
    may_have_footer: bool = True


FORMS = {
    "button": Form(actions.buttons, EVERY_HEADER),
    "list": Form(actions.sections_of_rows, ("text",), body_chars=LIST_BODY_CHARS),
    "cta_url": Form(actions.cta_url, EVERY_HEADER),
    "location_request_message": Form(actions.named("send_location"), may_have_footer=False),
    "flow": Form(actions.flow, EVERY_HEADER),
    "product": Form(actions.product, needs_body=False),
    "product_list": Form(actions.product_list, ("text",), needs_header=True),
    "catalog_message": Form(actions.named("catalog_message")),
    "carousel": Form(actions.carousel, may_have_footer=False),
    "address_message": Form(actions.named("address_message")),
    "request_contact_info": Form(actions.named("request_contact_info")),
    "voice_call": Form(actions.named("voice_call")),
    "call_permission_request": Form(actions.named("call_permission_request"), needs_body=False),
}


def check_interactive(content: Any) -> Json:
    """GraphFault names the first thing that is wrong."""
    interactive = object_of(content, "interactive")
    kind = choice_of(interactive, "type", where="interactive", among=tuple(FORMS))
    form = FORMS[kind]
    _check_header(interactive.get("header"), form, kind)
    if interactive.get("body") is not None or form.needs_body:
        body = object_of(interactive.get("body"), "interactive['body']")
        text_of(body, "text", where="interactive['body']", most=form.body_chars)
    footer = interactive.get("footer")
    if footer is not None:
        if not form.may_have_footer:
            raise GraphFault(100, f"Param interactive['footer'] is not allowed with the type {kind}.")
        text_of(footer, "text", where="interactive['footer']", most=FOOTER_CHARS)
    form.check_action(object_of(interactive.get("action"), "interactive['action']"))
    return interactive


def media_of(interactive: Json) -> list[tuple[str, Json]]:
    """Every media object inside, with its kind: of the header and of the cards."""
    holders = [interactive, *((interactive.get("action") or {}).get("cards") or [])]
    found = []
    for holder in holders:
        header = holder.get("header") or {}
        kind = header.get("type")
        if kind in ("image", "video", "document") and isinstance(header.get(kind), dict):
            found.append((kind, header[kind]))
    return found


def _check_header(header: Any, form: Form, kind: str) -> None:
    if header is None:
        if form.needs_header:
            raise absent(f"interactive['header'] is required with the type {kind}.")
        return
    header = object_of(header, "interactive['header']")
    if not form.headers:
        raise GraphFault(100, f"Param interactive['header'] is not allowed with the type {kind}.")
    header_kind = choice_of(header, "type", where="interactive['header']", among=form.headers)
    if header_kind == "text":
        text_of(header, "text", where="interactive['header']", most=HEADER_CHARS)
    else:
        check_media(header.get(header_kind), header_kind)
