"""The console's own things: sessions, quick replies, the samples behind its charts, and the way to the emulated phones.

Process: worker; whatsapp (makes the secret of the sessions, writes quick replies).
"""

from services.console.phones import EmulatedPhones, PhoneAnswer
from services.console.quick_replies import MAX_SHORTCUT, MAX_TEXT, QuickReplies, QuickReply, quick_reply_commands
from services.console.requests import QuickReplyRequest, parse_quick_reply, parse_quick_reply_change
from services.console.samples import SAMPLES, Sample, Samples, sample_of
from services.console.secret import SESSION_SECRET, SessionSecret
from services.console.session_records import SessionRepository
from services.console.sessions import Session, SessionEnded, SessionLimits, Sessions
from services.console.token import Ticket, sign, verified

__all__ = [
    "MAX_SHORTCUT",
    "MAX_TEXT",
    "SAMPLES",
    "SESSION_SECRET",
    "EmulatedPhones",
    "PhoneAnswer",
    "QuickReplies",
    "QuickReply",
    "QuickReplyRequest",
    "Sample",
    "Samples",
    "Session",
    "SessionEnded",
    "SessionLimits",
    "SessionRepository",
    "SessionSecret",
    "Sessions",
    "Ticket",
    "parse_quick_reply",
    "parse_quick_reply_change",
    "quick_reply_commands",
    "sample_of",
    "sign",
    "verified",
]
