"""No range and no pin admits a version with a known advisory; the lock fits the ranges of pyproject.toml.

What is listed is in deploy/advisories.toml.
"""

import re
import tomllib
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.unit.deploy.files import ROOT, dockerfile

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
ADVISORIES: list[dict[str, Any]] = tomllib.loads((ROOT / "deploy" / "advisories.toml").read_text(encoding="utf-8"))[
    "advisory"
]
LOCK = (ROOT / "deploy" / "requirements.lock").read_text(encoding="utf-8")
PINS = dict(re.findall(r"^([A-Za-z0-9._-]+)==([^\s\\;]+)", LOCK, flags=re.MULTILINE))
PRODUCTION = [Requirement(text) for text in PROJECT["project"]["dependencies"]]
EVERY = [
    *PRODUCTION,
    *(Requirement(text) for extra in PROJECT["project"]["optional-dependencies"].values() for text in extra),
    *(Requirement(text) for text in PROJECT["build-system"]["requires"]),
]


def admits(ours: SpecifierSet, affected: SpecifierSet) -> str | None:
    """A version that both admit, if there is one: two ranges overlap where one of them begins."""
    begins = [Version("0")]
    for one in (*ours, *affected):
        if one.operator in (">=", ">", "==", "~=", "==="):
            plain = one.version.removesuffix(".*")
            # The next version after it as well, for a range that begins behind a version.
            begins += [Version(plain), Version(f"{Version(plain).base_version}.0.0.1"), Version(f"{plain}.post1")]
    found = next((one for one in begins if ours.contains(one, prereleases=True) and one in affected), None)
    return str(found) if found is not None else None


def faults(requirements: list[Requirement], pins: dict[str, str], advisories: list[dict[str, Any]]) -> list[str]:
    told = []
    for advisory in advisories:
        package, affected = canonicalize_name(advisory["package"]), SpecifierSet(advisory["affected"])
        ids = ", ".join(advisory["ids"])
        for one in requirements:
            if canonicalize_name(one.name) == package and (version := admits(one.specifier, affected)):
                told.append(f"{one} admits {version}: {ids}")
        for name, version in pins.items():
            if canonicalize_name(name) == package and affected.contains(version, prereleases=True):
                told.append(f"{name}=={version}: {ids}")
    return told


def test_nothing_that_is_installed_has_a_known_advisory() -> None:
    assert faults(EVERY, PINS, ADVISORIES) == []


@pytest.mark.parametrize(
    ("requirement", "affected", "version"),
    [
        ("x>=3.12,<4", "<3.13.3", "3.12"),
        ("x>=3.13.3,<4", "<3.13.3", None),
        ("x>3.13.2", "<=3.13.2", None),
        ("x>3.13.2", "<3.13.3", "3.13.2.0.0.1"),
        ("x", "<1", "0"),
        ("x<4", ">=2.12,<2.14.2", "2.12"),
        ("x>=2.7,<3", ">=2.12,<2.14.2", "2.12"),
        ("x>=2.14.2", ">=2.12,<2.14.2", None),
        ("x<2.12", ">=2.12,<2.14.2", None),
        ("x==25.12.*", "<25.12.1", "25.12"),
        ("x==25.12.1", "<25.12.1", None),
        ("x==25.12.0", "<25.12.1", "25.12.0"),
        ("x~=1.4", "==1.4.2", "1.4.2"),
    ],
)
def test_ranges_that_overlap_are_found(requirement: str, affected: str, version: str | None) -> None:
    found = admits(Requirement(requirement).specifier, SpecifierSet(affected, prereleases=True))
    assert found == version


def test_the_check_finds_a_range_and_a_pin() -> None:
    advisory = {"package": "Some_Package", "affected": "<2", "ids": ["CVE-0"]}
    assert faults([Requirement("some-package>=1,<3")], {"some.package": "1.9"}, [advisory]) == [
        "some-package<3,>=1 admits 1: CVE-0",
        "some.package==1.9: CVE-0",
    ]


def test_every_advisory_says_what_it_is_and_where_it_is_told() -> None:
    named = {canonicalize_name(one.name) for one in EVERY} | {canonicalize_name(name) for name in PINS}
    for advisory in ADVISORIES:
        assert set(advisory) == {"package", "affected", "ids", "what", "source"}
        assert canonicalize_name(advisory["package"]) in named, f"nothing of ours uses {advisory['package']}"
        assert all(re.fullmatch(r"CVE-\d{4}-\d{4,}|GHSA(-[0-9a-z]{4}){3}", one) for one in advisory["ids"])
        assert advisory["source"].startswith("https://")
        assert SpecifierSet(advisory["affected"])
    ids = [one for advisory in ADVISORIES for one in advisory["ids"]]
    assert len(ids) == len(set(ids))


def test_the_lock_pins_every_package_of_production_within_its_range() -> None:
    pins = {canonicalize_name(name): version for name, version in PINS.items()}
    missing = [str(one) for one in PRODUCTION if canonicalize_name(one.name) not in pins]
    assert missing == [], "make lock"
    wrong = [
        f"{one}: {pins[name]}" for one in PRODUCTION if pins[name := canonicalize_name(one.name)] not in one.specifier
    ]
    assert wrong == [], "make lock"


def test_the_lock_has_no_package_that_nobody_asks_for() -> None:
    asked = dict(
        re.findall(
            r"^([A-Za-z0-9._-]+)==[^\n]*\n(?:    --hash[^\n]*\n)*    # +via([^\n]*(?:\n    # {3}[^\n]*)*)", LOCK, re.M
        )
    )
    assert asked.keys() == PINS.keys(), "each says on whose behalf it is there"
    direct = {canonicalize_name(one.name) for one in PRODUCTION}
    known = {canonicalize_name(name) for name in PINS}
    for name, via in asked.items():
        by = {canonicalize_name(word) for word in re.findall(r"[A-Za-z0-9._-]+", via.replace("(pyproject.toml)", ""))}
        is_direct = "pyproject.toml" in via
        assert is_direct == (canonicalize_name(name) in direct), f"{name}: make lock"
        assert by - {"panal"} <= known, f"{name}: make lock"


def test_the_lock_holds_hashes_and_no_address() -> None:
    for name in PINS:
        block = re.search(rf"^{re.escape(name)}==.*?(?=^\S|\Z)", LOCK, flags=re.MULTILINE | re.DOTALL)
        assert block is not None
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", block[0]), name
    assert not re.search(r"://|^-|index-url|trusted-host|find-links", LOCK, flags=re.MULTILINE)


def test_the_image_installs_the_lock_and_nothing_else() -> None:
    installs = [one.words for one in dockerfile() if one.name == "RUN" and "pip install" in one.words]
    assert len(installs) == 1
    assert "--require-hashes" in installs[0].split()
    assert installs[0].endswith("-r requirements.lock")
    copies = [one.words for one in dockerfile() if one.name == "COPY"]
    assert "deploy/requirements.lock ./" in copies
