"""Which settings contradict each other, and which ones production refuses. Pure.

Process: all of them, once, when settings are loaded.
"""

from config.settings.fields import Settings
from config.trusted_proxies import is_network_list

MIN_KEY_LENGTH = 32
"""32 characters of base64 are 192 bits, of hexadecimal digits 128: nobody guesses either."""

MIN_KEY_VARIETY = 10
"""Different characters; what has fewer was typed, not drawn."""

SettingsFault = tuple[tuple[str, ...], str]

MIN_SECRET_LENGTH = 16
"""Below it a secret can be guessed from one signed body on an ordinary machine."""


def relation_faults(settings: Settings) -> list[SettingsFault]:
    """Pairs that do not fit. Each fault names the settings it is about (the first is the one to change), and why."""
    s = settings
    rules: list[tuple[bool, tuple[str, ...], str]] = [
        (
            s.lease_ttl_s > 2 * s.lease_renew_s,
            ("lease_ttl_s", "lease_renew_s"),
            f"must be more than twice PANAL_LEASE_RENEW_S ({s.lease_renew_s:g}), so that one lost renewal does no harm",
        ),
        (
            s.graph_timeout_s <= s.drain_s,
            ("graph_timeout_s", "drain_s"),
            f"must not exceed PANAL_DRAIN_S ({s.drain_s:g}), so that a send in flight ends before the process does",
        ),
        (
            s.stall_s >= 3 * s.heartbeat_s,
            ("stall_s", "heartbeat_s"),
            f"must be at least three times PANAL_HEARTBEAT_S ({s.heartbeat_s:g}), or a healthy process is killed",
        ),
        (
            s.db_select_ms <= s.db_wait_s * 1000,
            ("db_wait_s", "db_select_ms"),
            f"must not be shorter than PANAL_DB_SELECT_MS ({s.db_select_ms}), or start-up ends before its first try",
        ),
        (
            s.restart_first_s <= s.restart_max_s,
            ("restart_max_s", "restart_first_s"),
            f"must not be shorter than PANAL_RESTART_FIRST_S ({s.restart_first_s:g})",
        ),
        (
            s.embedded_db_port != s.sandbox_port or not s.is_embedded_db or s.whatsapp != "sandbox",
            ("sandbox_port", "embedded_db_port"),
            "must differ from PANAL_EMBEDDED_DB_PORT: two processes cannot listen on one port",
        ),
        (
            s.console_idle_s <= s.console_session_s,
            ("console_idle_s", "console_session_s"),
            f"must not exceed PANAL_CONSOLE_SESSION_S ({s.console_session_s})",
        ),
        (
            s.max_media_bytes >= s.max_body_bytes,
            ("max_media_bytes", "max_body_bytes"),
            f"must not be smaller than PANAL_MAX_BODY_BYTES ({s.max_body_bytes})",
        ),
        (
            s.accept_queue >= s.max_batch,
            ("accept_queue", "max_batch"),
            f"must not be smaller than PANAL_MAX_BATCH ({s.max_batch}), or a full batch is never accepted",
        ),
        (
            is_network_list(s.trusted_proxies),
            ("trusted_proxies",),
            "must be addresses and networks with commas between them, or `private`, `cloudflare`, `none`",
        ),
        (
            s.is_embedded_db or s.database_uri.startswith(("mongodb://", "mongodb+srv://")),
            ("mongodb_uri",),
            "must begin with mongodb:// or mongodb+srv://",
        ),
    ]
    return [(names, reason) for holds, names, reason in rules if not holds] + _key_faults(s)


def _key_faults(s: Settings) -> list[SettingsFault]:
    """A key that could be guessed seals nothing."""
    faults: list[SettingsFault] = []
    for name in ("secret_key", "secret_key_previous"):
        text = getattr(s, name).get_secret_value()
        if text and (len(text) < MIN_KEY_LENGTH or len(set(text)) < MIN_KEY_VARIETY or text != text.strip()):
            faults.append(
                (
                    (name,),
                    f"must have at least {MIN_KEY_LENGTH} random characters, without a space at either end: "
                    "`openssl rand -base64 32` makes one",
                )
            )
    return faults


def production_faults(settings: Settings) -> list[SettingsFault]:
    """What must not reach the open internet. Empty outside PANAL_PROFILE=production."""
    s = settings
    if not s.is_production:
        return []
    faults: list[SettingsFault] = []
    if s.is_embedded_db:
        faults.append(
            (
                ("mongodb_uri",),
                "production needs a MongoDB of its own (Atlas M0 is free); the embedded one is for trying out",
            )
        )
    if s.whatsapp == "sandbox":
        faults.append((("whatsapp",), "production needs `cloud` or `web`; the sandbox sends nothing to anybody"))
    for name in ("app_secret", "verify_token"):
        secret = getattr(s, name).get_secret_value()
        if secret == type(s).model_fields[name].default:
            faults.append(((name,), "production needs a secret of your own; this one still has its public default"))
        elif len(secret) < MIN_SECRET_LENGTH:
            faults.append(((name,), f"production needs at least {MIN_SECRET_LENGTH} characters; this one is too short"))
    if s.whatsapp == "cloud" and not s.access_token:
        faults.append(
            (("access_token", "whatsapp"), "is missing: without it nothing can be sent through the Cloud API")
        )
    if 0 < len(s.bootstrap_key) < MIN_SECRET_LENGTH:
        faults.append(
            (("bootstrap_key",), f"production needs at least {MIN_SECRET_LENGTH} characters, or none: then one is made")
        )
    if not s.secret_key:
        faults.append(
            (
                ("secret_key",),
                "is missing: it seals the secrets in the database; `openssl rand -base64 32` makes one, keep it safe",
            )
        )
    if s.allow_private_urls:
        faults.append(
            (("allow_private_urls",), "must be false in production: a webhook endpoint could read your private network")
        )
    return faults
