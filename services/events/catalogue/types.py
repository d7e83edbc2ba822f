"""Every type of event there is, in the order of the docs.

Process: worker.
"""

from typing import Final

from services.events.catalogue.contacts import CONTACT_TYPES
from services.events.catalogue.event_type import EventType
from services.events.catalogue.messages import CONVERSATION_TYPES, MESSAGE_TYPES
from services.events.catalogue.numbers import ACCOUNT_TYPES, NOTIFICATION_TYPES, NUMBER_TYPES
from services.events.catalogue.operation import CAMPAIGN_TYPES, CLUSTER_TYPES, ENDPOINT_TYPES, TEMPLATE_TYPES

CATALOGUE: Final[tuple[EventType, ...]] = (
    *MESSAGE_TYPES,
    *CONVERSATION_TYPES,
    *CONTACT_TYPES,
    *TEMPLATE_TYPES,
    *CAMPAIGN_TYPES,
    *NUMBER_TYPES,
    *ACCOUNT_TYPES,
    *NOTIFICATION_TYPES,
    *ENDPOINT_TYPES,
    *CLUSTER_TYPES,
)

EVENT_TYPES: Final = {one.name: one for one in CATALOGUE}
EVENT_FAMILIES: Final = frozenset(name.partition(".")[0] for name in EVENT_TYPES)
