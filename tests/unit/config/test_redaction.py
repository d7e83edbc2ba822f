import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from config.redaction import MAX_CHARS, Redactor, mask_phone

REDACTOR = Redactor(
    secrets=["correct-horse", "correct-horse-battery", "abc"], public=["106540352242922", "15550783881"]
)


@pytest.mark.parametrize(
    ("words", "clean"),
    [
        ("sent to +15551234567.", "sent to ***4567."),
        ("sent to 16505551234, 16505551235", "sent to ***1234, ***1235"),
        ("call +1 555-123-4567 now", "call ***4567 now"),
        ("by 106540352242922 (15550783881)", "by 106540352242922 (15550783881)"),
        (
            "pid 4194304 at 2026-01-02T03:04:05.678Z took 1234567 ms",
            "pid 4194304 at 2026-01-02T03:04:05.678Z took 1234567 ms",
        ),
        ("msg_01J12345678901234567890123 is fine", "msg_01J12345678901234567890123 is fine"),
        ("the password is correct-horse-battery", "the password is ***"),
        ("Authorization: Bearer abc.def-ghi", "Authorization: Bearer ***"),
        ("OAuth EAAB0123456789012345678901", "OAuth ***"),
        ("mongodb+srv://panal:hunter22@db.example/x", "mongodb+srv://panal:***@db.example/x"),
        ("at mongodb://a:p://w@ss@db/x", "at mongodb://a:***@db/x"),
        ("https://plain.test/?u=https://a:b@c.test", "https://plain.test/?u=https://a:***@c.test"),
        ("https://plain.test:8080/x", "https://plain.test:8080/x"),
        ("GET /w?hub.verify_token=letmein&x=1", "GET /w?hub.verify_token=***&x=1"),
        ("https://x/y?access_token=EAAx", "https://x/y?access_token=***"),
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_***"),
        ("key panal_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw_x-y given", "key panal_*** given"),
        ("X-Hub-Signature-256: sha256=" + "0f" * 32, "X-Hub-Signature-256: sha256=***"),
        ("abc is too short to hide", "abc is too short to hide"),
    ],
)
def test_free_text(words: str, clean: str) -> None:
    assert REDACTOR.text(words) == clean


@pytest.mark.parametrize(
    ("key", "value", "clean"),
    [
        ("to", "16505551234", "***1234"),
        ("to", 16505551234, "***1234"),
        ("from", "106540352242922", "106540352242922"),
        ("recipient", "US.13491208655302741918", "***1918"),
        ("phone_number_id", "999999999999999", "999999999999999"),
        ("body", "hola, ¿qué tal?", "[15 characters]"),
        ("payload", b"\x00\x01", "[2 bytes]"),
        ("access_token", "x", "***"),
        ("api_key", "x", "***"),
        ("app_secret", SecretStr("x"), "***"),
        ("fence_token", 7, 7),
        ("duration_ms", 12345678.9, 12345678.9),
        ("count", 123456789, 123456789),
        ("is_open", True, True),
        ("nothing", None, None),
        ("note", "call 16505551234", "call ***1234"),
        (
            "order",
            {"to": "16505551234", "text": {"body": "hola"}, "n": 1},
            {"to": "***1234", "text": {"body": "[4 characters]"}, "n": 1},
        ),
        ("to", ["16505551234", "16505551235"], ["***1234", "***1235"]),
        ("error", ValueError("to 16505551234"), "to ***1234"),
    ],
)
def test_named_values(key: str, value: object, clean: object) -> None:
    assert REDACTOR.value(key, value) == clean


def test_a_short_number_shows_nothing() -> None:
    assert mask_phone("1234") == "***"
    assert mask_phone("+1 (555) 123-4567") == "***4567"


@given(
    st.from_regex(r"\+?[1-9][0-9]{9,14}", fullmatch=True),
    st.sampled_from(["{}", "to {}", "({})", '"{}",', "a={};", "{}\n"]),
)
def test_no_phone_number_survives_in_free_text(number: str, frame: str) -> None:
    assert number.lstrip("+") not in Redactor().text(frame.format(number))


def test_a_long_text_is_cut_between_words_and_the_cut_is_marked() -> None:
    lines = [f"line {n} of a traceback" for n in range(5_000)]
    clean = REDACTOR.text("\n".join(lines))
    assert len(clean) <= MAX_CHARS + 50
    assert clean.startswith("line 0 of a traceback\n")
    assert clean.endswith("line 4999 of a traceback")
    assert " characters left out]" in clean


@pytest.mark.parametrize("before", range(4_060, 4_110, 7))
def test_no_half_of_a_secret_is_left_at_a_cut(before: int) -> None:
    secret = "panal_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    clean = REDACTOR.text("x " * (before // 2) + secret + " y" * 20_000)
    assert not any(secret[:length] in clean for length in range(8, len(secret)))


def test_what_is_nested_without_an_end_is_cut_as_well() -> None:
    value: object = "deep"
    for _ in range(5_000):
        value = {"in": [value]}
    assert "members]" in str(REDACTOR.value("facts", value))
