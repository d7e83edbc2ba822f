"""Graph error codes as data: HTTP status, title, usual details.

Process: sandbox.

Sources: Meta, "Error codes" (2026-09-11) for code and title; HTTP statuses of the December 2025 edition, where the
later one prints none. Unknown codes get 400.
"""

from dataclasses import dataclass

from config import limits


@dataclass(frozen=True, slots=True)
class Code:
    """One row."""

    code: int
    http: int
    title: str
    details: str | None = None
    kind: str = "OAuthException"

    @property
    def is_late(self) -> bool:
        """The send is answered 200 with a wamid, and fails afterwards in a status."""
        return self.code in limits.LATE_ERROR_CODES


_ROWS = (
    Code(0, 401, "AuthException", "Unable to authenticate the app user."),
    Code(1, 400, "API Unknown", "Invalid request or possible server error."),
    Code(2, 503, "API Service", "Temporary due to downtime or due to being overloaded."),
    Code(3, 500, "API Method", "Capability or permissions issue."),
    Code(4, 400, "Application request limit reached", "The app has reached its API call rate limit."),
    Code(10, 403, "Permission Denied", "Permission is either not granted or has been removed."),
    Code(33, 400, "Parameter value is not valid", "The business phone number has been deleted."),
    Code(100, 400, "Invalid parameter"),
    Code(104, 401, "An access token is required to request this resource."),
    Code(190, 401, "Invalid OAuth access token - Cannot parse access token"),
    Code(200, 403, "API Permission", "Permission is either not granted or has been removed."),
    Code(368, 403, "Temporarily blocked for policies violations", "The account has been restricted or disabled."),
    Code(613, 400, "Calls to this api have exceeded the rate limit."),
    Code(80007, 400, "Rate limit issues", "The WhatsApp Business Account has reached its rate limit."),
    Code(130403, 400, "User is blocked", "Message failed to send because the business has blocked this user."),
    Code(130429, 400, "Rate limit hit", "Cloud API message throughput has been reached."),
    Code(
        130472,
        400,
        "User's number is part of an experiment",
        "Failed to send message because this user's phone number is part of an experiment",
    ),
    Code(130497, 403, "Business account is restricted from messaging users in this country."),
    Code(131000, 500, "Something went wrong", "Message failed to send due to an unknown error."),
    Code(131005, 403, "Access denied", "Permission is either not granted or has been removed."),
    Code(131008, 400, "Required parameter is missing"),
    Code(131009, 400, "Parameter value is not valid"),
    Code(131016, 500, "Service unavailable", "A service is temporarily unavailable."),
    Code(131021, 400, "Recipient cannot be sender", "Sender and recipient phone number is the same."),
    Code(131026, 400, "Message undeliverable", "Message Undeliverable."),
    Code(131030, 400, "Recipient phone number not in allowed list", "Add it to the recipient list and try again."),
    Code(131031, 403, "Account has been locked", "The WhatsApp Business Account has been restricted or disabled."),
    Code(131037, 400, "Display name approval is needed before a message can be sent from this number."),
    Code(131042, 400, "Business eligibility payment issue", "There was an error related to your payment method."),
    Code(131045, 500, "Incorrect certificate", "Message failed to send due to a phone number registration error."),
    Code(
        131047,
        400,
        "Re-engagement message",
        "Message failed to send because more than 24 hours have passed since the customer last replied to this number.",
    ),
    Code(131048, 400, "Spam rate limit hit", "There are restrictions on how many messages this number can send."),
    Code(
        131049,
        400,
        "This message was not delivered to maintain healthy ecosystem engagement.",
        "In order to maintain a healthy ecosystem engagement, the message failed to be delivered.",
    ),
    Code(131050, 400, "Unable to deliver the message. This recipient has chosen to stop receiving marketing messages."),
    Code(131051, 400, "Unsupported message type", "Message type is not currently supported."),
    Code(131052, 400, "Media download error", "Unable to download the media sent by the user."),
    Code(
        131053,
        400,
        "Media upload error",
        "Downloading media from weblink failed with http code 404, status message N/A",
    ),
    Code(131055, 400, "Method not allowed", "Only marketing template messages are allowed."),
    Code(
        131056,
        400,
        "(Business Account, Consumer Account) pair rate limit hit",
        "Message failed to send because there were too many messages sent from this phone number to the same phone "
        "number in a short period of time.",
    ),
    Code(131057, 500, "Account in maintenance mode", "The business account is in maintenance mode."),
    Code(131062, 400, "Business-scoped user ID recipients are not supported for this message."),
    Code(131063, 400, "Marketing templates are disabled on Cloud API."),
    Code(131064, 400, "Messaging limit hit by template classification violations."),
    Code(132000, 400, "Number of parameters does not match the expected number of params"),
    Code(132001, 404, "Template name does not exist in the translation"),
    Code(132005, 400, "Translated text too long"),
    Code(132007, 400, "Template format character policy violated"),
    Code(132008, 400, "Template parameter value is not valid"),
    Code(132012, 400, "Parameter format does not match format in the created template"),
    Code(132015, 400, "Template is Paused", "Template is paused due to low quality."),
    Code(132016, 400, "Template is Disabled", "Template has been paused too many times and is now disabled."),
    Code(132018, 400, "There was an error with the template's parameters"),
    Code(132068, 400, "Flow is blocked", "Flow is in blocked state."),
    Code(132069, 400, "Flow is throttled", "Flow is in throttled state: 10 messages in this hour were sent already."),
    Code(133000, 500, "Incomplete deregistration", "A previous deregistration attempt failed."),
    Code(133004, 503, "Server temporarily unavailable", "Server is temporarily unavailable."),
    Code(133005, 400, "Two step verification PIN mismatch", "The PIN is incorrect."),
    Code(133006, 400, "Phone number re-verification needed", "The phone number must be verified before registering."),
    Code(133008, 400, "Too many two step verification PIN guesses"),
    Code(133009, 400, "Two step verification PIN guessed too fast"),
    Code(133010, 400, "Phone number not registered", "The account does not exist in the Cloud API. Register it first."),
    Code(133015, 400, "Please wait a few minutes before attempting to register this phone number"),
    Code(133016, 400, "Account register/deregister rate limit exceeded"),
    Code(134011, 400, "WhatsApp Payments terms of service has not been accepted"),
    Code(134100, 400, "Only marketing messages supported"),
    Code(134101, 400, "Template is still syncing"),
    Code(134102, 500, "Template unavailable for use"),
    Code(135000, 400, "Generic user error"),
    Code(137000, 400, "Recipient identity key hash mismatch"),
    Code(139100, 400, "Failed to block/unblock some users"),
    Code(139101, 400, "Blocklist limit reached"),
    Code(139102, 400, "Blocklist concurrent update"),
    Code(139103, 400, "Internal error"),
    Code(2388039, 400, "Template is locked"),
)

CODES: dict[int, Code] = {row.code: row for row in _ROWS}


def row_of(code: int) -> Code:
    """The row of a code; one that the table lacks is a plain 400 that says its number."""
    return CODES.get(code) or Code(code, 400, f"Error {code}")
