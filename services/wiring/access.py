"""Builds authentication and live streams of a worker, and what ends both when a key or session changes.

Process: worker.
"""

from dataclasses import dataclass

from config.clock import Clock
from config.settings import Settings
from services.commands import CommandClient
from services.console import SessionLimits, SessionRepository, Sessions, SessionSecret
from services.events import EventReader, Streams, Tail
from services.keys import AccessChanges, KeyCache, KeyRepository, KeyService, SharedChanges
from services.store import Database, GroupCommit
from services.vault import SecretBox


@dataclass(frozen=True, slots=True)
class Access:
    """What authenticates the callers of one worker, and serves their live streams and long polls."""

    changes: AccessChanges
    keys: KeyService
    key_cache: KeyCache
    sessions: Sessions
    events: EventReader
    streams: Streams


def build_access(
    settings: Settings,
    database: Database,
    *,
    clock: Clock,
    box: SecretBox,
    commands: tuple[CommandClient, GroupCommit],
    bootstrap_digest: str,
    shared: SharedChanges,
) -> Access:
    """``bootstrap_digest``: of the first API key; ``shared``: memory that the workers of this host share, if any."""
    changes = AccessChanges(database, clock, shared=shared)
    repository = KeyRepository(database)
    keys = KeyService(repository, *commands, clock)
    key_cache = KeyCache(repository, clock, bootstrap_digest=bootstrap_digest, changes=changes, note_use=keys.note_use)
    sessions = Sessions(
        SessionSecret(database, box),
        key_cache,
        clock,
        repository=SessionRepository(database),
        changes=changes,
        limits=SessionLimits(idle_s=settings.console_idle_s, longest_s=settings.console_session_s),
    )
    tail = Tail(database, kept=settings.stream_buffer)
    events = EventReader(database, tail, clock)
    streams = Streams(tail, clock, limit=settings.streams_per_worker, max_life_s=settings.stream_max_s)
    changes.attach(events.check_callers, is_needed=lambda: events.is_used)
    changes.attach(streams.check_callers, is_needed=lambda: streams.is_used)
    return Access(changes, keys, key_cache, sessions, events, streams)
