"""Which tests a stage of `python -m tests.run` takes. Without `--stage`, pytest runs whatever it is asked for."""

import pytest
from xdist.scheduler import LoadScopeScheduling

ALONE = ("chaos", "browser")  # folders whose tests always have the machine to themselves
SLOW_FIRST = (
    "clients/test_receiving",
    "test_main_job",
    "test_events_stream",
    "test_memory",
    "cluster/test_graceful_shutdown",
    "cluster/test_rolling_restart",
    "test_campaigns",
    "test_log_sink",
    "test_error_codes",
    "test_accepted",
    "test_contacts",
    "test_templates",
)


class FileScheduling(LoadScopeScheduling):  # type: ignore[misc]
    """A file stays in one process, which starts its cluster once; so does the folder of the clients, for its table."""

    def _split_scope(self, nodeid: str) -> str:
        return "tests/clients" if nodeid.startswith("tests/clients/") else nodeid.split("::", 1)[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> FileScheduling:
    return FileScheduling(config, log)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--stage",
        choices=("all", "parallel", "alone"),
        default="all",
        help="parallel: tests that may run beside others; alone: those that measure time or break the machine",
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    stage = config.getoption("--stage")
    if stage == "all":
        return
    kept = [item for item in items if runs_alone(item) == (stage == "alone")]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
    if stage == "parallel":
        kept.sort(key=position)  # a stable sort: tests of one file stay in their order
    items[:] = kept


def runs_alone(item: pytest.Item) -> bool:
    return folder_of(item) in ALONE or item.get_closest_marker("timed") is not None


def position(item: pytest.Item) -> int:
    """The longest modules start first, so that none of them is left over when the others are done."""
    path = item.path.as_posix()
    for place, name in enumerate(SLOW_FIRST):
        if f"/{name}.py" in path:
            return place
    return len(SLOW_FIRST) + {"integration": 0, "clients": 0, "unit": 1}.get(folder_of(item), 0)


def folder_of(item: pytest.Item) -> str:
    """`integration`, `unit`, …"""
    return item.path.relative_to(item.config.rootpath / "tests").parts[0]
