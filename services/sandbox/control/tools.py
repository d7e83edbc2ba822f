"""`/_sandbox/log`, `rules`, `settings`, `reset`, `status` and the sample files.

Process: sandbox.
"""

from collections.abc import Callable

from aiohttp import web
from pydantic import ValidationError

from services.sandbox.control.answers import MOST_LISTED, ControlRefused, answer, count_of, json_of, object_of, told
from services.sandbox.hooks.poster import Poster
from services.sandbox.world.life import Life
from services.sandbox.world.mediastore import SAMPLE_TYPES, SAMPLES
from services.sandbox.world.rules import Rule
from services.sandbox.world.seeds import plant
from services.sandbox.world.world import World


class ToolsControl:
    """Handlers of the control API that are about the whole world."""

    def __init__(self, world: World, life: Life, poster: Poster, *, on_reset: Callable[[], object]) -> None:
        self._world = world
        self._on_reset = on_reset
        self._life = life
        self._poster = poster

    async def status(self, request: web.Request) -> web.Response:
        """GET /_sandbox: is it up, and are notifications taken."""
        options = self._world.options
        return answer(
            {
                "phone_number_id": options.number,
                "waba_id": options.waba,
                "webhook_url": self._world.webhook_of(options.waba, options.number),
                "notifications": {
                    "owed": self._world.outbox.owed_count,
                    "delivered": self._poster.delivered_count,
                    "refused": self._poster.failed_count,
                    "last_failure": self._poster.last_failure,
                },
            }
        )

    async def log(self, request: web.Request) -> web.Response:
        """GET /_sandbox/log?after=N: accepted calls that changed something, in order."""
        after = count_of(request, "after", 0)
        body = self._world.calls.after(after, limit=count_of(request, "limit", MOST_LISTED))
        return web.Response(body=body, content_type="application/json")

    async def calls(self, request: web.Request) -> web.Response:
        """GET /_sandbox/calls: the last calls of every kind, refused ones with their reason."""
        return answer(list(self._world.calls.recent))

    async def rules(self, request: web.Request) -> web.Response:
        """GET /_sandbox/rules."""
        return answer(self._world.rules.listed())

    async def add_rules(self, request: web.Request) -> web.Response:
        """POST /_sandbox/rules: one rule, or a list of them."""
        body = await json_of(request)
        try:
            rules = [Rule.model_validate(one) for one in (body if isinstance(body, list) else [body])]
        except ValidationError as error:
            raise told(error) from error
        ids = [self._world.rules.add(rule) for rule in rules]
        await self._world.settled()
        return answer({"id": ids[0], "ids": ids} if ids else {"ids": []})

    async def drop_rules(self, request: web.Request) -> web.Response:
        """DELETE /_sandbox/rules, or one of them by its id."""
        rule_id = request.match_info.get("id")
        if rule_id is None:
            self._world.rules.clear()
        elif not self._world.rules.drop(rule_id):
            raise ControlRefused(f"There is no rule {rule_id}.", status=404)
        await self._world.settled()
        return answer({"success": True})

    async def settings(self, request: web.Request) -> web.Response:
        """GET /_sandbox/settings."""
        return answer(self._world.settings.now.model_dump())

    async def change_settings(self, request: web.Request) -> web.Response:
        """PUT /_sandbox/settings: change the keys that are given."""
        try:
            settings = self._world.settings.change(await object_of(request))
        except ValidationError as error:
            raise told(error) from error
        await self._world.settled()
        return answer(settings.model_dump())

    async def reset(self, request: web.Request) -> web.Response:
        """POST /_sandbox/reset: forget everything, plant the seeds again."""
        self._life.forget()
        self._on_reset()
        self._world.reset()
        plant(self._world)
        await self._world.settled()
        return answer({"success": True})

    async def sample(self, request: web.Request) -> web.StreamResponse:
        """GET /_sandbox/sample.png and its siblings: small real files."""
        ending = request.match_info["ending"]
        kind = SAMPLE_TYPES.get(ending)
        if kind is None:
            raise ControlRefused(f"There is no sample.{ending}; there are: {', '.join(SAMPLE_TYPES)}.", status=404)
        return web.FileResponse(SAMPLES / f"sample.{ending}", headers={"Content-Type": kind})
