"""The link to Meta's Cloud API. The sandbox is this link too, with another host and token: one code path.

Process: whatsapp.
"""

from collections.abc import Callable
from typing import Any

from services.graph import (
    ErrorClass,
    GraphClient,
    GraphRefused,
    GraphUnknown,
    GraphUnreachable,
    GraphUnsendable,
    classify,
)
from services.links.port import (
    PRODUCT_POLICY,
    LinkKind,
    LinkState,
    NotSubmitted,
    OutcomeUnknown,
    OutgoingMessage,
    SendRefused,
    Submitted,
)
from services.links.tracking import encode_tracking

TokenSource = Callable[[str], str | None]
"""phone_number_id → access token, or None when the number has none. Read at each send, so a new token works at once."""

NO_TOKEN_CODE = 104
UNSENDABLE_CODE = 100


class CloudLink:
    """A `Link`. `tokens` is asked at each call; the client and its session belong to the maker of this link."""

    def __init__(self, graph: GraphClient, tokens: TokenSource, *, kind: LinkKind = LinkKind.CLOUD) -> None:
        self._graph = graph
        self._tokens = tokens
        self._kind = kind
        self._state = LinkState.STARTING

    @property
    def kind(self) -> LinkKind:
        return self._kind

    @property
    def state(self) -> LinkState:
        return self._state

    async def send(self, order: OutgoingMessage) -> Submitted:
        token = self._token(order.phone_number_id)
        try:
            edge = "marketing_messages" if PRODUCT_POLICY in order.payload else "messages"
            answer = await self._graph.send_message(order.phone_number_id, token, wire_body(order), edge=edge)
        except (GraphRefused, GraphUnreachable, GraphUnsendable, GraphUnknown) as failure:
            raise self._translate(failure) from failure
        self._state = LinkState.READY
        return Submitted(answer.wamid, answer.wa_id, answer.user_id, answer.message_status)

    async def mark_read(self, phone_number_id: str, wamid: str, *, shows_typing: bool = False) -> None:
        token = self._token(phone_number_id)
        try:
            await self._graph.mark_read(phone_number_id, token, wamid, shows_typing=shows_typing)
        except (GraphRefused, GraphUnreachable, GraphUnsendable, GraphUnknown) as failure:
            raise self._translate(failure) from failure
        self._state = LinkState.READY

    def _token(self, phone_number_id: str) -> str:
        token = self._tokens(phone_number_id)
        if token and token.isascii() and token.isprintable():
            return token
        self._state = LinkState.REFUSED
        rule = classify(NO_TOKEN_CODE)
        fault = "has an access token that cannot stand in a header" if token else "has no access token"
        raise SendRefused(rule, title=rule.title, details=f"Number {phone_number_id} {fault}.")

    def _translate(
        self, failure: GraphRefused | GraphUnreachable | GraphUnsendable | GraphUnknown
    ) -> SendRefused | NotSubmitted | OutcomeUnknown:
        """A refusal that concerns one message alone says that the link is well."""
        if isinstance(failure, GraphRefused):
            self._state = LinkState.REFUSED if failure.klass is ErrorClass.AUTH else LinkState.READY
            return SendRefused(
                failure.rule,
                title=failure.title,
                details=failure.details,
                retry_after_s=failure.retry_after_s,
                fbtrace_id=failure.fbtrace_id,
            )
        if isinstance(failure, GraphUnsendable):
            # This message alone: to try it again would block its lane for ever.
            rule = classify(UNSENDABLE_CODE)
            return SendRefused(rule, title=rule.title, details=f"{failure.text} {failure.detail or ''}".strip())
        self._state = LinkState.UNREACHABLE
        if isinstance(failure, GraphUnreachable):
            return NotSubmitted(detail=failure.detail)
        return OutcomeUnknown(detail=failure.detail)


def wire_body(order: OutgoingMessage) -> dict[str, Any]:
    """The Cloud API message object. `recipient` names a business-scoped user id, `to` a number or a group.

    Source: Meta, "Send messages"; business-scoped user ids, 2026-06-29.
    """
    body: dict[str, Any] = {"messaging_product": "whatsapp"}
    body["recipient_type"] = "group" if order.recipient_kind == "group" else "individual"
    body["recipient" if order.recipient_kind == "user_id" else "to"] = order.to
    body.update(order.payload)
    if order.context_wamid is not None:
        body["context"] = {"message_id": order.context_wamid}
    body["biz_opaque_callback_data"] = encode_tracking(order.id, order.callback_data)
    return body
