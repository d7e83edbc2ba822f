"""Only Meta's own SHA-256 signature over exactly these bytes is accepted."""

import pytest

from services.cloud_webhook import signature_of, verify

RAW = b'{"object":"whatsapp_business_account","name":"\\u00f1"}'
SECRET = "sandbox-secret"
SIGNATURE = "sha256=bc3be90a5f22890bae48f8dabe73aa6b1addc22313a216cac583f3d15d41bf2d"


def test_the_signature_is_hmac_sha256_in_hexadecimal() -> None:
    assert signature_of(RAW, SECRET) == SIGNATURE
    assert verify(RAW, SIGNATURE, SECRET)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "sha256=",
        SIGNATURE.removeprefix("sha256="),
        SIGNATURE[:-1],
        SIGNATURE + "0",
        SIGNATURE.replace("sha256", "sha1"),
        "sha1=9b1b3b0b7b8f5b8f0b0b6f4e5a3d2c1b0a9f8e7d",
        "sha256=ñ",
        "sha256=\udc80",
    ],
)
def test_any_other_header_is_refused(header: str | None) -> None:
    assert not verify(RAW, header, SECRET)


def test_one_changed_byte_or_secret_is_refused() -> None:
    assert not verify(RAW + b" ", SIGNATURE, SECRET)
    assert not verify(RAW, SIGNATURE, "another-secret")


def test_without_a_secret_nothing_is_from_meta() -> None:
    assert not verify(RAW, signature_of(RAW, ""), "")
