"""What a test may change about Meta's side as a whole, while it runs.

Process: sandbox.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from services.sandbox.wire.shapes import Json
from services.sandbox.world.shelf import Shelf
from services.sandbox.world.storage import Storage


class SandboxSettings(BaseModel):
    """The defaults let a load test through; real limits are one setting away."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    throughput_per_s: int = Field(default=0, ge=0)
    """Messages a second of one number before 130429; 0 = no limit. Meta: 80, or 1000."""
    pair_limit: bool = False
    """One message in 6 s to one person, 45 in a burst, then 131056."""
    throttle_http: Literal[400, 429] = 400
    """HTTP status of 130429, 131056, 80007 and 4. Meta's table says 400; some field reports say 429."""
    fetch_links: Literal["none", "loopback", "all"] = "loopback"
    """Which media links are really fetched; one that cannot be ends in 131053. The others are taken as good."""
    approve_after_ms: int = Field(default=0, ge=0, le=24 * 3600 * 1000)
    """From the creation of a template to its approval."""
    template_verdict: Literal["APPROVED", "REJECTED", "PENDING"] = "APPROVED"
    """What becomes of new templates; PENDING: nothing, until the control API says so."""
    media_needs_token: bool = False
    """True: bytes of media want the bearer token beside the url's own hash."""
    media_life_s: int | None = Field(default=None, ge=1)
    """How long media ids live from now on; null: as Meta's do, 30 days for uploads, 7 for what customers send."""
    media_delay_ms: int = Field(default=0, ge=0, le=600_000)
    """Media answers leave this much later."""
    require_proof: bool = False
    """True: every call needs the right `appsecret_proof`, as with Meta's app setting "Require app secret"."""
    system_contacts: bool = False
    """True: `contacts` beside system messages, where Meta sends none."""


class SettingsShelf:
    """The current settings, kept in the storage."""

    def __init__(self, storage: Storage) -> None:
        self._shelf = Shelf(storage, "settings")
        self.now = SandboxSettings()

    def load(self) -> None:
        self._shelf.load()
        self.now = SandboxSettings.model_validate(self._shelf.get("now") or {})

    def change(self, changes: Json) -> SandboxSettings:
        """Change some keys. ValidationError names what is wrong."""
        self.now = SandboxSettings.model_validate({**self.now.model_dump(), **changes})
        self._shelf.put("now", self.now.model_dump())
        return self.now
