"""Multipart bodies as real clients send them, cut into pieces anywhere."""

from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.media.multipart import FilePart, Form, FormRefused, read_form

CRLF = "\r\n"


def form(*parts: tuple[str, bytes], boundary: str = "xyz") -> bytes:
    """Each part: its header lines, and its bytes."""
    body = b""
    for headers, data in parts:
        body += f"--{boundary}{CRLF}{headers}{CRLF}{CRLF}".encode() + data + CRLF.encode()
    return body + f"--{boundary}--{CRLF}".encode()


FIELD = 'Content-Disposition: form-data; name="messaging_product"'
TYPE = 'Content-Disposition: form-data; name="type"'
FILE = 'Content-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png'


MANY_FIELDS = [(FIELD.replace("messaging_product", f"field-{number}"), b"x") for number in range(40)]


async def pieces(body: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


async def keep(part: FilePart, data: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in data])


async def read(body: bytes, size: int = 7, content_type: str = "multipart/form-data; boundary=xyz") -> Form[bytes]:
    return await read_form(pieces(body, size), content_type, store=keep)


@given(data=st.binary(max_size=300), size=st.integers(1, 400), is_first=st.booleans())
async def test_a_file_comes_out_as_it_went_in_wherever_the_body_is_cut(data: bytes, size: int, is_first: bool) -> None:
    if b"\r\n--xyz" in data:
        return
    parts = [(FIELD, b"whatsapp"), (TYPE, b"image/png")]
    parts.insert(0 if is_first else 2, (FILE, data))
    found = await read(form(*parts), size)
    assert found.stored == data
    assert found.fields == {"messaging_product": "whatsapp", "type": "image/png"}
    assert found.part == FilePart("file", "a.png", "image/png")


async def test_an_absolute_path_and_a_quoted_boundary_are_read() -> None:
    header = 'Content-Disposition: form-data; name="file"; filename="/home/me/some where/ä.png"'
    found = await read(form((header, b"x"), boundary="a b"), content_type='multipart/form-data; boundary="a b"')
    assert found.part is not None
    assert found.part.filename == "/home/me/some where/ä.png"
    assert found.part.content_type is None


async def test_a_form_without_a_file_says_so() -> None:
    found = await read(form((FIELD, b"whatsapp")))
    assert found.part is None
    assert found.stored is None


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"{}", "application/json"),
        (b"x", "multipart/form-data"),
        (form((FILE, b"abc"))[:-20], "multipart/form-data; boundary=xyz"),
        (form((FILE, b"a"), (FILE, b"b")), "multipart/form-data; boundary=xyz"),
        (form((FIELD, b"x" * 70_000)), "multipart/form-data; boundary=xyz"),
        (
            form(*[(FIELD.replace("messaging_product", f"f{n}"), b"x") for n in range(40)]),
            "multipart/form-data; boundary=xyz",
        ),
        (form((FILE + "\r\nX-Long: " + "y" * 9_000, b"a")), "multipart/form-data; boundary=xyz"),
        (b"not a form at all", "multipart/form-data; boundary=xyz"),
    ],
)
async def test_what_is_no_form_is_refused(body: bytes, content_type: str) -> None:
    with pytest.raises(FormRefused):
        await read(body, 1000, content_type)


@pytest.mark.parametrize(
    "content_type",
    [
        f"multipart/form-data; boundary={'x' * 257}",
        "multipart/form-data; boundary=\u4e2d",
        "multipart/form-data; boundary=\udcff",
        "multipart/form-data; boundary*=utf-8''%ff",
        "multipart/form-data; boundary=",
        "; ; =",
        "",
    ],
)
async def test_a_content_type_that_cannot_be_read_is_refused(content_type: str) -> None:
    with pytest.raises(FormRefused):
        await read(b"--xyz--", content_type=content_type)
