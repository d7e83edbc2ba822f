"""What does not work now, why a message waits or was not sent, and faults of ours.

Process: worker.
"""

from typing import Final

from blueprints.error_catalogue.records import ErrorEntry
from config.errors import PanalError, PlatformRefused, Unavailable

TROUBLES: Final = (
    # --- not now
    ErrorEntry(
        "intake_full",
        Unavailable,
        "The server has more requests waiting than it may hold.",
        "Wait as long as `Retry-After` says, and send again. The operator sets the limit (PANAL_ACCEPT_QUEUE).",
    ),
    ErrorEntry(
        "too_many_streams",
        Unavailable,
        "This worker carries as many live streams as it may.",
        "Come back in a moment. The operator sets the limit (PANAL_STREAMS_PER_WORKER).",
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
        "storage_full",
        Unavailable,
        "The database is full, so nothing was accepted.",
        "Tell the operator: the database needs the next tier or a larger disk, and a shorter retention. Then send it "
        "again; with an Idempotency-Key nothing is sent twice.",
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
        "secret_key_mismatch",
        Unavailable,
        "A stored secret cannot be opened with this installation's PANAL_SECRET_KEY.",
        "Tell the operator: /readyz and the log say which key is missing.",
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
        "answer_withheld",
        PlatformRefused,
        "WhatsApp's answer has a credential or a link that Panal cannot take out, so the answer is not handed on.",
        "Ask for fewer fields. A change may have had its effect: read it back. The log says where.",
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
        "write_refused",
        PanalError,
        "The database will never take a change of a document: it would be too large, say.",
        "Look into the log of the WhatsApp process: it names the document. The event stands in the log of events.",
        where="log",
    ),
    ErrorEntry(
        "event_unencodable",
        PanalError,
        "An event can never be stored as it is; `cluster.dead_letter` stands in its place.",
        "Look at `reason` of that event.",
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
