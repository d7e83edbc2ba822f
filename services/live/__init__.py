"""Live: the numbered log as its readers see it.

Process: worker, whatsapp.
"""

from services.live.catalogue import EVENT_FAMILIES, EVENT_TYPES
from services.live.event_reader import EventPage, EventReader
from services.live.wire import event_bytes, event_json

__all__ = ["EVENT_FAMILIES", "EVENT_TYPES", "EventPage", "EventReader", "event_bytes", "event_json"]
