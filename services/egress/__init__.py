"""Requests to addresses that somebody else chose (webhook endpoints, media links): nothing of ours can be reached.

Process: worker, whatsapp.
"""

from services.egress.addresses import AddressPolicy, address_fault
from services.egress.connector import AddressRefused, GuardedResolver, guarded_connector, refusal_in
from services.egress.fetch import TooManyRedirects, open_url
from services.egress.urls import CheckedUrl, UrlRefused, check_url, ensure_reachable

__all__ = [
    "AddressPolicy",
    "AddressRefused",
    "CheckedUrl",
    "GuardedResolver",
    "TooManyRedirects",
    "UrlRefused",
    "address_fault",
    "check_url",
    "ensure_reachable",
    "guarded_connector",
    "open_url",
    "refusal_in",
]
