"""What is wrong with a request: the caller can mend it.

Process: worker.
"""

from typing import Final

from blueprints.error_catalogue.records import ErrorEntry
from config.errors import RequestRefused

REQUESTS: Final = (
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
        "template_refused",
        RequestRefused,
        "WhatsApp does not want this template, or this change of it.",
        "Mend what `detail` and `errors` say; WhatsApp's own words are in them.",
    ),
    ErrorEntry(
        "wrong_audience",
        RequestRefused,
        "The campaign goes to contacts with a label: it has no list of its own.",
        "Label the contacts, or make a campaign with a list.",
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
        "path_refused",
        RequestRefused,
        "The path of a Cloud API call has dot segments, encoded separators, backslashes or control characters.",
        "Write ids and edges between single slashes, as Meta documents them.",
    ),
    ErrorEntry(
        "override_refused",
        RequestRefused,
        "A parameter or header would make another call of this one: `method`, `ids`, `batch`, X-HTTP-Method-Override.",
        "Use the HTTP method that you mean, one call for each object.",
    ),
    ErrorEntry(
        "request_unsendable",
        RequestRefused,
        "The request cannot be written in a form that WhatsApp can read; nothing was sent.",
        "Change the message or the file: the log says which part cannot be written.",
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
    ErrorEntry("http_426", 426, "This path speaks WebSocket.", "Open it with a WebSocket client."),
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
        "The API key is valid but lacks the scope, is limited to some numbers where all are needed, or would give more "
        "than it has.",
        "Use a key that has the scope, or one for every number; `detail` and `errors` say what is missing.",
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
        "secret_unreadable",
        RequestRefused,
        "The URL or the signing secret of this endpoint cannot be opened with the installation's PANAL_SECRET_KEY.",
        "Ask the operator to put the former key back. If it is lost: set the URL and the headers again (PATCH), rotate "
        "the secret, then resume the endpoint; what it did not get yet still waits.",
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
    ErrorEntry(
        "too_many_connections",
        RequestRefused,
        "Your address has as many connections, or requests under way behind a proxy, as one may have.",
        "Use fewer, or let those that are open end. The operator sets the limit (PANAL_CONNECTIONS_PER_ADDRESS).",
        retry=True,
    ),
)
