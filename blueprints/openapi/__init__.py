"""The OpenAPI document: what every call of the API takes, answers and refuses.

Process: worker. ``document.py`` builds it from one table a noun (``messages.py``, ``conversations.py`` …): a new route
is a row in its table, and a test names the routes that have none.
"""

from blueprints.openapi.document import OPERATIONS, build_document, document_bytes
from blueprints.openapi.records import Answer, Example, Operation, Parameter

__all__ = ["OPERATIONS", "Answer", "Example", "Operation", "Parameter", "build_document", "document_bytes"]
