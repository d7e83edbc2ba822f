"""Every error code that WhatsApp's Cloud API is known to answer with, and what it means for us.

Source: Meta, "Error codes" (developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes,
2026-09-11; HTTP statuses from the 2025 edition); codes that Meta does not list come from captured traffic.

Process: worker (failed statuses), whatsapp, sandbox.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from config import limits
from services.graph.codes import CodeRule, ErrorClass, HoldScope

MINUTE_S = 60.0
HOUR_S = 3600.0
DAY_S = 24 * HOUR_S

MESSAGE, PAIR, NUMBER, ACCOUNT = HoldScope.MESSAGE, HoldScope.PAIR, HoldScope.NUMBER, HoldScope.ACCOUNT

CLASS_DEFAULTS: Mapping[ErrorClass, Mapping[str, Any]] = MappingProxyType(
    {
        ErrorClass.RETRY: {
            "hold_s": 1.0,
            "hold_max_s": 10 * MINUTE_S,
            "next_step": "Nothing to do: it is tried again by itself.",
        },
        ErrorClass.HOLD: {
            "hold_s": HOUR_S,
            "hold_max_s": DAY_S,
            "next_step": "It waits and is tried again by itself; mend the cause to make it leave sooner.",
        },
        ErrorClass.AUTH: {
            "scope": ACCOUNT,
            "hold_s": MINUTE_S,
            "hold_max_s": HOUR_S,
            "next_step": "The operator must check the number, its access token and its permissions; messages wait.",
        },
        ErrorClass.FAIL: {"next_step": "Change the message or the recipient, then send it as a new message."},
    }
)


def _row(klass: ErrorClass, code: int | None, http_status: int, title: str, **facts: Any) -> CodeRule:
    return CodeRule(
        code=code, subcode=facts.pop("subcode", None), http_status=http_status, title=title, klass=klass,
        is_async=code in limits.LATE_ERROR_CODES, **{**CLASS_DEFAULTS[klass], **facts},
    )  # fmt: skip


def _retry(code: int, http_status: int, title: str, **facts: Any) -> CodeRule:
    return _row(ErrorClass.RETRY, code, http_status, title, **facts)


def _hold(code: int, http_status: int, title: str, **facts: Any) -> CodeRule:
    return _row(ErrorClass.HOLD, code, http_status, title, **facts)


def _auth(code: int, http_status: int, title: str, **facts: Any) -> CodeRule:
    return _row(ErrorClass.AUTH, code, http_status, title, **facts)


def _fail(code: int, http_status: int, title: str, **facts: Any) -> CodeRule:
    return _row(ErrorClass.FAIL, code, http_status, title, **facts)


NO_SUCH_OBJECT = (
    "Unsupported {method} request. Object with ID '{id}' does not exist, cannot be loaded due to missing permissions, "
    "or does not support this operation. Please read the Graph API documentation at "
    "https://developers.facebook.com/docs/graph-api"
)
"""The message of 100/33, the Graph API's "not found"; `method` in lower case."""

_BSUID_STEP = "Send to the recipient's phone number."
_TEMPLATE_STEP = "Compare the message with the approved template: name, language, number and kind of parameters."

