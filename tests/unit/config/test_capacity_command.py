"""`python -m config.capacity`, as `make plan` calls it."""

import pytest

from config.capacity.__main__ import main


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PANAL_MONGODB_URI", "PANAL_LOCALE", "PANAL_PROFILE", "WEB_CONCURRENCY"):
        monkeypatch.delenv(name, raising=False)


def test_a_plan_that_fits_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--workers=4", "--cpus=4", "--memory-mb=8192"]) == 0
    shown = capsys.readouterr().out
    assert "4 workers × 30" in shown
    assert "380" in shown


def test_a_plan_that_does_not_fit_is_one_line_and_an_exit_code(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PANAL_LOCALE", "en")
    assert main(["--workers=17"]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "510" in shown.err
    assert "PANAL_DB_POOL_PER_WORKER" in shown.err


def test_a_wrong_setting_is_told_before_any_plan(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PANAL_DB_POOL_PER_WORKER", "many")
    assert main([]) == 2
    assert "PANAL_DB_POOL_PER_WORKER" in capsys.readouterr().err
