import pickle

import pytest
from pydantic import ValidationError

from config.settings import Settings, SettingsRefused, load_settings, unknown_variables, variable
from config.settings.table import GROUPS, describe_settings, render_settings_page, spanish_meanings

SECRETS = {
    "PANAL_MONGODB_URI": "mongodb+srv://panal:Tr0ub4dor@cluster0.example.net/",
    "PANAL_APP_SECRET": "app-secret-0123456789",
    "PANAL_VERIFY_TOKEN": "verify-token-0123456789",
    "PANAL_ACCESS_TOKEN": "EAAaccess-token-0123456789",
    "PANAL_BOOTSTRAP_KEY": "bootstrap-key-0123456789",
    "PANAL_SECRET_KEY": "c2VjcmV0LWtleS1mb3ItdGhlLXRlc3RzLW9ubHk=",
    "PANAL_SANDBOX_TOKEN": "sandbox-token-0123456789",
    "PANAL_SECRET_KEY_PREVIOUS": "cHJldmlvdXMta2V5LWZvci10aGUtdGVzdHMtb25seQ==",
}
PRODUCTION = {**SECRETS, "PANAL_PROFILE": "production", "PANAL_WHATSAPP": "cloud"}


def faults_of(environ: dict[str, str]) -> list[str]:
    with pytest.raises(SettingsRefused) as refused:
        load_settings(environ)
    return refused.value.faults


def test_nothing_set_gives_the_documented_defaults() -> None:
    settings = load_settings({})
    assert settings == Settings()
    assert settings.number == "106540352242922"
    assert settings.waba == "102290129340398"
    assert (settings.db_max_connections, settings.db_pool_per_worker, settings.db_pool_queen) == (500, 30, 10)
    assert (settings.embedded_db_port, settings.sandbox_port) == (27117, 8001)
    assert settings.sandbox_token.get_secret_value() == "sandbox-token"
    assert settings.app_secret.get_secret_value() == "sandbox-secret"
    assert settings.verify_token.get_secret_value() == "sandbox-verify"
    assert (settings.whatsapp, settings.locale, settings.profile) == ("sandbox", "es", "development")


def test_every_setting_has_a_unit_a_default_and_a_line_of_why() -> None:
    rows = describe_settings()
    assert [row.variable for row in rows] == [variable(name) for name in Settings.model_fields]
    assert all(row.meaning and row.default for row in rows)
    numbers = {variable(name) for name, field in Settings.model_fields.items() if field.annotation in (int, float)}
    assert [row.variable for row in rows if row.variable in numbers and not row.unit] == []


def test_the_settings_table_says_the_same_in_spanish() -> None:
    spanish, english = describe_settings("es"), describe_settings("en")
    assert [row.variable for row in spanish] == [row.variable for row in english]
    assert {name for name in spanish_meanings() if not name.endswith("_default")} == Settings.model_fields.keys()
    assert [row.variable for row, other in zip(spanish, english, strict=True) if row.meaning == other.meaning] == []


def test_the_settings_page_is_markdown_with_every_default() -> None:
    lines = render_settings_page("en").splitlines()
    tables = [line for line in lines if line.startswith("|")]
    assert tables.count("| variable | default | unit | meaning |") == len(GROUPS)
    assert len(tables) == 2 * len(GROUPS) + len(Settings.model_fields)
    assert "| `PANAL_DB_POOL_PER_WORKER` | `30` | connections | pool of each HTTP worker |" in lines
    assert any(line.startswith("| `PANAL_MONGODB_URI` | empty |") for line in lines)
    assert any(line.startswith("| `PANAL_MONGODB_URI` | vacío |") for line in render_settings_page("es").splitlines())
    assert {line.count(" | ") for line in tables} == {3}


def test_every_setting_stands_below_the_heading_of_its_group() -> None:
    order = list(Settings.model_fields)
    firsts = [name for name, _ in GROUPS]
    assert firsts[0] == order[0], "the first settings would stand below no heading"
    assert firsts == sorted(firsts, key=order.index)
    for locale in ("en", "es"):
        lines = render_settings_page(locale).splitlines()
        for name, titles in GROUPS:
            table = lines[lines.index(f"## {titles[locale]}") :]
            assert table[4].startswith(f"| `{variable(name)}` |")


