"""Every error code: what it means and what to do. ``/docs/errors`` and the API reference are made from this table.

Process: worker. A test walks the code base and fails when a code is raised that is not here.
"""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from blueprints.errors import status_of
from config.errors import PanalError, PlatformRefused, RequestRefused, Unavailable

Where = Literal["answer", "message", "log"]
"""Where a code can be met: in the answer to a request, in a message and its events, or in the log alone."""


@dataclass(frozen=True, slots=True)
class ErrorEntry:
    """One code. ``family`` decides status and repetition; a number is the status of an error of the HTTP server."""

    code: str
    family: type[PanalError] | int
    meaning: str
    next_step: str
    where: Where = "answer"
    retry: bool | None = None

    @property
    def status(self) -> int:
        """The HTTP status that it is answered with."""
        return self.family if isinstance(self.family, int) else status_of(self.family(code=self.code))

    @property
    def may_retry(self) -> bool:
        """May the same request work later?"""
        if self.retry is not None:
            return self.retry
        return self.status in (408, 503) if isinstance(self.family, int) else self.family.may_retry


_ENTRIES: Final = (
    # --- the request
    ErrorEntry(
        "invalid_request",
        RequestRefused,
        "Something in the request is not valid.",
        "Mend what `errors` names: each entry has the path and the reason of one fault.",
    ),
    ErrorEntry(
        "invalid_json",
        RequestRefused,
        "The body is not a JSON object.",
        "Send one JSON object, as UTF-8. `errors` says at which position the parser stopped.",
    ),
    ErrorEntry(
        "body_too_large",
        413,
        "The body has more bytes than the server takes.",
        "Send less at once: split a batch. The operator sets the limit (PANAL_MAX_BODY_BYTES).",
    ),
    ErrorEntry(
        "batch_too_large",
        RequestRefused,
        "The batch has more messages than the server takes at once.",
        "Split it. The operator sets the limit (PANAL_MAX_BATCH).",
    ),
    ErrorEntry(
        "empty_audience",
        RequestRefused,
        "The campaign has no recipients.",
        "Add some first.",
    ),
    ErrorEntry(
        "audience_too_large",
        RequestRefused,
        "The audience of the campaign has more recipients than one campaign may have.",
        "Make several campaigns of it.",
    ),
    ErrorEntry(
        "not_found",
        RequestRefused,
        "There is nothing with this id, or this key may not see it.",
        "Check the id, and whether the key is limited to other numbers.",
    ),
    ErrorEntry(
        "unknown_number",
        RequestRefused,
        "The phone_number_id is not one of this installation.",
        "Take one of GET /v1/numbers, or leave the field out: then the default number is meant.",
    ),
    ErrorEntry(
        "url_refused",
        RequestRefused,
        "An address in the request may not be called by this server.",
        "Give an https address that is public. `errors` says what is wrong with this one.",
    ),
    ErrorEntry(
        "too_many_redirects",
        RequestRefused,
        "The address sends the caller on and on.",
        "Give the address that it leads to in the end.",
    ),
    ErrorEntry(
        "refused",
        RequestRefused,
        "The WhatsApp process refused what was asked for.",
        "`detail` has its words.",
    ),
    ErrorEntry("no_such_path", 404, "There is nothing at this path.", "Compare the path with /docs."),
    ErrorEntry(
        "method_not_allowed",
        405,
        "The path exists, but not with this method.",
        "Use one of the methods of the `Allow` header.",
    ),
    ErrorEntry(
        "request_timeout",
        408,
        "The request did not arrive whole in time.",
        "Send it again. With an Idempotency-Key that is safe even when the first one did arrive.",
    ),
    ErrorEntry("http_400", 400, "The bytes are not a valid HTTP request.", "Check headers, path and encoding."),
    ErrorEntry("http_416", 416, "The range that was asked for does not exist.", "Ask without `Range`."),
    ErrorEntry("http_417", 417, "The server cannot do what `Expect` demands.", "Leave the header out."),
    ErrorEntry("http_431", 431, "The headers have more bytes than the server takes.", "Send fewer or shorter ones."),
    ErrorEntry(
        "unsupported_media_type",
        RequestRefused,
        "The body is not of the type that this call takes.",
        "Send it as `errors` says, with that `Content-Type`.",
    ),
    ErrorEntry(
        "invalid_form",
        RequestRefused,
        "The body is no multipart form, or not one that this call takes.",
        "Send the file as the part `file` of a `multipart/form-data` body.",
    ),
    ErrorEntry(
        "media_refused",
        RequestRefused,
        "WhatsApp would not take this file: its type, its size, or it is not what it says.",
        "Convert it, or make it smaller; `detail` has the limit.",
    ),
    ErrorEntry(
        "link_failed",
        RequestRefused,
        "The address did not give a file.",
        "Check that it can be read without a login, and upload the file instead if it cannot.",
    ),
    ErrorEntry(
        "range_not_satisfiable",
        RequestRefused,
        "The file has no such range.",
        "Ask for a range within its size, or without `Range`.",
    ),
    ErrorEntry(
        "invalid_csv",
        RequestRefused,
        "The file cannot be read as CSV, or its header has a column that means nothing.",
        "Mend the lines that `errors` names. Lines before them were taken.",
    ),
    ErrorEntry(
        "graph_fault",
        RequestRefused,
        "A call of the Cloud API that Meta would refuse.",
        "The answer has Meta's own form: look up its `error.code` in the list below.",
    ),
    # --- what WhatsApp, or the recipient, does not allow
    ErrorEntry(
        "window_closed",
        RequestRefused,
        "The customer has not written for 24 hours (or never): WhatsApp takes nothing but templates then.",
        "Send a template, or let `on_window_closed` hold the message until the customer writes. Also in messages.",
    ),
    ErrorEntry(
        "opted_out",
        RequestRefused,
        "The recipient does not want this message.",
        "Do not send it again; the recipient can opt in. Also in messages.",
    ),
    # --- who calls
    ErrorEntry(
        "not_authenticated",
        RequestRefused,
        "There is no API key in the request, or it is not valid (any more).",
        "Send the header `Authorization: Bearer <key>` with a key that has not ended.",
    ),
    ErrorEntry(
        "not_permitted",
        RequestRefused,
        "The API key is valid but lacks the scope for this call, or may not use this number.",
        "Use a key that has the scope; `detail` names it.",
    ),
    ErrorEntry(
        "number_forbidden",
        RequestRefused,
        "The API key may not send from this number.",
        "Use a key that may, or another number.",
    ),
    ErrorEntry(
        "bad_signature",
        RequestRefused,
        "A notification is not signed with our app secret.",
        "Operator: compare PANAL_APP_SECRET with the secret of the app at Meta.",
    ),
    ErrorEntry(
        "bad_verify_token",
        RequestRefused,
        "A handshake did not carry our verify token.",
        "Operator: enter the value of PANAL_VERIFY_TOKEN at Meta.",
    ),
    # --- in conflict
    ErrorEntry(
        "idempotency_conflict",
        RequestRefused,
        "The Idempotency-Key was used before, with another body.",
        "Use a new key for a new message; send the same bytes to repeat an old one.",
    ),
    ErrorEntry(
        "idempotency_in_progress",
        RequestRefused,
        "A message with this Idempotency-Key is being stored right now.",
        "Wait as long as `Retry-After` says, and send the same request again.",
        retry=True,
    ),
    ErrorEntry(
        "wrong_state",
        RequestRefused,
        "The message is in a state in which this is not possible.",
        "Read the message: `status` tells whether it left already.",
    ),
    ErrorEntry(
        "too_many_endpoints",
        RequestRefused,
        "There are as many webhook endpoints as there may be.",
        "Remove one first.",
    ),
    ErrorEntry(
        "nothing_to_redeliver",
        RequestRefused,
        "No event fits what should be delivered again.",
        "Check ids, range or time, and whether the endpoint wants these events.",
    ),
    ErrorEntry(
        "too_many_requests",
        RequestRefused,
        "Too much of this at once.",
        "Wait until what was begun is done.",
        retry=True,
    ),
    # --- not now
    ErrorEntry(
        "intake_full",
        Unavailable,
        "The server has more requests waiting than it may hold.",
        "Wait as long as `Retry-After` says, and send again. The operator sets the limit (PANAL_ACCEPT_QUEUE).",
    ),
    ErrorEntry(
        "reads_full",
        Unavailable,
        "The server has more look-ups waiting than it may hold.",
        "Wait as long as `Retry-After` says, and send again.",
    ),
    ErrorEntry(
        "database_unavailable",
        Unavailable,
        "The database did not answer in time. Nothing was accepted.",
        "Send it again. With an Idempotency-Key nothing is sent twice.",
    ),
    ErrorEntry(
        "database_busy",
        Unavailable,
        "All connections to the database were in use for too long. Nothing was accepted.",
        "Send it again in a moment.",
    ),
    ErrorEntry(
        "no_number",
        Unavailable,
        "No phone number is set up yet: the installation is just starting.",
        "Send it again in a moment; /readyz says when it is ready.",
    ),
    ErrorEntry(
        "command_pending",
        Unavailable,
        "What you asked for is stored and will be done, but the WhatsApp process has not answered yet.",
        "Read the message or the conversation in a moment. Asking again changes nothing more.",
    ),
    ErrorEntry(
        "test_pending",
        Unavailable,
        "The test was sent, and its outcome is not known yet.",
        "Look at the endpoint's attempts in a moment.",
    ),
    ErrorEntry(
        "unavailable",
        Unavailable,
        "A part of the service did not answer in time.",
        "Wait as long as `Retry-After` says, and send it again.",
    ),
    # --- why a message waits, or was not sent
    ErrorEntry(
        "paused",
        PanalError,
        "Somebody paused the number.",
        "Nothing: it leaves when the number is resumed.",
        where="message",
        retry=True,
    ),
    ErrorEntry(
        "campaign_unread",
        PanalError,
        "Its campaign is not known yet to the process that sends: it has just begun.",
        "Nothing: it leaves in a moment.",
        where="message",
        retry=True,
    ),
    ErrorEntry(
        "quiet_hours",
        PanalError,
        "It is `bulk`, and it is night for this number.",
        "Nothing: it leaves at `held_until`.",
        where="message",
        retry=True,
    ),
    ErrorEntry(
        "pair_rate",
        PanalError,
        "WhatsApp allows about one message in 6 seconds to one recipient, after a first burst.",
        "Nothing: it leaves at `held_until`.",
        where="message",
        retry=True,
    ),
    ErrorEntry(
        "daily_recipients",
        PanalError,
        "The number has begun as many conversations in 24 hours as WhatsApp allows it.",
        "Nothing: it leaves at `held_until`. WhatsApp raises the limit as the number's quality grows.",
        where="message",
        retry=True,
    ),
    ErrorEntry(
        "no_evidence",
        PanalError,
        "Nobody can tell whether it left, and no status came in time that proves it.",
        "Ask the recipient, then send it again (it may arrive twice) or cancel it.",
        where="message",
    ),
    ErrorEntry(
        "requested",
        PanalError,
        "Somebody asked for it to be sent again.",
        "Nothing.",
        where="message",
    ),
    # --- WhatsApp
    ErrorEntry(
        "platform_refused",
        PlatformRefused,
        "WhatsApp refused it.",
        "`error` has WhatsApp's own code, its words, and what to do: see the list below.",
        where="message",
    ),
    ErrorEntry(
        "media_damaged",
        PlatformRefused,
        "What WhatsApp gave is not the file that it had announced.",
        "Read it again in a moment; if it stays so, ask the customer to send it again.",
    ),
    ErrorEntry(
        "whatsapp_unreachable",
        Unavailable,
        "WhatsApp could not be reached; nothing was sent.",
        "Nothing: the message is tried again by itself.",
        where="message",
    ),
    ErrorEntry(
        "whatsapp_outcome_unknown",
        PanalError,
        "The request left for WhatsApp, and no answer that can be read came back.",
        "Nothing: a status that proves what happened is waited for.",
        where="log",
    ),
    ErrorEntry(
        "link_unavailable",
        Unavailable,
        "The message could not be handed to WhatsApp; it provably did not leave.",
        "Nothing: it is tried again by itself, at `retry_at`.",
        where="message",
    ),
    ErrorEntry(
        "outcome_unknown",
        PanalError,
        "Nobody can tell whether the message left.",
        "Nothing at first: a status that proves it is waited for. Then it is `uncertain`, and your `on_uncertain` "
        "decides, or you: send it again (it may arrive twice) or cancel it.",
        where="message",
    ),
    # --- ours
    ErrorEntry(
        "fenced",
        PanalError,
        "Another process owns the phone number now; this one stopped.",
        "Nothing: the new owner goes on where the old one stopped.",
        where="log",
    ),
    ErrorEntry(
        "internal",
        PanalError,
        "A fault of ours.",
        "Tell the operator the `request_id`: the log has the reason.",
    ),
    ErrorEntry("http_500", 500, "A fault of ours.", "Tell the operator the `request_id`: the log has the reason."),
)

CATALOGUE: Final = MappingProxyType({entry.code: entry for entry in _ENTRIES})
