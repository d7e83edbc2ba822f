"""Live: the numbered log as its readers see it.

Process: worker.
"""

from services.live.event_reader import EventPage, EventReader

__all__ = ["EventPage", "EventReader"]