RULES: tuple[CodeRule, ...] = (
    # --- who are you, and may you
    _auth(0, 401, "AuthException", details="We were unable to authenticate the app user."),
    _auth(3, 500, "API Method", details="Capability or permissions issue."),
    _auth(10, 403, "Permission Denied", details="Permission is either not granted or has been removed."),
    _auth(104, 401, "An access token is required to request this resource"),
    _auth(190, 401, "Access token has expired", details="Your access token has expired or is not valid."),
    _auth(131005, 403, "Access denied", details="Permission is either not granted or has been removed."),
    _auth(131045, 500, "Incorrect certificate", scope=NUMBER,
          details="Message failed to send due to a phone number registration error.",
          next_step="Register the phone number again."),
    _auth(133010, 400, "Phone number not registered", scope=NUMBER,
          details="Phone number not registered on the WhatsApp Business Platform.",
          next_step="Register the phone number."),
    _auth(100, 400, NO_SUCH_OBJECT, subcode=33, scope=NUMBER),
    # --- integrity
    _hold(368, 403, "Temporarily blocked for policies violations", scope=ACCOUNT, hold_s=DAY_S),
    _hold(131031, 403, "Account has been locked", scope=ACCOUNT, hold_s=DAY_S),
    _fail(130497, 403, "Business account is restricted from messaging users in this country"),
    # --- throttling
    _retry(4, 400, "Application request limit reached", scope=ACCOUNT, hold_s=15.0),
    _retry(613, 400, "Calls to this api have exceeded the rate limit.", scope=ACCOUNT, hold_s=15.0),
    _retry(80007, 400, "Rate limit issues", scope=ACCOUNT, hold_s=15.0,
           details="The WhatsApp Business Account has reached its rate limit."),
    _retry(130429, 400, "Rate limit hit", scope=NUMBER, details="Cloud API message throughput has been reached."),
    _retry(131056, 400, "(Business Account, Consumer Account) pair rate limit hit", scope=PAIR, hold_factor=4.0,
           hold_max_s=HOUR_S,
           details="Message failed to send because there were too many messages sent from this phone number to the "
                   "same phone number in a short period of time."),
    _hold(131048, 400, "Spam rate limit hit", scope=NUMBER,
          details="Message failed to send because there are restrictions on how many messages can be sent from this "
                  "phone number. This may be because too many previous messages were blocked or flagged as spam."),
    _hold(131064, 400, "Messaging limit reached due to template classification violations", scope=ACCOUNT),
    _hold(133015, 400, "Please wait a few minutes before attempting to register this phone number", scope=NUMBER,
          hold_s=5 * MINUTE_S),
    _hold(133016, 400, "Account register deregister rate limit exceeded", scope=NUMBER, hold_s=DAY_S),
    # --- the platform is unwell
    _retry(1, 400, "API Unknown", details="Invalid request or possible server error."),
    _retry(2, 503, "API Service", scope=ACCOUNT, hold_s=2.0,
           details="Temporary due to downtime or due to being overloaded."),
    _retry(131000, 500, "Something went wrong", details="Message failed to send due to an unknown error."),
    _retry(131016, 500, "Service unavailable", scope=NUMBER, hold_s=2.0,
           details="A service is temporarily unavailable."),
    _retry(131057, 500, "Account in maintenance mode", scope=NUMBER, hold_s=15.0,
           details="Business Account is in maintenance mode."),
    _retry(133000, 500, "Incomplete Deregistration", scope=NUMBER, details="A previous deregistration attempt failed."),
    _retry(133004, 503, "Server Temporarily Unavailable", scope=NUMBER, hold_s=2.0,
           details="Server is temporarily unavailable."),
    # --- the request
    _fail(33, 400, "Parameter value is not valid", details="The business phone number has been deleted."),
    _fail(100, 400, "Invalid parameter"),
    _fail(803, 404, "Phone number not found"),
    _fail(131008, 400, "Required parameter is missing"),
    _fail(131009, 400, "Parameter value is not valid"),
    _fail(131051, 400, "Unsupported message type", details="Message type is currently not supported."),
    _fail(131055, 400, "Method not allowed", details="Only marketing template messages are supported."),
    _fail(131062, 400, "Business-scoped user ID recipients are not supported for this message",
          next_step=_BSUID_STEP),
    _fail(131063, 400, "Marketing templates are disabled on Cloud API"),
    _fail(135000, 400, "Generic user error", details="Message failed to send because of an unknown error with your "
                                                     "request parameters."),
    # --- the recipient
    _fail(130403, 400, "Message not sent because the business has blocked this user",
          next_step="Unblock the user first."),
    _fail(130472, 400, "User's number is part of an experiment",
          details="Failed to send message because this user's phone number is part of an experiment"),
    _fail(131021, 400, "Recipient cannot be sender", details="Sender and recipient phone number is the same."),
    _fail(131026, 400, "Message undeliverable", details="Message Undeliverable.",
          next_step="Check that the number is on WhatsApp, and ask for it to be reached another way."),
    _fail(131030, 400, "Recipient phone number not in allowed list",
          details="Recipient phone number not in allowed list: Add recipient phone number to recipient list and try "
                  "again."),
    _fail(131047, 400, "Re-engagement message",
          details="Message failed to send because more than 24 hours have passed since the customer last replied to "
                  "this number.",
          next_step="Send a template message."),
    _hold(131049, 400, "This message was not delivered to maintain healthy ecosystem engagement.", scope=MESSAGE,
          hold_s=DAY_S, hold_max_s=7 * DAY_S,
          details="In order to maintain a healthy ecosystem engagement, the message failed to be delivered."),
    _fail(131050, 400, "User has stopped marketing messages from this business",
          details="Unable to deliver the message. This recipient has chosen to stop receiving marketing messages on "
                  "WhatsApp from your business."),
    _fail(137000, 400, "Recipient identity key hash mismatch"),
    # --- the account
    _hold(131037, 400, "WhatsApp provided number needs display name approval before message can be sent.",
          scope=NUMBER),
    _hold(131042, 400, "Business eligibility payment issue", scope=ACCOUNT,
          details="Message failed to send because there were one or more errors related to your payment method.",
          next_step="Mend the payment method of the WhatsApp Business Account."),
    _hold(131044, 400, "Business eligibility payment issue", scope=ACCOUNT),
    _fail(134011, 400, "WhatsApp payments terms of service has not been accepted"),
    # --- media
    _fail(131052, 400, "Media download error", details="Unable to download the media sent by the user."),
    _fail(131053, 400, "Media upload error", details="Unable to upload the media used in the message."),
    # --- templates and flows
    _fail(132000, 400, "Number of parameters does not match the expected number of params", next_step=_TEMPLATE_STEP),
    _fail(132001, 404, "Template name does not exist in the translation", next_step=_TEMPLATE_STEP),
    _fail(132005, 400, "Translated text too long", next_step=_TEMPLATE_STEP),
    _fail(132007, 400, "Template format character policy violated", next_step=_TEMPLATE_STEP),
    _fail(132008, 400, "Template parameter value is not valid", next_step=_TEMPLATE_STEP),
    _fail(132012, 400, "Parameter format does not match format in the created template", next_step=_TEMPLATE_STEP),
    _hold(132015, 400, "Template is paused", scope=MESSAGE, hold_s=3 * HOUR_S,
          details="Template is paused due to low quality so it cannot be sent in a template message."),
    _fail(132016, 400, "Template is disabled",
          details="Template has been paused too many times due to low quality and is now permanently disabled."),
    _fail(132018, 400, "Template validation error", next_step=_TEMPLATE_STEP),
    _hold(132068, 400, "Flow is blocked", scope=MESSAGE, details="Flow is in blocked state."),
    _hold(132069, 400, "Flow is throttled", scope=MESSAGE,
          details="Flow is in throttled state and 10 messages using this flow were already sent in the last hour."),
    # --- registration
    _fail(133005, 400, "Two step verification PIN Mismatch"),
    _fail(133006, 400, "Phone number re-verification needed"),
    _hold(133008, 400, "Too Many two step verification PIN Guesses", scope=NUMBER),
    _hold(133009, 400, "Two step verification PIN Guessed Too Fast", scope=NUMBER, hold_s=5 * MINUTE_S),
    # --- marketing messages API
    _fail(134100, 400, "Only marketing messages are supported"),
    _retry(134101, 400, "Template is still syncing", hold_s=10 * MINUTE_S),
    _fail(134102, 500, "Template is unavailable for this API"),
    # --- groups
    _fail(131020, 400, "Group is not valid"),
    _fail(131041, 400, "Group message not allowed"),
    _fail(131059, 400, "Group operation not allowed"),
    # --- templates, created or edited: the subcode of code 100 says what is wrong
    _fail(100, 400, "Message template limit exceeded", subcode=2388019),
    _fail(100, 400, "Template name and language already exist", subcode=2388024),
    _fail(100, 400, "Template status cannot be changed now", subcode=2388039),
    _fail(100, 400, "Character limit exceeded", subcode=2388040),
    _fail(100, 400, "Message header format is incorrect", subcode=2388047),
    _fail(100, 400, "Message body format is incorrect", subcode=2388072),
    _fail(100, 400, "Message footer format is incorrect", subcode=2388073),
    _fail(100, 400, "Parameters to words ratio exceeds limit", subcode=2388293),
    _fail(100, 400, "Leading or trailing parameters are not allowed", subcode=2388299),
)  # fmt: skip

BY_CODE: Mapping[tuple[int | None, int | None], CodeRule] = MappingProxyType(
    {(rule.code, rule.subcode): rule for rule in RULES}
)

RANGES: tuple[tuple[range, CodeRule], ...] = (
    (range(200, 300), _auth(200, 403, "API Permission", details="Permission is not granted or has been removed.")),
    (range(131201, 131216), _fail(131201, 400, "Group error")),
    (range(138000, 138019), _fail(138000, 400, "Calling error")),
    (range(139000, 139005), _fail(139000, 400, "Flow error")),
    (range(139100, 139104), _fail(139100, 400, "Block list error")),
    (range(147001, 147006), _fail(147001, 400, "Username error")),
)
"""Families whose members mean the same for a message; `classify` puts the true code into the answer."""
