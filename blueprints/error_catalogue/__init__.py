"""Every error code: what it means and what to do. ``/docs/errors`` and the API reference are made from these tables.

Process: worker. A test walks the code base and fails when a code is raised that is not here.
"""

from blueprints.error_catalogue.records import ErrorEntry, Where
from blueprints.error_catalogue.table import CATALOGUE

__all__ = ["CATALOGUE", "ErrorEntry", "Where"]
