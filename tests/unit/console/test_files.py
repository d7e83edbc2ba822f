"""What the console is made of: small modules, known libraries, nothing from another host, nothing inline."""

import hashlib
import re
from pathlib import Path

from blueprints.console.pages import FOLDER, POLICY, TYPES, digest, files

VENDORED = {
    "vendor/htm-3.1.1.js": "72284e8e9079c87817145df1110f74e8a2aa040b2fc384922e18dfcb46fc1fd7",
    "vendor/inter-5.3.0-latin.woff2": "3100e775e8616cd2611beecfa23a4263d7037586789b43f035236a2e6fbd4c62",
    "vendor/inter-5.3.0-latin-ext.woff2": "34b9c504cab7a73e37b746343a449132e56cf7b5481af2cb81dc74dcff25c956",
}
OWN = [path for path in FOLDER.rglob("*") if path.suffix in (".js", ".css", ".html") and "vendor" not in path.parts]


def test_vendored_libraries_are_the_published_ones_with_their_licences() -> None:
    for name, checksum in VENDORED.items():
        assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() == checksum
    vendored = {path.name for path in (FOLDER / "vendor").iterdir() if path.suffix != ".txt"}
    assert vendored == {Path(name).name for name in VENDORED}
    assert len(list((FOLDER / "vendor").glob("*.LICENSE.txt"))) == 3


def test_every_file_that_a_file_names_is_served() -> None:
    served = files()
    for path in OWN:
        source = path.read_text(encoding="utf-8")
        for target in re.findall(r"(?:from|import) '(\.[^']+)'", source):
            assert (path.parent / target).resolve().relative_to(FOLDER).as_posix() in served, f"{path.name}: {target}"
        for target in re.findall(r"url\(\"(\.[^\"]+)\"\)", source):
            assert (path.parent / target).resolve().relative_to(FOLDER).as_posix() in served, f"{path.name}: {target}"
        for target in re.findall(r"/console/assets/__VERSION__/([^\"']+)", source):
            assert target in served, f"{path.name}: {target}"


def test_only_files_of_the_page_are_served() -> None:
    assert all(path.suffix in TYPES for path in files().values())
    assert not any(name.endswith((".py", ".md", ".txt")) for name in files())


def test_nothing_is_loaded_from_another_host() -> None:
    for path in OWN:
        for url in re.findall(
            r"(?:src|href)=\"(https?:[^\"]+)\"|url\((https?:[^)]+)\)|import '(https?:[^']+)'",
            path.read_text(encoding="utf-8"),
        ):
            raise AssertionError(f"{path.name} loads {url}")


def test_nothing_is_inline_that_the_policy_forbids() -> None:
    assert "unsafe" not in POLICY
    for path in OWN:
        source = path.read_text(encoding="utf-8")
        assert not re.search(r"<script>|<style|\sstyle=\"|\son[a-z]+=\"|innerHTML|dangerouslySet|\beval\(", source), (
            path.name
        )


def test_the_digest_is_stable() -> None:
    assert digest() == digest()
    assert re.fullmatch(r"[0-9a-f]{12}", digest())


def test_no_module_has_outgrown_its_idea() -> None:
    assert [
        path.name for path in OWN if path.suffix == ".js" and len(path.read_text(encoding="utf-8").splitlines()) > 250
    ] == []
