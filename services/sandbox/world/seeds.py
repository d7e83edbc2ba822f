"""What a new world has: one account, one connected number, one approved template.

Process: sandbox.
"""

from services.sandbox.wire.shapes import Json
from services.sandbox.world.world import World

HELLO_WORLD: Json = {
    "name": "hello_world",
    "language": "en_US",
    "category": "UTILITY",
    "parameter_format": "POSITIONAL",
    "status": "APPROVED",
    "components": [
        {"type": "HEADER", "format": "TEXT", "text": "Hello World"},
        {
            "type": "BODY",
            "text": (
                "Welcome and congratulations!! This message demonstrates your ability to send a WhatsApp message "
                "notification from the Cloud API, hosted by Meta. Thank you for taking the time to test with us."
            ),
        },
        {"type": "FOOTER", "text": "WhatsApp Business Platform sample message"},
    ],
}


def plant(world: World) -> None:
    """Add what is not there yet: a restarted world keeps what it has."""
    options = world.options
    if world.accounts.get(options.waba) is None:
        world.accounts.put(options.waba, {"id": options.waba, "name": "Sandbox account"})
        template_id = world.new_object_id("template")
        world.templates.put(template_id, {"id": template_id, "waba": options.waba, **HELLO_WORLD})
    if world.numbers.get(options.number) is None:
        add_number(world, options.number, waba_id=options.waba, display_phone_number=options.display_phone_number)
    world.storage.flush()


def add_number(world: World, number_id: str, *, waba_id: str, display_phone_number: str) -> None:
    """A connected business number of an account."""
    world.numbers.put(
        number_id,
        {
            "id": number_id,
            "waba": waba_id,
            "display_phone_number": display_phone_number,
            "verified_name": "Sandbox",
            "state": "CONNECTED",
            "quality_rating": "GREEN",
        },
    )
