"""What Meta posts is stored or refused so that it comes again."""

import pytest

from blueprints.errors import status_of
from config.errors import Unavailable
from services.cloud_webhook import WebhookInbox, WebhookSecrets, signature_of
from services.store import GroupCommit, StorageFull
from tests.doubles.clock import ManualClock, virtual_time
from tests.doubles.database import MemoryDatabase, Trouble

BODY = b'{"object":"whatsapp_business_account","entry":[]}'
SECRET = "sandbox-secret"


@virtual_time
async def test_while_the_database_is_full_meta_is_told_503_and_loses_nothing() -> None:
    database = MemoryDatabase()
    database.trouble.append(Trouble(StorageFull(detail="over your space quota")))
    inbox = WebhookInbox(
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
