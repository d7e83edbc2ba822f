"""The reference's pages hold nothing of another host, and the framework's own reference is off."""

import hashlib
import re
from collections.abc import Iterator
from typing import Any

import pytest
from sanic import Sanic

from blueprints.docs import ASSETS, ERRORS_POLICY, FOLDER, RAPIDOC, REFERENCE_POLICY, bp
from blueprints.extension import setup_extension


@pytest.fixture
def app() -> Iterator[Sanic[Any, Any]]:
    app = Sanic("panal-docs-test")
    yield app
    Sanic.unregister_app(app)


def test_the_vendored_bundle_is_the_one_that_is_named() -> None:
    told = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert hashlib.sha256((FOLDER / RAPIDOC).read_bytes()).hexdigest() in told
    assert (FOLDER / RAPIDOC.replace(".min.js", ".LICENSE.txt")).read_text(encoding="utf-8").startswith("MIT License")


def test_every_asset_is_there_and_every_asset_a_page_wants_is_served() -> None:
    assert [name for name in ASSETS if not (FOLDER / name).is_file()] == []
    page = (FOLDER / "reference.html").read_text(encoding="utf-8").replace("__RAPIDOC__", RAPIDOC)
    wanted = set(re.findall(r'/docs/assets/([^"]+)"', page))
    assert wanted <= ASSETS.keys()


def test_the_pages_of_ours_name_no_other_host() -> None:
    for path in FOLDER.iterdir():
        if path.suffix in (".html", ".css", ".js") and path.name != RAPIDOC:
            assert "://" not in path.read_text(encoding="utf-8"), path.name


def test_the_policies_allow_scripts_of_ours_alone() -> None:
    for policy in (REFERENCE_POLICY, ERRORS_POLICY):
        assert "default-src 'none'" in policy
        assert "unsafe-eval" not in policy
        assert "http" not in policy
    assert "script-src 'self';" in REFERENCE_POLICY
    assert "script-src" not in ERRORS_POLICY


def test_sanic_ext_is_loaded_without_a_reference_of_its_own(app: Sanic[Any, Any]) -> None:
    app.blueprint(bp)
    setup_extension(app)
    assert [extension.name for extension in app.ext.extensions] == ["methods"]
    paths = {route.path for route in app.router.routes}
    assert paths == {"openapi.json", "docs", "docs/errors", "docs/assets/<name:str>"}


def test_every_path_answers_head_and_options(app: Sanic[Any, Any]) -> None:
    app.blueprint(bp)
    setup_extension(app)
    methods: dict[str, set[str]] = {}
    for route in app.router.routes:
        methods.setdefault(route.path, set()).update(route.methods)
    assert set(map(frozenset, methods.values())) == {frozenset({"GET", "HEAD", "OPTIONS"})}
