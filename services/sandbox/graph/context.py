"""What every Graph handler has at hand.

Process: sandbox.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from services.sandbox.graph.call import Answer, Call
from services.sandbox.graph.links import Links
from services.sandbox.world.life import Life
from services.sandbox.world.mediastore import MediaStore
from services.sandbox.world.reviews import Reviews
from services.sandbox.world.world import World


@dataclass(frozen=True, slots=True)
class GraphContext:
    """Handed to each handler with the call."""

    world: World
    life: Life
    media: MediaStore
    links: Links
    reviews: Reviews


Handler = Callable[[GraphContext, Call], Awaitable[Answer | web.StreamResponse]]
