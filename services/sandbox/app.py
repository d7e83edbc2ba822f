"""The sandbox put together: world, life, poster, routes.

Process: sandbox.
"""

import logging
from collections.abc import Awaitable, Callable

from aiohttp import web

from services.sandbox.control.answers import ControlRefused, refusal
from services.sandbox.control.events import EventsControl
from services.sandbox.control.phones import PhonesControl
from services.sandbox.control.tools import ToolsControl
from services.sandbox.graph.context import GraphContext
from services.sandbox.graph.dispatch import GraphApi
from services.sandbox.graph.links import Links
from services.sandbox.hooks.poster import Poster
from services.sandbox.options import Options
from services.sandbox.world.customer import Customer
from services.sandbox.world.life import Life
from services.sandbox.world.mediastore import MediaStore
from services.sandbox.world.reviews import Reviews
from services.sandbox.world.seeds import plant
from services.sandbox.world.world import World

log = logging.getLogger("panal.sandbox")

UPLOAD_LIMIT_BYTES = 110 * 1024 * 1024
ControlHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def build(options: Options) -> web.Application:
    """An application that opens the data folder when it starts and closes it when it stops."""
    world = World(options)
    customer = Customer(world)
    life = Life(world, customer)
    poster = Poster(world.outbox, options)
    media, links, reviews = MediaStore(world), Links(world), Reviews(world)
    app = web.Application(client_max_size=UPLOAD_LIMIT_BYTES)
    tools = ToolsControl(
        world, life, poster, on_reset=lambda: [one() for one in (reviews.forget, links.forget, media.clear)]
    )
    _add_control(app, PhonesControl(world, life, customer), tools, EventsControl(world, reviews))
    graph = GraphApi(GraphContext(world, life, media, links, reviews))
    app.router.add_get("/whatsapp_business/attachments/", graph.bytes_of_media)
    app.router.add_route("*", "/{path:.*}", graph.handle)

    async def start(_: web.Application) -> None:
        world.open()
        plant(world)
        life.load()
        reviews.load()
        await poster.start()

    async def stop(_: web.Application) -> None:
        life.forget()
        reviews.forget()
        await poster.stop()
        await links.close()
        world.close()

    app.on_startup.append(start)
    app.on_cleanup.append(stop)
    return app


def _add_control(app: web.Application, phones: PhonesControl, tools: ToolsControl, events: EventsControl) -> None:
    one_phone = "/_sandbox/phones/{wa_id}"
    routes: list[tuple[str, str, ControlHandler]] = [
        ("GET", "/_sandbox", tools.status),
        ("GET", "/_sandbox/phones", phones.listed),
        ("GET", one_phone, phones.shown),
        ("PUT", one_phone, phones.script),
        ("DELETE", one_phone, phones.unscript),
        ("GET", f"{one_phone}/messages", phones.messages),
        ("POST", f"{one_phone}/messages", phones.write),
        ("GET", "/_sandbox/log", tools.log),
        ("GET", "/_sandbox/calls", tools.calls),
        ("GET", "/_sandbox/rules", tools.rules),
        ("POST", "/_sandbox/rules", tools.add_rules),
        ("DELETE", "/_sandbox/rules", tools.drop_rules),
        ("DELETE", "/_sandbox/rules/{id}", tools.drop_rules),
        ("GET", "/_sandbox/settings", tools.settings),
        ("PUT", "/_sandbox/settings", tools.change_settings),
        ("POST", "/_sandbox/notifications", events.notify),
        ("POST", "/_sandbox/templates/{id}", events.decide),
        ("PUT", "/_sandbox/numbers/{id}", events.change_number),
        ("POST", "/_sandbox/handshake", events.handshake),
        ("POST", "/_sandbox/reset", tools.reset),
        ("GET", "/_sandbox/sample.{ending}", tools.sample),
    ]
    for method, path, handler in routes:
        app.router.add_route(method, path, _told(handler))
    app.router.add_route("*", "/_sandbox/{rest:.*}", _told(_no_such_call))


async def _no_such_call(request: web.Request) -> web.StreamResponse:
    raise ControlRefused(f"The control API has no {request.method} {request.path}.", status=404)


def _told(handler: ControlHandler) -> ControlHandler:
    async def told(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except ControlRefused as error:
            return refusal(error)
        except web.HTTPException:
            raise
        except Exception as error:
            log.exception("a control call broke the sandbox", extra={"action": "control.broken", "path": request.path})
            return refusal(ControlRefused(f"The sandbox broke: {type(error).__name__}: {error}", status=500))

    return told
