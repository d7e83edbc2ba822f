"""A call is made plain before it is judged, and what was judged is what is sent."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import orjson
import pytest

from config.errors import RequestRefused
from services.cloud_api.calls import OverrideRefused, PathRefused, ProxiedCall, plain_call, plain_path

CALL = ProxiedCall("POST", ("106540352242922", "settings"), (), {}, None)


def call(**changes: Any) -> ProxiedCall:
    return replace(CALL, **changes)


@pytest.mark.parametrize(
    "segment",
    [
        "", ".", "..", "...", "%2e", "%2E%2e", ".%2e", "%252e%252e", "%252e", "a/b", "a%2fb", "..%2f", "%2f", "%5c..",
        "a\\b", "a;b", "a%3bb", "%00", "a%00", "a\0", "a%0d%0a", "a b", "a%20b", "a?b", "a%3fb", "a%23b", "a#b", "%",
        "%zz", "a%25", "%ff", "caf%c3%a9", "é", "%ef%bc%8e%ef%bc%8e", "\uff0e\uff0e", "a" * 3000, "a%09", "a%7f",
        "a*b", "a'b",
    ],
)  # fmt: skip
def test_a_segment_that_could_mean_another_object_is_refused(segment: str) -> None:
    for path in ((segment,), ("106540352242922", segment), ("106540352242922", "settings", segment)):
        with pytest.raises(PathRefused):
            plain_path(path)


def test_what_is_plain_is_decoded_once_and_stays() -> None:
    path = ("106540352242922", "%73ettings", "upload%3AMTph%3D%3D", "v1.0_x-~")
    plain = ("106540352242922", "settings", "upload:MTph==", "v1.0_x-~")
    assert plain_path(path) == plain
    assert plain_path(plain) == plain


OVERRIDES = [
    "method",
    "_method",
    "Method",
    "METHOD",
    "method[]",
    "method[0]",
    " method",
    ".method",
    "_Method",
    "http_method",
]
BATCHES = ["ids", "IDS", "ids[]", "batch", "batch[0]", "Batch", "relative_url"]


@pytest.mark.parametrize("name", [*OVERRIDES, *BATCHES])
async def test_a_parameter_that_makes_another_call_of_it_is_refused_wherever_it_stands(name: str) -> None:
    boundary = "x"
    form = f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\nDELETE\r\n--x--\r\n'.encode()
    form_type = f"multipart/form-data; boundary={boundary}"
    for faulty in (
        call(query=((name, "DELETE"),)),
        call(query=(("fields", "id"), (name, ""))),
        call(body=orjson.dumps({"pin": "1", name: "DELETE"}), headers={"content-type": "application/json"}),
        call(body=orjson.dumps({name: "DELETE"}), headers={"content-type": "text/plain"}),
        call(body=orjson.dumps({name: "DELETE"}), headers={"content-type": "application/x-www-form-urlencoded"}),
        call(body=f"a=1&{name}=DELETE".encode(), headers={"content-type": "application/x-www-form-urlencoded"}),
        call(body=f"{name}=".encode(), headers={"content-type": "application/x-www-form-urlencoded; charset=utf-8"}),
        call(body=form, headers={"content-type": form_type}),
    ):
        with pytest.raises(OverrideRefused) as refused:
            await plain_call(faulty)
        assert refused.value.code == "override_refused"


@pytest.mark.parametrize("name", ["x-http-method-override", "x-http-method", "x-method-override"])
async def test_a_header_that_makes_another_call_of_it_is_refused(name: str) -> None:
    with pytest.raises(OverrideRefused, match=name):
        await plain_call(call(headers={name: "DELETE"}))


@pytest.mark.parametrize(
    "name", ["access_token", "appsecret_proof", "Access_Token", "access_token[0]", " access_token"]
)
async def test_the_callers_own_credentials_stay_here(name: str) -> None:
    plain = await plain_call(
        call(query=((name, "panal_key"), ("a", "b")), body=orjson.dumps({name: "panal_key", "pin": "1"}))
    )
    assert (plain.query, plain.body) == ((("a", "b"),), b'{"pin":"1"}')
    form = await plain_call(
        call(body=f"{name}=panal_key&b=1".encode(), headers={"content-type": "application/x-www-form-urlencoded"})
    )
    assert form.body == b"b=1"


async def test_a_body_is_written_anew_from_what_was_judged() -> None:
    twice = await plain_call(call(body=b' {"fields":"x", "fields":"id"} ', headers={"content-type": "text/plain"}))
    assert (twice.body, twice.parameters) == (b'{"fields":"id"}', (("fields", "id"),))
    assert twice.headers == {"content-type": "application/json"}
    empty = await plain_call(call(body=b"  ", headers={"content-type": "application/json", "content-length": "2"}))
    assert (empty.body, empty.headers) == (None, {})


async def test_a_multipart_form_keeps_its_file_and_its_fields() -> None:
    body = (
        b'--x\r\nContent-Disposition: form-data; name="asset_type"\r\n\r\nFLOW_JSON\r\n'
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="flow.json"\r\n'
        b"Content-Type: application/json\r\n\r\n{}\x00\xff\r\n--x--\r\n"
    )
    plain = await plain_call(call(body=body, headers={"content-type": "multipart/form-data; boundary=x"}))
    assert isinstance(plain.body, bytes)
    assert dict(plain.parameters) == {"asset_type": "FLOW_JSON", "file": ""}
    assert b'name="asset_type"' in plain.body
    assert b'filename="flow.json"' in plain.body
    assert b"\r\n\r\n{}\x00\xff\r\n" in plain.body
    boundary = plain.headers["content-type"].partition("boundary=")[2].strip('"').encode()
    assert plain.body.startswith(b"--" + boundary)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"[]", "application/json"),
        (b'"x"', "application/json"),
        (b"method=DELETE", "text/plain"),
        (b"\xff=1", "application/x-www-form-urlencoded"),
        (b"--x\r\n", "multipart/form-data; boundary=x"),
        (b"x", "multipart/form-data"),
        (b"{" * 2000, ""),
    ],
)
async def test_a_body_that_nobody_can_judge_is_refused(body: bytes, kind: str) -> None:
    with pytest.raises(RequestRefused):
        await plain_call(call(body=body, headers={"content-type": kind}))


async def test_a_file_that_goes_by_is_never_read_as_parameters() -> None:
    async def bytes_of_a_file() -> AsyncIterator[bytes]:
        yield b"method=DELETE"

    async def kind_of(said: str) -> str:
        found = await plain_call(call(body=bytes_of_a_file(), headers={"content-type": said, "file_offset": "0"}))
        assert found.headers["file_offset"] == "0"
        return found.headers["content-type"]

    for said in ("application/x-www-form-urlencoded", "application/json", "", "text/plain"):
        assert await kind_of(said) == "application/octet-stream"
    assert await kind_of("image/png") == "image/png"
    with pytest.raises(RequestRefused):
        await kind_of("multipart/form-data; boundary=x")


@pytest.mark.parametrize("value", ["a\r\nb", "a\0", "caf\xe9", "\udcff"])
async def test_a_header_that_cannot_be_written_is_refused(value: str) -> None:
    with pytest.raises(RequestRefused):
        await plain_call(call(headers={"file_offset": value}))
