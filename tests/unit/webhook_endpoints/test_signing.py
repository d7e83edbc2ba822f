"""Our signatures, checked by the published library of Standard Webhooks and by Meta's own recipe."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from services.webhook_endpoints.signing import meta_signature, new_secret, secret_fault, standard_signature

BODY = '{"text":"ñ – 🐝"}'.encode()


def headers(secrets: list[str], at: datetime | None = None, id_: str = "evt_1-whe_1") -> dict[str, str]:
    at = at or datetime.now(UTC)
    return {
        "webhook-id": id_,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": standard_signature(id_, at, BODY, secrets),
    }


def test_the_published_library_verifies_our_signature() -> None:
    secret = new_secret()
    assert Webhook(secret).verify(BODY, headers([secret])) == {"text": "ñ – 🐝"}


def test_during_a_rotation_both_secrets_verify() -> None:
    new, old = new_secret(), new_secret()
    sent = headers([new, old])
    assert Webhook(new).verify(BODY, sent)
    assert Webhook(old).verify(BODY, sent)


@pytest.mark.parametrize("changed", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_changed_header_does_not_verify(changed: str) -> None:
    secret = new_secret()
    sent = headers([secret])
    sent[changed] = {"webhook-id": "evt_2", "webhook-timestamp": "1", "webhook-signature": "v1,AAAA"}[changed]
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(BODY, sent)


def test_the_example_of_the_specification() -> None:
    """Source: standard-webhooks/spec, "Verifying signatures", the libraries' shared test vector."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    at = datetime.fromtimestamp(1614265330, UTC)
    signature = standard_signature("msg_p5jXN8AQM9LWM0D4loKWxJek", at, b'{"test": 2432232314}', [secret])
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_metas_signature_is_keyed_with_the_text_of_the_secret() -> None:
    expected = "sha256=" + hmac.new(b"an-app-secret-like-text", BODY, hashlib.sha256).hexdigest()
    assert meta_signature(BODY, "an-app-secret-like-text") == expected


def test_a_new_secret_has_enough_chance_in_it_and_is_never_the_same() -> None:
    made = {new_secret() for _ in range(100)}
    assert len(made) == 100
    assert all(len(base64.b64decode(secret.removeprefix("whsec_"))) == 32 for secret in made)


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "short",
        "whsec_",
        "whsec_!!!!",
        "whsec_" + base64.b64encode(b"x" * 23).decode(),
        "whsec_" + base64.b64encode(b"x" * 65).decode(),
        base64.b64encode(b"x" * 32).decode(),
    ],
)
def test_a_secret_that_is_too_weak_or_of_another_form_is_refused(secret: str) -> None:
    assert secret_fault(secret)
    assert secret_fault("whsec_" + base64.b64encode(b"x" * 24).decode()) is None
