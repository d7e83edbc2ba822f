"""From ``webhook_endpoint.*`` events to the guarded writes on endpoints and their streams.

Process: whatsapp.
"""

from services.store import Event, VersionedWrite
from services.webhook_endpoints.documents import ENDPOINTS, STREAMS
from services.webhook_endpoints.records import StreamKind, stream_id

FAMILY = "webhook_endpoint."


def project_webhook_endpoint(event: Event) -> list[VersionedWrite]:
    """The whole state stands in every event, so any of them alone makes the document right."""
    data = event.data
    if not event.type.startswith(FAMILY) or "target_ref" not in data:
        return []
    values = {name: value for name, value in data.items() if name not in ("endpoint_id", "stream_starts")}
    writes = [VersionedWrite(ENDPOINTS, data["endpoint_id"], event.seq, set=values, upsert=True)]
    # A new stream begins where its log stood then. The guard keeps a replay from setting its cursor back.
    for number, cursor in data.get("stream_starts", {}).items():
        begin = {"endpoint": data["endpoint_id"], "number": number, "kind": StreamKind.LIVE.value, "cursor": cursor}
        writes.append(
            VersionedWrite(STREAMS, stream_id(data["endpoint_id"], number), event.seq, set=begin, upsert=True)
        )
    return writes
