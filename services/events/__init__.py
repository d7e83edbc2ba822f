"""The numbered event log: written by the owner, read by workers, streamed to everybody who listens.

Process: worker, whatsapp.
"""

from services.events.catalogue.types import CATALOGUE, EVENT_FAMILIES, EVENT_TYPES
from services.events.projection_writer import apply_writes
from services.events.reader import EventPage, EventReader
from services.events.stream.frames import Frame, TypeFilter, frame_of
from services.events.stream.streams import Goodbye, Outlet, Streams, StreamsFull
from services.events.stream.tail import Tail
from services.events.wire import event_bytes, event_json, may_read
from services.events.writer import REPLAY, EventWriter

__all__ = [
    "CATALOGUE",
    "EVENT_FAMILIES",
    "EVENT_TYPES",
    "REPLAY",
    "EventPage",
    "EventReader",
    "EventWriter",
    "Frame",
    "Goodbye",
    "Outlet",
    "Streams",
    "StreamsFull",
    "Tail",
    "TypeFilter",
    "apply_writes",
    "event_bytes",
    "event_json",
    "frame_of",
    "may_read",
]
