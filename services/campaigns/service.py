"""What a worker does with campaigns: make them, put people on their lists, look at them.

Process: worker.
"""

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from config.clock import Clock
from config.errors import RequestRefused
from config.ids import ALPHABET, ULID_LENGTH, new_id
from services.campaigns.documents import recipient_record
from services.campaigns.handover import content_for
from services.campaigns.recipients import ListReport, RecipientLists, person_of_contact
from services.campaigns.records import Campaign, CampaignCategory, CampaignStatus, Recipient
from services.campaigns.repository import CampaignRepository
from services.campaigns.requests import CampaignRequest, Person
from services.commands import CommandClient
from services.contacts import ConsentCache, ContactFilter, ContactRepository, contact_record
from services.messages import WrongState

MAX_DRY_RUN_S: Final = 20.0
MAX_SAMPLES: Final = 5


@dataclass(slots=True)
class DryRun:
    """What would happen. ``is_complete`` False: it took too long, and only the first ``looked_at`` were looked at."""

    looked_at: int = 0
    would_send: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    samples: list[dict[str, Any]] = field(default_factory=list)
    is_complete: bool = True

    def skip(self, key: str, reason: str) -> None:
        """One who would get nothing."""
        code = reason.partition(":")[0]
        self.skipped[code] = self.skipped.get(code, 0) + 1
        if len(self.samples) < MAX_SAMPLES:
            self.samples.append({"to": key.partition(":")[2], "reason": reason})


