"""Media on Meta's side: upload, look up, download, delete. Bytes stream through; nothing is held whole.

Process: whatsapp, worker.
"""

from collections.abc import AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp.abc import AbstractStreamWriter
from yarl import URL

from services.graph.classify import classify
from services.graph.client import GraphClient, graph_path
from services.graph.outcomes import GraphRefused, GraphUnknown, GraphUnreachable, GraphUnsendable
from services.graph.transport import WitnessedForm

DOWNLOAD_CHUNK_BYTES = 64 * 1024
STALL_S = 30.0
"""A transfer that brings nothing for so long is given up; one that goes on may take as long as it takes."""

MEDIA_DOWNLOAD_ERROR = 131052

HOSTS_OF_META = ("fbsbx.com", "facebook.com", "whatsapp.net", "fbcdn.net")


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """`url` lives for 5 minutes. `sha256` is hexadecimal or base64: Meta sends both."""

    id: str
    url: str
    mime_type: str | None
    sha256: str | None
    size_bytes: int | None


@dataclass(frozen=True, slots=True)
class Download:
    """An open download. `size_bytes` is what was announced; count the chunks all the same."""

    mime_type: str
    size_bytes: int | None
    chunks: AsyncIterator[bytes]


class SizedStream(aiohttp.Payload):
    """A request body of known length from an asynchronous source: Meta refuses chunked multipart bodies."""

    def __init__(self, source: AsyncIterable[bytes], *, size_bytes: int, mime_type: str, filename: str) -> None:
        super().__init__(source, content_type=mime_type)
        self._size = size_bytes
        self.set_content_disposition("form-data", name="file", filename=filename)

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        raise TypeError("A stream has no text.")

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Write exactly the announced number of bytes; a source of another length breaks the request off."""
        left_bytes = self._size or 0
        async for chunk in self._value:
            left_bytes -= len(chunk)
            if left_bytes < 0:
                break
            await writer.write(chunk)
        if left_bytes != 0:
            raise OSError(f"the media is not {self._size} bytes long")


class GraphMedia:
    """Media calls on a GraphClient. `session` downloads; it may be the client's own."""

    def __init__(self, graph: GraphClient, session: aiohttp.ClientSession, *, graph_base_url: str) -> None:
        self._graph = graph
        self._session = session
        self._graph_host = URL(graph_base_url).host

    async def upload(
        self,
        phone_number_id: str,
        token: str,
        *,
        content: AsyncIterable[bytes],
        size_bytes: int,
        mime_type: str,
        filename: str,
        timeout_s: float = 300.0,
    ) -> str:
        """The id, good for 30 days with this number. An unknown outcome may be repeated: an upload shows to nobody.

        ``GraphUnsendable`` for a type or a name that cannot stand in a header.
        """
        form = _upload_form(content, size_bytes=size_bytes, mime_type=mime_type, filename=filename)
        answer = await self._graph.call(
            "POST", graph_path(phone_number_id, "media"), token=token, form=form, timeout_s=timeout_s
        )
        media_id = answer.body.get("id")
        if not isinstance(media_id, str) or not media_id:
            raise GraphUnknown(detail="an upload was answered without an id")
        return media_id

    async def info(self, media_id: str, token: str, *, phone_number_id: str | None = None) -> MediaInfo:
        """Where to download it. With `phone_number_id`, Meta checks that it belongs to that number."""
        answer = await self._graph.call("GET", graph_path(media_id), token=token, params=_owner(phone_number_id))
        body = answer.body
        if not isinstance(body.get("url"), str):
            raise GraphUnreachable(detail=f"media {media_id} was answered without a url")
        return MediaInfo(
            id=media_id,
            url=body["url"],
            mime_type=_text(body.get("mime_type")),
            sha256=_text(body.get("sha256")),
            size_bytes=_size(body.get("file_size")),
        )

    async def delete(self, media_id: str, token: str, *, phone_number_id: str | None = None) -> None:
        await self._graph.call("DELETE", graph_path(media_id), token=token, params=_owner(phone_number_id))

    @asynccontextmanager
    async def download(self, url: str, token: str) -> AsyncIterator[Download]:
        """Open `MediaInfo.url`. The token goes to Meta's hosts (and the Graph host) alone; redirects are not followed.

        GraphRefused when the address answers with an error, GraphUnreachable when it breaks: both leave nothing behind.
        """
        headers = {"Authorization": f"Bearer {token}"} if self._may_see_the_token(url) else {}
        limits = aiohttp.ClientTimeout(total=None, sock_connect=5.0, sock_read=STALL_S)
        try:
            response = await self._session.get(url, headers=headers, timeout=limits, allow_redirects=False)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise _broken(error) from error
        async with response:
            if response.status != 200:
                raise GraphRefused(
                    classify(MEDIA_DOWNLOAD_ERROR),
                    http_status=response.status,
                    title="Media download error",
                    details=f"the download was answered with HTTP {response.status}",
                )
            yield Download(response.content_type, response.content_length, _chunks(response))

    def _may_see_the_token(self, url: str) -> bool:
        try:
            host = URL(url).host or ""
        except ValueError:
            return False
        return host == self._graph_host or any(host == name or host.endswith(f".{name}") for name in HOSTS_OF_META)


def _upload_form(content: AsyncIterable[bytes], *, size_bytes: int, mime_type: str, filename: str) -> WitnessedForm:
    form = WitnessedForm()
    try:
        for name, value in (("messaging_product", "whatsapp"), ("type", mime_type)):
            form.append(value).set_content_disposition("form-data", name=name)
        form.append_payload(SizedStream(content, size_bytes=size_bytes, mime_type=mime_type, filename=filename))
    except (ValueError, TypeError) as error:
        raise GraphUnsendable(detail=f"the upload cannot be written: {type(error).__name__}: {error}") from error
    return form


async def _chunks(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    try:
        async for chunk in response.content.iter_chunked(DOWNLOAD_CHUNK_BYTES):
            yield chunk
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise _broken(error) from error


def _broken(error: BaseException) -> GraphUnreachable:
    return GraphUnreachable(detail=f"media download: {type(error).__name__}: {error}")


def _owner(phone_number_id: str | None) -> dict[str, str] | None:
    return {"phone_number_id": phone_number_id} if phone_number_id else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _size(value: Any) -> int | None:
    """A number, or its digits: Meta's pages have one, its traffic the other."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16 else None
