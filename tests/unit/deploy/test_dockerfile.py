"""The Dockerfile, as far as it can be read without Docker: what goes in, who runs it, what PID 1 is."""

import fnmatch
import re
import sys

import pytest

from tests.unit.deploy.files import ROOT, dockerfile, last


def sources() -> list[str]:
    """What COPY takes from the repository."""
    copies = [one.words.split() for one in dockerfile() if one.name == "COPY"]
    return [source for words in copies if not words[0].startswith("--from") for source in words[:-1]]


def ignored(path: str) -> bool:
    """As Docker reads .dockerignore: the last pattern that fits decides."""
    verdict = False
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        pattern = line.strip()
        if pattern and not pattern.startswith("#") and fnmatch.fnmatch(path, pattern.lstrip("!")):
            verdict = not pattern.startswith("!")
    return verdict


def test_what_is_copied_exists_and_is_not_ignored() -> None:
    assert sources()
    for source in sources():
        assert (ROOT / source).exists(), source
        assert not ignored(source), source


@pytest.mark.parametrize("path", ["data", ".git", ".env", "tests", "docs", ".venv"])
def test_what_does_not_belong_stays_out(path: str) -> None:
    assert ignored(path)
    assert path not in sources()


def test_every_package_that_the_server_imports_is_copied() -> None:
    imports = re.findall(
        r"^(?:from|import) (config|services|blueprints|tools)\b", (ROOT / "server.py").read_text(), re.M
    )
    assert set(imports) <= set(sources())


def test_it_does_not_run_as_root() -> None:
    names = [one.name for one in dockerfile()]
    assert last("USER").words not in ("root", "0")
    assert names.index("USER") < names.index("CMD")
    # Nothing but the data folder is the user's own: the code cannot be changed by who runs it.
    assert not any("--chown" in one.words for one in dockerfile() if one.name == "COPY")


def test_pid_1_is_the_main_process() -> None:
    command = last("CMD").arguments
    assert command[:2] == ["sh", "-c"]
    assert command[2].startswith("exec sanic server:app ")
    assert "--port=$PORT" in command[2]
    assert not [one for one in dockerfile() if one.name == "ENTRYPOINT"]


def test_the_health_check_is_ours_and_needs_no_curl() -> None:
    words = last("HEALTHCHECK").words
    command = words.split("CMD", 1)[1].strip()
    assert command == '["python", "-m", "tools.health"]'
    assert (ROOT / "tools" / "health.py").is_file()


def test_its_python_is_one_that_the_package_takes() -> None:
    versions = {match[1] for one in dockerfile() if (match := re.match(r"python:3\.(\d+)-slim", one.words))}
    assert len(versions) == 1
    minor = int(versions.pop())
    assert 11 <= minor <= 13
    assert sys.version_info[:2] >= (3, 11)
