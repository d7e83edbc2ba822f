"""Who must not be written to? The owner's state, all in memory, and the workers' reader with a few seconds of cache.

Process: whatsapp (ConsentBook), worker (ConsentReader).
"""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from config.clock import Clock
from services.contacts.documents import CONTACTS, OUT_AT_NUMBERS, category_of
from services.contacts.profiles import outs_at, strictest
from services.contacts.records import ConsentCategory
from services.store import AHEAD_S, AscendingReader, Database, Document, SingleFlight

REASONS: Final = {
    ConsentCategory.ALL: "opted out of all messages",
    ConsentCategory.MARKETING: "opted out of marketing messages",
}
OPTED_OUT: Final = "opted_out"
"""The code of a message that was not sent for this reason. Meta's own for marketing is 131050."""

FRESH_S: Final = 3.0
MAX_CACHED: Final = 10_000
MOST_AT_ONCE: Final = 500
FEW: Final = 250
"""So many are read at once: at 60 bytes each they come to 5 kB a second while somebody asks."""
MANY_S: Final = 60.0
"""How long it is believed that they are many."""

Outs = Mapping[str, ConsentCategory]
"""What somebody is opted out of: by our number, or under ``EVERYWHERE`` at all of them."""
Consents = dict[str, Outs]
"""What those who opted out are opted out of, by key of the contact."""
EVERYWHERE: Final = ""
OUT: Final = (*(category.value for category in ConsentCategory), OUT_AT_NUMBERS)
"""Values of ``opted_out`` of those who must not get something from somebody."""


def reason_of(opted_out: ConsentCategory | None, *, is_marketing: bool) -> str | None:
    """Why a message must not be sent to somebody who opted out of this, in words that follow "the recipient"."""
    if opted_out is None or (opted_out is ConsentCategory.MARKETING and not is_marketing):
        return None
    return REASONS[opted_out]


def category_at(outs: Outs | None, number: str | None) -> ConsentCategory | None:
    """What somebody with these opt-outs is opted out of at one of our numbers; None: as far as all of them go."""
    if not outs:
        return None
    found = strictest([outs.get(EVERYWHERE), outs.get(number) if number else None])
    return ConsentCategory(found) if found else None


class ConsentState:
    """Everybody who opted out, as 8 bytes each, so that a look costs nothing and nothing is ever forgotten.

    The first ``load`` reads them all; from then on the owner, the only writer, notes each decision as it records it:
    the state is ahead of the database by what the event writer still has to write. 100,000 people take about 10 MB.
    """

    def __init__(self, database: Database) -> None:
        """Empty, and not to be asked before the first ``load``."""
        self._database = database
        self._out: dict[ConsentCategory, set[int]] = {category: set() for category in ConsentCategory}
        self._out_at: dict[ConsentCategory, set[int]] = {category: set() for category in ConsentCategory}
        self._loading = asyncio.Lock()
        self.is_loaded = False

    def __len__(self) -> int:
        """Keys of contacts that are held."""
        return sum(len(keys) for held in (self._out, self._out_at) for keys in held.values())

    async def load(self, keys: Iterable[str] = ()) -> None:
        """Make sure that these contacts are known: all of them are, after the first call. Raises ``Unavailable``."""
        async with self._loading:
            if self.is_loaded:
                return
            for value in OUT:
                fields = {"keys": 1, "opted_out": 1, "consent_at": 1}
                walk = AscendingReader(self._database, CONTACTS, {"opted_out": value}, projection=fields, page=2_000)
                while found := await walk.next():
                    for document in found:
                        outs = {number: category_of(out) for number, out in outs_at(document).items()}
                        self.note(document["keys"], category_of(document.get("opted_out")), outs)
            self.is_loaded = True

    def note(
        self,
        keys: Sequence[str],
        opted_out: ConsentCategory | None,
        at: Mapping[str, ConsentCategory | None] | None = None,
    ) -> None:
        """Remember what these keys of one contact are opted out of now; ``at``: at single numbers of ours."""
        _hold(self._out, [_digest(key) for key in keys], opted_out)
        for number, out in (at or {}).items():
            _hold(self._out_at, [_digest(f"{number}|{key}") for key in keys], out)

    def opted_out(self, key: str, number: str | None = None) -> ConsentCategory | None:
        """What this contact is opted out of: at all our numbers, or at this one as well."""
        if not self.is_loaded:
            raise RuntimeError("the consent state was asked before it was loaded")
        digest, at = _digest(key), _digest(f"{number}|{key}") if number and any(self._out_at.values()) else None
        return next(
            (one for one in REASONS if digest in self._out[one] or (at is not None and at in self._out_at[one])), None
        )

    def blocks(self, key: str, *, is_marketing: bool, number: str | None = None) -> str | None:
        """Why this contact must not get a message (from ``number``), or None. Memory only."""
        return reason_of(self.opted_out(key, number), is_marketing=is_marketing)


