"""The console's own things: sessions, the samples behind its charts, and the way to the emulated phones.

Process: worker; whatsapp (makes the secret of the sessions).
"""

from services.console.phones import EmulatedPhones, PhoneAnswer
from services.console.samples import SAMPLES, Sample, Samples, sample_of
from services.console.secret import SessionSecret
from services.console.sessions import IDLE_S, LONGEST_S, Session, SessionEnded, Sessions
from services.console.token import Ticket, sign, verified

__all__ = [
    "IDLE_S",
    "LONGEST_S",
    "SAMPLES",
    "EmulatedPhones",
    "PhoneAnswer",
    "Sample",
    "Samples",
    "Session",
    "SessionEnded",
    "SessionSecret",
    "Sessions",
    "Ticket",
    "sample_of",
    "sign",
    "verified",
]
