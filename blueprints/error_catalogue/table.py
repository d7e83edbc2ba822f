"""All error codes by their name.

Process: worker.
"""

from types import MappingProxyType
from typing import Final

from blueprints.error_catalogue.requests import REQUESTS
from blueprints.error_catalogue.troubles import TROUBLES

CATALOGUE: Final = MappingProxyType({entry.code: entry for entry in (*REQUESTS, *TROUBLES)})
