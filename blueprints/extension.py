"""Sanic Extensions: HEAD for every GET, and OPTIONS for every path. Nothing else of it is switched on.

Process: main, worker.

Its API reference is not used: it loads its scripts from another host, knows no OpenAPI 3.1 and not our errors. Its
injection and its CORS would cost every request a signal or a middleware, and nothing of ours needs them.
"""

from typing import Any

import sanic_ext  # loads pydantic, too: Sanic itself would only shrug when either is missing
from sanic import Sanic
from sanic_ext.extensions.http.extension import HTTPExtension


def setup_extension(app: Sanic[Any, Any]) -> None:
    """Extend the application; before it starts, or Sanic extends it by itself, with everything.

    Raises ``RuntimeError`` when sanic-ext did not load: Sanic would go on without a word.
    """
    app.extend(
        extensions=[HTTPExtension],
        built_in_extensions=False,
        config=sanic_ext.Config(
            oas=False,
            cors=False,
            health=False,
            http_all_methods=False,
            http_auto_head=True,
            http_auto_options=True,
            http_auto_trace=False,
        ),
    )
    if getattr(app, "_ext", None) is None:
        raise RuntimeError("sanic-ext did not load: pip install 'sanic-ext==25.12.*' pydantic")
