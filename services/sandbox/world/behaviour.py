"""How a phone behaves: what a test scripts about the person at the other end.

Process: sandbox.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

ONE_DAY_MS = 24 * 3600 * 1000


class Behaviour(BaseModel):
    """The defaults are a phone that is on, in an open window, and reads everything at once."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    delivers: bool = True
    """False: the phone never says that it got a message. It gets what waited when this turns true."""
    reads: bool = True
    """False: messages stay `delivered`. They turn `read` when this turns true."""
    delay_ms: int = Field(default=0, ge=0, le=ONE_DAY_MS)
    """Between sent and delivered, between delivered and read, between read and the reply."""
    replies: str | dict[str, Any] | list[str | dict[str, Any]] | None = None
    """What the person answers to each message: a text, a message object, or a list that is used up in turn."""
    blocked: bool = False
    """The person blocked the business: messages stay `sent` for ever."""
    online: bool = True
    """False: messages wait, and are delivered in order when this turns true."""
    name: str | None = Field(default=None, max_length=100)
    username: str | None = Field(default=None, max_length=100)
    hides_number: bool = False
    """The person has a username and no phone number to be seen: notifications carry the user id alone."""
    window: Literal["open", "closed", "auto"] = "open"
    """The customer service window. `auto` is the real rule: open for 24 h after the person wrote."""
    fails: int | None = Field(default=None, ge=0)
    """Every message to this phone ends in this error code, at once or in a `failed` status as the code is."""
    plays: bool = False
    """A voice note also gets the status `played`."""
    aliases: list[str] = Field(default_factory=list, max_length=10)
    """Other ways to write this number (Brazil's ninth digit, Mexico's 1): sends to them arrive here."""

    @property
    def takes_messages(self) -> bool:
        """Whether a message reaches the phone now."""
        return self.delivers and self.online and not self.blocked


STANDARD = Behaviour()
