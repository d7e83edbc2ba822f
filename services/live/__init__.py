"""Live: the numbered log as its readers see it.

Process: worker, whatsapp.
"""

from services.live.event_reader import EventPage, EventReader
from services.live.event_types import CATALOGUE, EVENT_FAMILIES, EVENT_TYPES
from services.live.frames import Frame, TypeFilter, frame_of
from services.live.streams import Goodbye, Outlet, Streams, StreamsFull
from services.live.tail import Tail
from services.live.wire import event_bytes, event_json, may_read

__all__ = [
    "CATALOGUE",
    "EVENT_FAMILIES",
    "EVENT_TYPES",
    "EventPage",
    "EventReader",
    "Frame",
    "Goodbye",
    "Outlet",
    "Streams",
    "StreamsFull",
    "Tail",
    "TypeFilter",
    "event_bytes",
    "event_json",
    "frame_of",
    "may_read",
]
