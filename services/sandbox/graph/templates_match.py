"""A template send against the catalogue: it exists, is approved, and gets as many parameters as it has.

Process: sandbox.
"""

from services.sandbox.wire.faults import GraphFault
from services.sandbox.wire.shapes import Json
from services.sandbox.world.world import World


def template_in_use(world: World, waba_id: str, content: object) -> Json:
    """The template that a message names. GraphFault 132001 and its family where it cannot be sent."""
    template = content if isinstance(content, dict) else {}
    name, language = template.get("name"), (template.get("language") or {}).get("code")
    found = find_template(world, waba_id, str(name), str(language))
    if found is None or found["status"] in ("PENDING", "REJECTED"):
        raise GraphFault(132001, f"template name ({name}) does not exist in {language}")
    return found


def find_template(world: World, waba_id: str, name: str, language: str) -> Json | None:
    for _, template in world.templates.items():
        if template["waba"] == waba_id and template["name"] == name and template["language"] == language:
            return template
    return None