class CampaignService:
    """Creation, lists, previews and dry runs."""

    def __init__(
        self,
        repository: CampaignRepository,
        lists: RecipientLists,
        *,
        contacts: ContactRepository,
        consents: ConsentCache,
        commands: CommandClient,
        clock: Clock,
    ) -> None:
        self._repository = repository
        self._lists = lists
        self._contacts = contacts
        self._consents = consents
        self._commands = commands
        self._clock = clock

    async def create(
        self,
        order: CampaignRequest,
        *,
        number: str,
        numbers: frozenset[str],
        by: str,
        idempotency: tuple[str, bytes] | None,
    ) -> str:
        """Make a campaign, with its list, and start it if that is asked for. Repeating it with the same key is safe.

        ``numbers`` are those to which the caller is limited. ``idempotency`` is its key and the SHA-256 of the body.
        Answers the id. Raises ``RequestRefused``, ``Unavailable``.
        """
        campaign_id = new_id("cmp") if idempotency is None else _id_of(by, idempotency[0])
        data = {
            "campaign_id": campaign_id,
            "number": number,
            "values": order.values,
            "audience": {"label": order.audience.label, "numbers": sorted(numbers)},
            "digest": None if idempotency is None else idempotency[1].hex(),
        }
        result = await self._commands.submit("campaign.create", data, by=by)
        if result["status"] == CampaignStatus.DRAFT.value:
            if order.people:
                await self._lists.add(campaign_id, order.people)
            if order.is_started:
                await self._commands.submit("campaign.start", {"campaign_id": campaign_id}, by=by)
        return campaign_id

    async def add(self, campaign: Campaign, people: Sequence[Person]) -> ListReport:
        """Put people on the list of a draft. Raises ``WrongState``, ``RequestRefused``, ``Unavailable``."""
        _require_list(campaign)
        return await self._lists.add(campaign.id, people, held=await self._repository.count(campaign.id))

    async def add_csv(self, campaign: Campaign, chunks: AsyncIterator[bytes]) -> ListReport:
        """The same from a CSV file, read as it arrives."""
        _require_list(campaign)
        return await self._lists.add_csv(campaign.id, chunks, held=await self._repository.count(campaign.id))

    async def command(self, kind: str, campaign_id: str, *, by: str, values: Mapping[str, Any] | None = None) -> None:
        """Ask the owner to change, start, pause, resume or cancel. Raises what it was refused with."""
        data: dict[str, Any] = {"campaign_id": campaign_id}
        if values is not None:
            data["values"] = dict(values)
        await self._commands.submit(f"campaign.{kind}", data, by=by)

    async def preview(self, campaign: Campaign, *, limit: int) -> list[dict[str, Any]]:
        """What the first recipients would get: the payload, or the reason why nothing."""
        people: list[dict[str, Any]] = []
        async for page in self._pages(campaign, page=limit):
            is_marketing = campaign.category is CampaignCategory.MARKETING
            reasons = await self._consents.blocks_all(
                [person.key for person in page], is_marketing=is_marketing, number=campaign.phone_number_id
            )
            for person in page[: limit - len(people)]:
                content = content_for(campaign.template, person.key, person.variables)
                reason = _opted_out(reasons, person.key) or (content if isinstance(content, str) else None)
                payload = None if reason or isinstance(content, str) else content.payload
                people.append({"to": person.key.partition(":")[2], "payload": payload, "skipped": reason})
            if len(people) >= limit:
                break
        return people

    async def dry_run(self, campaign: Campaign) -> DryRun:
        """Count who would get it and who would not, without sending anything."""
        result, until = DryRun(), self._clock.monotonic() + MAX_DRY_RUN_S
        is_marketing = campaign.category is CampaignCategory.MARKETING
        async for page in self._pages(campaign, page=500):
            if self._clock.monotonic() > until:
                result.is_complete = False
                break
            reasons = await self._consents.blocks_all(
                [person.key for person in page], is_marketing=is_marketing, number=campaign.phone_number_id
            )
            for person in page:
                result.looked_at += 1
                content = content_for(campaign.template, person.key, person.variables)
                reason = _opted_out(reasons, person.key) or (content if isinstance(content, str) else None)
                if reason is None:
                    result.would_send += 1
                else:
                    result.skip(person.key, reason)
        return result

    async def recipients(
        self, campaign: Campaign, *, after: int, limit: int
    ) -> list[tuple[Recipient, Mapping[str, Any]]]:
        """Recipients in the order of the list, each with state and error of its message (empty: there is none yet)."""
        found = await self._repository.recipients(campaign.id, after=after, limit=limit)
        states = await self._repository.statuses([recipient.message_id for recipient in found])
        return [(recipient, states.get(recipient.message_id, {})) for recipient in found]

    async def _pages(self, campaign: Campaign, *, page: int) -> AsyncIterator[list[Person]]:
        """The list, or the contacts of whom it will be made."""
        audience = campaign.audience
        if audience.label is not None and not campaign.progress.is_prepared:
            wanted = ContactFilter(label=audience.label, numbers=frozenset(audience.numbers))
            contacts = self._contacts.walk(wanted, page=page)
            while found := await contacts.next():
                yield [person_of_contact(contact_record(document, wanted.numbers)) for document in found]
            return
        walk = self._repository.walk(campaign.id, page=page)
        while found := await walk.next():
            recipients = [recipient_record(document) for document in found]
            yield [Person(recipient.key, dict(recipient.variables)) for recipient in recipients]


def _opted_out(reasons: Mapping[str, str], key: str) -> str | None:
    return f"opted_out: {reasons[key]}" if key in reasons else None


def _require_list(campaign: Campaign) -> None:
    if campaign.status is not CampaignStatus.DRAFT:
        raise WrongState(f"The campaign is {campaign.status.value}: only a draft takes more recipients.")
    if campaign.audience.label is not None:
        raise RequestRefused("The campaign goes to contacts with a label: it has no list.", code="wrong_audience")


def _id_of(by: str, idempotency_key: str) -> str:
    """The same caller and key: the same campaign, whichever worker is asked."""
    value = int.from_bytes(hashlib.sha256(f"{by}\x1f{idempotency_key}".encode()).digest(), "big")
    return "cmp_" + "".join(ALPHABET[value >> shift & 31] for shift in range(0, ULID_LENGTH * 5, 5))
