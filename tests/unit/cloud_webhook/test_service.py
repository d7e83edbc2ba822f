"""What Meta posts is stored or refused so that it comes again."""

import asyncio

import pytest

from blueprints.errors import status_of
from config.errors import Unavailable
from services.cloud_webhook import CloudWebhookService, WebhookSecrets, signature_of
from services.store import GroupCommit, StorageFull
from tests.doubles.clock import ManualClock, virtual_time
from tests.doubles.database import MemoryDatabase, Trouble

BODY = b'{"object":"whatsapp_business_account","entry":[]}'
SECRET = "sandbox-secret"


@virtual_time
async def test_while_the_database_is_full_meta_is_told_503_and_loses_nothing() -> None:
    database = MemoryDatabase()
    database.trouble.append(Trouble(StorageFull(detail="over your space quota")))
    inbox = CloudWebhookService(
        database,  # type: ignore[arg-type]
        inserts=GroupCommit(database, "notifications", max_waiting=10),  # type: ignore[arg-type]
        secrets=WebhookSecrets(app_secret=SECRET, verify_token="x"),
        clock=ManualClock(),
    )
    with pytest.raises(Unavailable) as refused:
        await inbox.receive(BODY, signature_of(BODY, SECRET))
    assert (status_of(refused.value), refused.value.retry_after_s) == (503, 60)
    assert database.rows.get("notifications", {}) == {}
    stored = await inbox.receive(BODY, signature_of(BODY, SECRET))
    assert list(database.rows["notifications"]) == [stored]


@virtual_time
async def test_at_once_only_what_is_signed_and_has_room_is_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    database = MemoryDatabase(gate=asyncio.Event())
    inbox = CloudWebhookService(
        database,  # type: ignore[arg-type]
        inserts=GroupCommit(database, "notifications", max_waiting=2),  # type: ignore[arg-type]
        secrets=WebhookSecrets(app_secret=SECRET, verify_token="x"),
        clock=ManualClock(),
    )
    for signature in (None, "", "sha1=abc", signature_of(BODY + b" ", SECRET)):
        assert inbox.begin(BODY, signature) is None
    first = inbox.begin(BODY, signature_of(BODY, SECRET))
    assert first is not None
    await asyncio.sleep(0.01)  # it is on its way
    waiting = [inbox.begin(BODY, signature_of(BODY, SECRET)) for _ in range(3)]
    assert [one is None for one in waiting] == [False, False, True], "two may wait"
    assert database.gate is not None
    database.gate.set()
    for storing in (first, waiting[0], waiting[1]):
        assert storing is not None
        await storing.done
        storing.result()
    assert len(database.rows["notifications"]) == 3
    database.trouble.append(Trouble(StorageFull(detail="over your space quota")))
    full = inbox.begin(BODY, signature_of(BODY, SECRET))
    assert full is not None
    await asyncio.wait([full.done])
    with pytest.raises(Unavailable) as refused:
        full.result()
    assert refused.value.retry_after_s == 60
    monkeypatch.setattr("services.cloud_webhook.service.MOST_WAITING_BYTES", len(BODY) - 1)
    assert inbox.begin(BODY, signature_of(BODY, SECRET)) is None