class ConsentCache:
    """The same question in a worker, at most ``fresh_s`` seconds behind the database.

    While few people have opted out it reads all of them at once, every ``fresh_s`` seconds and only while somebody
    asks: then a message costs no operation for it. Past ``few`` it reads those who are asked about, all that ask at
    the same time together, and remembers them.
    """

    def __init__(self, database: Database, clock: Clock, *, fresh_s: float = FRESH_S, few: int = FEW) -> None:
        self._database = database
        self._clock = clock
        self._fresh_s = fresh_s
        self._few_most = few
        self._few: Consents | None = None
        self._few_until = float("-inf")
        self._everybody: SingleFlight[None, Consents | None] = SingleFlight(self._read_everybody)
        self._cached: OrderedDict[str, tuple[float, Outs | None]] = OrderedDict()
        self._asked: dict[str, asyncio.Future[None]] = {}
        self._looking: asyncio.Task[None] | None = None
        self._line = database.operation_budget.queue(weight=3.0)

    async def blocks(self, key: str, *, is_marketing: bool, number: str | None = None) -> str | None:
        """Why this contact must not get a message (from ``number``), or None. Raises ``Unavailable``."""
        if self._few is not None and self._few_until - self._clock.monotonic() > AHEAD_S:
            outs = self._few.get(key)  # nearly always, once for every message
            return reason_of(category_at(outs, number), is_marketing=is_marketing) if outs else None
        return (await self.blocks_all([key], is_marketing=is_marketing, number=number)).get(key)

    def lets_pass(self, key: str, *, is_marketing: bool, number: str | None = None) -> bool:
        """Is it known just now that nothing blocks? False says nothing: ``blocks`` does."""
        now = self._clock.monotonic()
        left_s = self._few_until - now
        if left_s <= 0:
            return False
        if left_s < AHEAD_S:
            self._everybody.begin(None)
        if self._few is not None:
            outs = self._few.get(key)
            return not outs or reason_of(category_at(outs, number), is_marketing=is_marketing) is None
        read_at, outs = self._cached.get(key, (float("-inf"), None))
        is_fresh = now - read_at < self._fresh_s
        return is_fresh and reason_of(category_at(outs, number), is_marketing=is_marketing) is None

    async def blocks_all(self, keys: Sequence[str], *, is_marketing: bool, number: str | None = None) -> dict[str, str]:
        """Reasons by key, for those that must not get a message (from ``number``). Raises ``Unavailable``."""
        left_s = self._few_until - self._clock.monotonic()
        few = self._few if left_s > 0 else await self._everybody.get(None)
        if 0 < left_s < AHEAD_S:
            self._everybody.begin(None)
        opted_out = {key: few.get(key) for key in keys} if few is not None else await self._look_up(keys)
        categories = {key: category_at(outs, number) for key, outs in opted_out.items()}
        found = {key: reason_of(category, is_marketing=is_marketing) for key, category in categories.items()}
        return {key: reason for key, reason in found.items() if reason is not None}

    async def _read_everybody(self, _: None) -> Consents | None:
        """Everybody who opted out, or None when these are many."""
        began = self._clock.monotonic()
        found = await self._database.find(
            CONTACTS,
            {"opted_out": {"$in": list(OUT)}},
            projection={"keys": 1, "opted_out": 1, "consent_at": 1},
            limit=self._few_most + 1,
        )
        is_few = len(found) <= self._few_most
        self._few = _by_key(found) if is_few else None
        self._few_until = began + (self._fresh_s if is_few else MANY_S)
        return self._few

    async def _look_up(self, keys: Sequence[str]) -> dict[str, Outs | None]:
        """These contacts, from memory or in one read with the others asked for just now. Raises ``Unavailable``."""
        now = self._clock.monotonic()
        opted_out: dict[str, Outs | None] = {}
        missing: dict[str, asyncio.Future[None]] = {}
        for key in keys:
            cached = self._cached.get(key)
            if cached is not None and now - cached[0] < self._fresh_s:
                opted_out[key] = cached[1]
            else:
                missing[key] = self._asked.setdefault(key, asyncio.get_running_loop().create_future())
        if missing:
            if self._looking is None:
                self._looking = asyncio.create_task(self._look_up_asked(), name="consents-asked")
            await asyncio.gather(*(asyncio.shield(future) for future in missing.values()))
            opted_out |= {key: self._cached[key][1] for key in missing if key in self._cached}
        return opted_out

    async def _look_up_asked(self) -> None:
        try:
            while self._asked:
                await self._line.turn()
                asked = {key: self._asked.pop(key) for key in list(self._asked)[:MOST_AT_ONCE]}
                now = self._clock.monotonic()
                try:
                    read = await opted_out_among(self._database, list(asked))
                except Exception as error:
                    for future in asked.values():
                        future.set_exception(error)
                        future.exception()  # read here, so that it is not logged as never retrieved
                    continue
                for key, future in asked.items():
                    self._cached[key] = (now, read.get(key))
                    self._cached.move_to_end(key)
                    future.set_result(None)
                while len(self._cached) > MAX_CACHED:
                    self._cached.popitem(last=False)
        finally:
            self._looking = None


async def opted_out_among(database: Database, keys: Sequence[str]) -> Consents:
    """What those of these contacts that opted out are opted out of, straight from the database."""
    found = await database.find(
        CONTACTS,
        {"keys": {"$in": list(keys)}},
        projection={"keys": 1, "opted_out": 1, "consent_at": 1},
        limit=len(keys) * 2,
    )
    return _by_key(found)


def _by_key(found: Sequence[Document]) -> Consents:
    answer: Consents = {}
    for document in found:
        if not document.get("opted_out"):
            continue
        everywhere = {EVERYWHERE: document["opted_out"]} if category_of(document["opted_out"]) else {}
        for key in document["keys"]:
            # One person may stand in two contacts (their number, their user id): the stricter decision counts.
            outs = dict(answer.get(key, {}))
            for number, out in {**everywhere, **outs_at(document)}.items():
                outs[number] = ConsentCategory(strictest([out, outs.get(number)]) or out)
            answer[key] = outs
    return answer


def _hold(state: Mapping[ConsentCategory, set[int]], digests: Sequence[int], opted_out: ConsentCategory | None) -> None:
    for category, held in state.items():
        if category is opted_out:
            held.update(digests)
        else:
            held.difference_update(digests)


def _digest(key: Any) -> int:
    return int.from_bytes(hashlib.blake2b(str(key).encode(), digest_size=8).digest(), "big")
