"""The person at the phone writes: their message is kept, and its signed notification is owed.

Process: sandbox.
"""

from services.sandbox.wire.notifications import inbound_head, message_event
from services.sandbox.wire.shapes import Json
from services.sandbox.world.inbound import inbound_content
from services.sandbox.world.messages import WRITTEN, Facts, Message
from services.sandbox.world.phones import Phone
from services.sandbox.world.rules import Verdict
from services.sandbox.world.world import Delivery, World

RIDERS = ("referral", "errors", "group_id")


class Customer:
    """What people at phones do. `write` is the control API's call; `answer` is a scripted reply."""

    def __init__(self, world: World) -> None:
        self._world = world

    def answer(self, phone: Phone, received: Message, reply: Json) -> str:
        """A scripted reply to a message that the phone received."""
        return self.write(phone, reply, phone_number_id=received.number, received=received)

    def write(
        self,
        phone: Phone,
        message: Json,
        *,
        phone_number_id: str,
        received: Message | None = None,
        verdict: Verdict | None = None,
    ) -> str:
        """The person sends this message object to the number; gives its wamid. ValueError says what is wrong with it.

        `received` is what a reply without a context answers to, where its kind needs one (a pressed button).
        """
        world = self._world
        sender = world.sender_of(phone_number_id)
        kind, content = inbound_content(world, message, sender=sender, received=received)
        at = world.now()
        n = world.messages.next_n()
        wamid = world.ids.wamid(phone.key, n, is_inbound=True)
        body: Json = {**content, **{rider: message[rider] for rider in RIDERS if rider in message}}
        kept = Message(
            phone=phone.key,
            number=phone_number_id,
            wamid=wamid,
            at=at,
            direction=WRITTEN,
            type=kind,
            status="received",
            waits=False,
            body=body,
            facts=Facts(),
        )
        world.messages.keep(n, kept)
        if phone.key in (world.numbers.get(phone_number_id) or {}).get("blocked", {}):
            return wamid  # the business blocked this person: it is not told
        event = {**inbound_head(phone.person, wamid, int(at)), "type": kind, **body}
        is_bare = kind == "system" and not world.settings.now.system_contacts
        if is_bare:
            event.pop("from_user_id", None)
        world.notify(
            message_event(sender, event, person=None if is_bare else phone.person),
            waba_id=sender.waba_id,
            phone_number_id=phone_number_id,
            lane=phone.key,
            delivery=Delivery(verdict.extra_copies, verdict.shuffles) if verdict else None,
        )
        return wamid
