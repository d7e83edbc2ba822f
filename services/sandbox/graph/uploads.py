"""Resumable uploads: a session at `/{app}/uploads`, the bytes at `/upload:…`, a handle for profiles and templates.

Process: sandbox.

Source: Meta, "Resumable Upload API". The session id holds `?sig=`: in a url it is a path and a query.
"""

import hashlib

from config.digits import whole_number_in
from services.sandbox.graph.call import RAW_PREFIX, Answer, Call
from services.sandbox.graph.context import GraphContext
from services.sandbox.wire.faults import GraphFault, missing
from services.sandbox.wire.shapes import Json
from services.sandbox.world.mediastore import LIMITS_BYTES


async def open_upload(context: GraphContext, call: Call) -> Answer:
    """Every number is a good app id."""
    length, kind = call.parameter("file_length"), call.parameter("file_type")
    for name, value in (("file_length", length), ("file_type", kind)):
        if not value:
            raise missing(name)
    size = whole_number_in(str(length), most=LIMITS_BYTES["document"])
    if not size:
        raise GraphFault(100, f"Param file_length must be a number up to {LIMITS_BYTES['document']}.")
    world = context.world
    token = world.new_object_id("upload")
    sig = world.ids.token("upload", int(token))
    node = f"{RAW_PREFIX}MTphdHRhY2htZW50{token}"
    name = call.parameter("file_name")
    world.uploads.put(node, {"sig": sig, "length": size, "type": str(kind), "name": name, "offset": 0})
    return Answer({"id": f"{node}?sig={sig}"})


async def post_upload(context: GraphContext, call: Call) -> Answer:
    """Bytes from `file_offset` on. The handle comes with the last of them, else the offset reached."""
    upload = _upload_of(context, call)
    header = call.request.headers.get("file_offset", "0")
    if header != str(upload["offset"]):
        raise GraphFault(100, f"The header file_offset must be {upload['offset']}, not {header}.")
    path = context.media.path_of(call.node.replace(":", "-"))
    offset = upload["offset"]
    with path.open("ab" if offset else "wb") as file:
        async for chunk in call.request.content.iter_any():
            offset += len(chunk)
            if offset > upload["length"]:
                raise GraphFault(100, f"More bytes than the {upload['length']} of file_length.")
            file.write(chunk)
    if offset < upload["length"]:
        context.world.uploads.put(call.node, {**upload, "offset": offset})
        return Answer({"id": _full_id(call.node, upload), "file_offset": offset})
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    handle = f"4::{upload['sig']}:{digest[:32]}"
    context.world.handles.put(handle, {"type": upload["type"], "sha256": digest, "length": offset})
    context.world.uploads.put(call.node, {**upload, "offset": 0})
    return Answer({"h": handle})


async def get_upload(context: GraphContext, call: Call) -> Answer:
    upload = _upload_of(context, call)
    return Answer({"id": _full_id(call.node, upload), "file_offset": upload["offset"]})


def _upload_of(context: GraphContext, call: Call) -> Json:
    upload = context.world.uploads.get(call.node)
    if upload is None or call.query.get("sig") != upload["sig"]:
        raise call.no_such_object()
    return upload


def _full_id(node: str, upload: Json) -> str:
    return f"{node}?sig={upload['sig']}"