def test_no_secret_can_be_read_from_its_settings() -> None:
    settings = load_settings(PRODUCTION)
    copy = pickle.loads(pickle.dumps(settings))  # noqa: S301 - our own bytes
    shown = f"{settings!r} {settings!s} {copy!r} {copy!s} {settings.model_dump()} {settings.model_dump_json()}"
    for secret in (*SECRETS.values(), "Tr0ub4dor"):
        assert secret not in shown
    assert "***" in shown
    assert copy == settings
    assert copy.access_token.get_secret_value() == SECRETS["PANAL_ACCESS_TOKEN"]


def test_no_secret_can_be_read_from_a_refusal() -> None:
    wrong = {
        **PRODUCTION,
        "PANAL_MONGODB_URI": "Tr0ub4dor",
        "PANAL_APP_SECRET": "shortsecret",
        "PANAL_SANDBOX_PORT": "x",
    }
    text = " ".join(faults_of(wrong))
    assert "Tr0ub4dor" not in text
    assert "shortsecret" not in text


def test_a_key_that_could_be_guessed_is_refused_in_development_too() -> None:
    for text in ("short", "0" * 64, " c2VjcmV0LWtleS1mb3ItdGhlLXRlc3RzLW9ubHk="):
        (fault,) = faults_of({"PANAL_SECRET_KEY": text})
        assert fault.startswith("PANAL_SECRET_KEY: ")
        assert "openssl rand -base64 32" in fault
        assert text.strip() not in fault.removeprefix("PANAL_SECRET_KEY: ")
    assert load_settings({}).secret_key.get_secret_value() == "", "development makes its own"


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError):
        Settings().db_name = "other"  # type: ignore[misc]


def test_a_settings_object_does_not_depend_on_the_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PANAL_DB_NAME", "from_the_shell")
    assert Settings().db_name == "panal"
    assert load_settings().db_name == "from_the_shell"


def test_an_empty_variable_counts_as_not_set() -> None:
    assert load_settings({"PANAL_MONGODB_URI": "", "PANAL_SANDBOX_PORT": ""}) == Settings()


def test_the_embedded_database_is_found_on_loopback_without_retryable_writes() -> None:
    settings = load_settings({"PANAL_EMBEDDED_DB_PORT": "27999"})
    assert settings.is_embedded_db
    assert settings.database_uri == "mongodb://127.0.0.1:27999/?directConnection=true&retryWrites=false"


def test_a_connection_string_is_used_as_it_is() -> None:
    settings = load_settings({"PANAL_MONGODB_URI": SECRETS["PANAL_MONGODB_URI"]})
    assert not settings.is_embedded_db
    assert settings.database_uri == SECRETS["PANAL_MONGODB_URI"]


@pytest.mark.parametrize(
    ("environ", "variables"),
    [
        ({"PANAL_DB_POOL_PER_WORKER": "thirty"}, ["PANAL_DB_POOL_PER_WORKER"]),
        ({"PANAL_SANDBOX_PORT": "70000"}, ["PANAL_SANDBOX_PORT"]),
        ({"PANAL_WHATSAPP": "telegram"}, ["PANAL_WHATSAPP"]),
        ({"PANAL_LOCALE": "fr"}, ["PANAL_LOCALE"]),
        ({"PANAL_NUMBER": "+1 555"}, ["PANAL_NUMBER"]),
        ({"PANAL_MONGODB_URI": "postgres://x"}, ["PANAL_MONGODB_URI"]),
        ({"PANAL_LEASE_TTL_S": "6"}, ["PANAL_LEASE_TTL_S"]),
        ({"PANAL_GRAPH_TIMEOUT_S": "21"}, ["PANAL_GRAPH_TIMEOUT_S"]),
        ({"PANAL_REQUEST_HEADER_S": "0"}, ["PANAL_REQUEST_HEADER_S"]),
        ({"PANAL_REQUEST_BODY_BYTES_PER_S": "0"}, ["PANAL_REQUEST_BODY_BYTES_PER_S"]),
        ({"PANAL_CONNECTIONS_PER_ADDRESS": "-1"}, ["PANAL_CONNECTIONS_PER_ADDRESS"]),
        ({"PANAL_STALL_S": "2"}, ["PANAL_STALL_S"]),
        ({"PANAL_DB_WAIT_S": "1"}, ["PANAL_DB_WAIT_S"]),
        ({"PANAL_RESTART_FIRST_S": "11"}, ["PANAL_RESTART_MAX_S"]),
        ({"PANAL_SANDBOX_PORT": "27117"}, ["PANAL_SANDBOX_PORT"]),
        ({"PANAL_MAX_BODY_BYTES": "104857601"}, ["PANAL_MAX_MEDIA_BYTES"]),
        ({"PANAL_ACCEPT_QUEUE": "999"}, ["PANAL_ACCEPT_QUEUE"]),
        ({"PANAL_DRAIN_S": "x", "PANAL_LEASE_RENEW_S": "5"}, ["PANAL_DRAIN_S", "PANAL_LEASE_TTL_S"]),
    ],
)
def test_what_does_not_hold_is_refused_by_name(environ: dict[str, str], variables: list[str]) -> None:
    assert [fault.partition(":")[0] for fault in faults_of(environ)] == variables


