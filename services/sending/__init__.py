"""Sending: queue → lanes → policy → dispatch → link. Only the owner does it.

Process: whatsapp.
"""

from services.sending.commands import MessageCommands
from services.sending.dispatch import Dispatcher
from services.sending.evidence import LinkAnswers
from services.sending.holds import Freed, Holds
from services.sending.lane_loader import LaneLoader
from services.sending.lanes import Lanes
from services.sending.link_ids import PreparedLink
from services.sending.number_limits import limits_of, set_number
from services.sending.options import DispatchOptions
from services.sending.queue_reader import BULK_EVERY, Depth, Due, Queue, QueueReader, Released
from services.sending.rate_limiter import QuietHours, RateLimiter, SendLimits
from services.sending.read_marks import ReadMarks
from services.sending.send_policy import Consents, SendPolicy, contact_of

__all__ = [
    "BULK_EVERY",
    "Consents",
    "Depth",
    "DispatchOptions",
    "Dispatcher",
    "Due",
    "Freed",
    "Holds",
    "LaneLoader",
    "Lanes",
    "LinkAnswers",
    "MessageCommands",
    "PreparedLink",
    "Queue",
    "QueueReader",
    "QuietHours",
    "RateLimiter",
    "ReadMarks",
    "Released",
    "SendLimits",
    "SendPolicy",
    "contact_of",
    "limits_of",
    "set_number",
]
