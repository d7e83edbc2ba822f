"""Is this URL one that we may call for somebody else? The text first, then what its name stands for.

Process: worker, whatsapp.

The URL is read by the parser of the HTTP client itself (yarl), so that there is no second opinion about its host.
"""

import asyncio
import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from yarl import URL

from config.errors import Fault, RequestRefused
from services.egress.addresses import AddressPolicy, address_fault

MAX_LENGTH: Final = 2048
RESOLVE_S: Final = 2.0
MAX_LABEL_LENGTH: Final = 63
MAX_NAME_LENGTH: Final = 253

_FORBIDDEN = re.compile(r"[\x00-\x20\x7f\\]")
# Whatever an old inet_aton would take for a number: 2130706433, 0x7f.1, 0177.0.0.1, 127.1.
_NUMERIC_LABEL = re.compile(r"\A(?:[0-9]+|0x[0-9a-f]*)\Z", re.IGNORECASE)


class UrlRefused(RequestRefused):
    """This URL may not be called: its form, its scheme or the address behind it."""

    code = "url_refused"
    default_text = "This URL may not be called from here."

    def __init__(self, reason: str, *, path: str = "url") -> None:
        """``reason`` finishes the sentence "the URL …"."""
        super().__init__(f"The URL {reason}.", faults=[Fault(path, reason)])
        self.reason = reason

    def __reduce__(self) -> tuple[type["UrlRefused"], tuple[str]]:
        """Between processes the reason is enough."""
        return type(self), (self.reason,)


@dataclass(frozen=True, slots=True)
class CheckedUrl:
    """A URL in the one form in which it is called. ``address`` is set when the host is one and not a name."""

    text: str
    host: str
    port: int
    address: IPv4Address | IPv6Address | None


def check_url(text: str, policy: AddressPolicy, *, path: str = "url") -> CheckedUrl:
    """What can be said without a look-up. Raises ``UrlRefused`` that names ``path``.

    Refuses other schemes, user information, fragments, hosts that are numbers in any other than the usual form, and
    addresses that ``policy`` does not open.
    """
    if not text or len(text) > MAX_LENGTH or _FORBIDDEN.search(text):
        raise UrlRefused(
            f"must have 1 to {MAX_LENGTH} characters and no space, control character or backslash", path=path
        )
    try:
        url = URL(text)
        host, port = url.raw_host, url.port
    except (ValueError, UnicodeError) as error:
        raise UrlRefused("is not valid", path=path) from error
    if url.scheme not in ("https", "http") or not host:
        raise UrlRefused("must begin with https:// and name a host", path=path)
    if url.scheme == "http" and not policy.allow_http:
        raise UrlRefused("must begin with https://", path=path)
    if url.raw_user is not None or url.raw_password is not None:
        raise UrlRefused("must not hold a user name or a password; use custom headers", path=path)
    if url.raw_fragment:
        raise UrlRefused("must not have a fragment", path=path)
    if port is None or not 0 < port < 65536:
        raise UrlRefused("must have a port from 1 to 65535", path=path)
    bare = host.rstrip(".").lower()
    if ":" not in host and not _is_name(host.removesuffix(".")):
        raise UrlRefused(f"must name a host whose parts have 1 to {MAX_LABEL_LENGTH} characters", path=path)
    address = _address_of(bare, path)
    if address is not None and (why := address_fault(address, policy)):
        raise UrlRefused(f"leads to an address that is {why}", path=path)
    if (bare == "localhost" or bare.endswith(".localhost")) and not policy.allow_private:
        raise UrlRefused("leads to an address that is loopback", path=path)
    return CheckedUrl(str(url), bare, port, address)


async def ensure_reachable(checked: CheckedUrl, policy: AddressPolicy, *, path: str = "url") -> None:
    """Look the name up once, for an early word to the person who sets it up.

    A name that stands for refused addresses only raises ``UrlRefused``; one that cannot be resolved now may exist
    later. The delivery itself checks every address again.
    """
    if checked.address is not None:
        return
    try:
        async with asyncio.timeout(RESOLVE_S):
            found = await asyncio.get_running_loop().getaddrinfo(checked.host, checked.port)
    except (OSError, TimeoutError, UnicodeError):
        return
    faults = [address_fault(ip_address(info[4][0]), policy) for info in found]
    if faults and all(faults):
        raise UrlRefused(f"leads to an address that is {faults[0]}", path=path)


def _is_name(host: str) -> bool:
    """Can a resolver be asked for it? RFC 1035, 2.3.4: what is longer makes its encoder raise."""
    return len(host) <= MAX_NAME_LENGTH and all(0 < len(label) <= MAX_LABEL_LENGTH for label in host.split("."))


def _address_of(host: str, path: str) -> IPv4Address | IPv6Address | None:
    """The address that a host is; None for a name. Raises when only an old parser would see a number in it."""
    try:
        return ip_address(host)
    except ValueError:
        pass
    if ":" in host or "%" in host or not host or _NUMERIC_LABEL.match(host.rpartition(".")[2]):
        raise UrlRefused("must name a host, or an address in its usual form", path=path)
    return None