def test_a_full_batch_must_fit_into_the_queue() -> None:
    assert load_settings({"PANAL_ACCEPT_QUEUE": "2000", "PANAL_MAX_BATCH": "2000"}).accept_queue == 2000
    assert faults_of({"PANAL_ACCEPT_QUEUE": "2000", "PANAL_MAX_BATCH": "2001"}) == [
        "PANAL_ACCEPT_QUEUE: must not be smaller than PANAL_MAX_BATCH (2001), or a full batch is never accepted"
    ]


def test_production_says_everything_it_refuses_at_once() -> None:
    faults = faults_of({"PANAL_PROFILE": "production", "PANAL_ALLOW_PRIVATE_URLS": "true"})
    assert [fault.partition(":")[0] for fault in faults] == [
        "PANAL_MONGODB_URI",
        "PANAL_WHATSAPP",
        "PANAL_APP_SECRET",
        "PANAL_VERIFY_TOKEN",
        "PANAL_SECRET_KEY",
        "PANAL_ALLOW_PRIVATE_URLS",
    ]
    assert not any("\n" in fault for fault in faults)


@pytest.mark.parametrize(
    ("changed", "refused"),
    [
        ({"PANAL_APP_SECRET": "short"}, "PANAL_APP_SECRET"),
        ({"PANAL_APP_SECRET": "sandbox-secret"}, "PANAL_APP_SECRET"),
        ({"PANAL_VERIFY_TOKEN": "sandbox-verify"}, "PANAL_VERIFY_TOKEN"),
        ({"PANAL_VERIFY_TOKEN": "x" * 15}, "PANAL_VERIFY_TOKEN"),
        ({"PANAL_ACCESS_TOKEN": ""}, "PANAL_ACCESS_TOKEN"),
        ({"PANAL_SECRET_KEY": ""}, "PANAL_SECRET_KEY"),
        ({"PANAL_BOOTSTRAP_KEY": "short"}, "PANAL_BOOTSTRAP_KEY"),
        ({"PANAL_SECRET_KEY": "short"}, "PANAL_SECRET_KEY"),
        ({"PANAL_SECRET_KEY": "ab" * 20}, "PANAL_SECRET_KEY"),
        ({"PANAL_SECRET_KEY_PREVIOUS": "x" * 40}, "PANAL_SECRET_KEY_PREVIOUS"),
        ({"PANAL_WHATSAPP": "sandbox"}, "PANAL_WHATSAPP"),
        ({"PANAL_MONGODB_URI": ""}, "PANAL_MONGODB_URI"),
        ({"PANAL_ALLOW_PRIVATE_URLS": "true"}, "PANAL_ALLOW_PRIVATE_URLS"),
    ],
)
def test_production_refuses_each_of_these_alone(changed: dict[str, str], refused: str) -> None:
    assert load_settings(PRODUCTION).is_production
    faults = faults_of({**PRODUCTION, **changed})
    assert [fault.partition(":")[0] for fault in faults] == [refused]


def test_a_linked_device_needs_no_graph_token() -> None:
    assert load_settings({**PRODUCTION, "PANAL_WHATSAPP": "web", "PANAL_ACCESS_TOKEN": ""}).whatsapp == "web"


def test_private_urls_are_open_in_development_and_closed_in_production() -> None:
    assert load_settings({}).allow_private_urls is True
    assert load_settings({"PANAL_ALLOW_PRIVATE_URLS": "false"}).allow_private_urls is False
    assert load_settings(PRODUCTION).allow_private_urls is False


def test_a_misspelt_variable_is_told() -> None:
    environ = {"PANAL_MONGO_URI": "x", "PANAL_DB_NAME": "y", "PATH": "z"}
    assert unknown_variables(environ) == ["PANAL_MONGO_URI"]
    assert load_settings(environ).db_name == "y"
