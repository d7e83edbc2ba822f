"""The frozen `Settings`: each figure with its type, default, unit and one line of why.

Process: all of them; it is picklable, the managed processes get it as a value. Import it from `config.settings`.
"""

from typing import Any, Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

PREFIX = "PANAL_"

_SECONDS = r"([1-9][0-9]{0,5}(\.[0-9]{1,3})?|0\.[0-9]{0,2}[1-9])"


def variable(name: str) -> str:
    """`db_name` → `PANAL_DB_NAME`."""
    return PREFIX + name.upper()


def setting(default: Any, unit: str, why: str, **limits: Any) -> Any:
    """A field with its default, its unit (empty where there is none) and one line of why."""
    return Field(default=default, description=why, json_schema_extra={"unit": unit}, **limits)


class Settings(BaseSettings):
    """Every figure an operator may turn. WhatsApp's own numbers are not here: `config/limits.py`."""

    model_config = SettingsConfigDict(
        frozen=True, env_prefix=PREFIX, extra="forbid", hide_input_in_errors=True, validate_default=True
    )

    profile: Literal["development", "production"] = setting(
        "development", "", "`production` refuses the embedded database, the sandbox, and default or short secrets"
    )
    locale: Literal["es", "en"] = setting(
        "es", "", "language of the start-up lines, and default language of the console"
    )

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = setting("INFO", "", "lowest level that is logged")
    access_log: bool = Field(
        default_factory=lambda data: data.get("profile") == "production",
        description="logs one line for each request, with its duration",
        json_schema_extra={"unit": "", "default_text": "false; true in production"},
    )

    # The database.
    mongodb_uri: SecretStr = setting("", "", "MongoDB connection string (secret); empty = embedded database")
    db_name: str = setting("panal", "", "name of the database", pattern=r"^[A-Za-z0-9_-]{1,38}$")
    data_dir: str = setting(
        "./data", "", "folder of the embedded database, the key file and the sandbox log", min_length=1
    )
    embedded_db_port: int = setting(27117, "port", "port of the embedded database (loopback only)", ge=1, le=65535)
    embedded_db_cache: str = setting("256M", "bytes", "cache of the embedded database", pattern=r"^[1-9][0-9]*[MG]$")
    db_max_connections: int = setting(
        500, "connections", "connections that the database allows in total (Atlas M0: 500)", ge=10
    )
    db_pool_per_worker: int = setting(30, "connections", "pool of each HTTP worker", ge=1, le=1000)
    db_pool_queen: int = setting(10, "connections", "pool of the WhatsApp process", ge=2, le=1000)
    db_servers: int = setting(
        3,
        "servers",
        "members of the replica set (Atlas: 3); each client opens monitoring connections to each one",
        ge=1,
        le=50,
    )
    db_ops_per_s: float = setting(
        0.0,
        "operations/s",
        "operations that this host may use (Atlas M0 allows 100); batches grow to stay within it; 0 = no limit",
        ge=0,
    )
    db_wait_queue_ms: int = setting(2000, "ms", "longest wait for a free connection from the pool; then 503", ge=1)
    db_connect_ms: int = setting(3000, "ms", "longest wait for a new connection", ge=100)
    db_select_ms: int = setting(2000, "ms", "longest search for a usable server (the driver's default is 30 s)", ge=100)
    db_wait_s: float = setting(20.0, "s", "how long start-up waits for the database before it gives up", ge=1)

    # The cluster.
    instances: int = setting(
        1, "hosts", "hosts that share the database; each host gets its share of the connections", ge=1
    )
    overlap_workers: int = setting(1, "workers", "extra workers that exist during a rolling restart", ge=0)
    overlap_instances: int = setting(
        1, "hosts", "extra hosts that exist during a zero-downtime deploy (Render: one, for about a minute)", ge=0
    )
    worker_memory_mb: int = setting(200, "MB", "a worker that grows beyond this is replaced; no request fails", ge=64)
    max_requests: int = setting(0, "requests", "a worker is replaced after this many requests, ±10 %; 0 = never", ge=0)
    heartbeat_s: float = setting(1.0, "s", "how often each process reports that its event loop runs", gt=0)
    stall_s: float = setting(
        10.0,
        "s",
        "a process whose event loop stops for this long is killed and replaced; its stacks are logged first",
        gt=0,
    )
    restart_first_s: float = setting(
        0.2, "s", "pause before the second restart in a row; each further pause doubles", gt=0
    )
    restart_max_s: float = setting(10.0, "s", "longest pause between restarts", gt=0)
    restart_breaker_deaths: int = setting(
        5, "deaths", "this many deaths of one process within the window open its circuit breaker", ge=2
    )
    restart_breaker_window_s: float = setting(60.0, "s", "window of the circuit breaker", gt=0)
    restart_breaker_cool_s: float = setting(
        60.0, "s", "how long an open circuit breaker waits before the next try", gt=0
    )
    drain_s: float = setting(
        20.0, "s", "longest wait for open requests at shutdown (Render kills after 30 s)", gt=0, le=280
    )

    # HTTP.
    max_body_bytes: int = setting(1_048_576, "bytes", "largest JSON body; larger ones get 413", ge=65_536)
    max_media_bytes: int = setting(
        104_857_600, "bytes", "largest media upload (WhatsApp's limit for a document)", ge=65_536
    )
    request_header_s: float = setting(10.0, "s", "time limit for the complete request header; then 408", ge=1, le=60)
    request_body_s: float = setting(
        3.0, "s", "time limit for a request body of any size; the rate below adds to it; then 408", ge=0.1, le=300
    )
    request_body_bytes_per_s: int = setting(
        16_384, "bytes/s", "lowest rate at which a body may arrive; slower ones get 408", ge=64, le=1_000_000_000
    )
    connections_per_address: int = setting(
        200,
        "connections",
        "most connections of one public address to one worker, or requests under way of one behind a trusted proxy; "
        "past it 429; 0 = any number",
        ge=0,
    )
    trusted_proxies: str = setting(
        "private",
        "",
        "proxies whose `X-Forwarded-For`, `X-Forwarded-Proto` and `Forwarded` count: addresses and networks, `private` "
        "(this machine and private networks), `cloudflare`, `none`",
    )
    connections_per_worker: int = setting(
        0,
        "connections",
        "most connections to one worker; more get 503; 0 = as many as the open-file limit allows",
        ge=0,
    )
    max_batch: int = setting(1000, "messages", "most messages in one batch", ge=1, le=10_000)
    accept_queue: int = setting(
        5000, "requests", "requests that may wait in one worker for the next group commit; more get 503", ge=1
    )
    idempotency_ttl_s: int = setting(86_400, "s", "how long an `Idempotency-Key` is remembered", ge=60)
    long_poll_max_s: float = setting(30.0, "s", "longest `wait_s` of a long poll", ge=0, le=300)
    stream_max_s: float = setting(
        3600.0, "s", "longest life of an SSE or WebSocket stream; then the client reconnects", ge=10
    )
    streams_per_worker: int = setting(1000, "streams", "live streams in one worker; more get 503", ge=1)
    stream_buffer: int = setting(
        1000, "events", "events that may wait for one slow stream; with more, Panal closes the stream", ge=1
    )
    console_idle_s: int = setting(
        1800, "s", "the console signs a user out after this long without activity", ge=10, le=604_800
    )
    console_session_s: int = setting(
        43_200, "s", "longest session of the console; then the user signs in again", ge=60, le=2_592_000
    )
    bootstrap_key: SecretStr = setting("", "", "API key with every scope; empty = made at first start and printed once")
    secret_key: SecretStr = setting(
        "",
        "",
        "seals the secrets in the database, at least 32 random characters: `openssl rand -base64 32`; empty = made at "
        "first start in PANAL_DATA_DIR, in development only",
    )
    secret_key_previous: SecretStr = setting(
        "", "", "opens what the former PANAL_SECRET_KEY sealed, while the keys are changed"
    )
    allow_private_urls: bool = Field(
        default_factory=lambda data: data.get("profile") != "production",
        description="may webhook endpoints and media links point at loopback and private networks?",
        json_schema_extra={"unit": "", "default_text": "true; false in production"},
    )

    # WhatsApp.
    whatsapp: Literal["sandbox", "cloud", "web"] = setting(
        "sandbox", "", "how the first number reaches WhatsApp: `sandbox` (the emulator) or `cloud` (Meta's Cloud API)"
    )
    number: str = setting(
        "106540352242922", "", "`phone_number_id` of the first number, created at first start", pattern=r"^[0-9]{1,15}$"
    )
    waba: str = setting(
        "102290129340398",
        "",
        "WhatsApp Business Account (WABA) of the first number, created at first start",
        pattern=r"^[0-9]{1,15}$",
    )
    display_phone_number: str = setting(
        "15550783881", "", "the first number as customers see it", pattern=r"^[0-9]{7,15}$"
    )
    app_secret: SecretStr = setting(
        "sandbox-secret", "", "app secret of your Meta app; it verifies the signature of each notification"
    )
    verify_token: SecretStr = setting(
        "sandbox-verify", "", "token that Meta sends to verify the webhook URL (`hub.verify_token`)"
    )
    access_token: SecretStr = setting("", "", "Graph API token of the first number (for `cloud`)")
    graph_base_url: str = setting(
        "https://graph.facebook.com", "", "address of Meta's Graph API", pattern=r"^https?://[^/?#\s]+$"
    )
    graph_version: str = setting("v23.0", "", "version of the Graph API", pattern=r"^v[0-9]{1,3}\.[0-9]$")
    graph_timeout_s: float = setting(20.0, "s", "longest wait for an answer of the Graph API", gt=0)
    sandbox_port: int = setting(8001, "port", "port of the emulator (loopback only)", ge=1, le=65535)
    sandbox_token: SecretStr = setting("sandbox-token", "", "Graph API token that the emulator accepts", min_length=1)
    number_rate_per_s: float = setting(
        80.0,
        "messages/s",
        "send rate of one number: Meta allows 80, 1000 after an upgrade, 20 beside the WhatsApp Business app",
        gt=0,
    )
    pair_period_s: float = setting(6.0, "s", "average interval between messages to one recipient", gt=0)
    pair_burst: int = setting(45, "messages", "messages that may go to one recipient at once", ge=1)
    daily_recipients: int = setting(
        0,
        "recipients",
        "most recipients in 24 h outside the customer service window; 0 = WhatsApp's own limit, where known",
        ge=0,
    )
    quiet_hours: str = setting(
        "",
        "",
        "hours without bulk messages, for example `21:00-08:00 America/Mexico_City`",
        pattern=r"^$|^\d{2}:\d{2}-\d{2}:\d{2} [A-Za-z_+/-]+$",
    )
    template_sync_s: float = setting(
        600.0, "s", "how often Panal reads the account's templates again; WhatsApp also reports changes", ge=1
    )
    send_concurrency: int = setting(64, "messages", "sends to WhatsApp that may run at the same time", ge=1, le=1000)
    lease_ttl_s: float = setting(
        10.0, "s", "an owner that does not renew its lease for this long loses the number", gt=0
    )
    lease_renew_s: float = setting(3.0, "s", "how often the owner renews its lease", gt=0)
    evidence_wait_s: float = setting(
        15.0, "s", "how long a message in doubt waits for proof of delivery before `on_uncertain` decides", ge=0
    )
    on_uncertain: Literal["hold", "resend"] = setting(
        "hold", "", "what happens to a message without proof: `hold` leaves it to you, `resend` sends it again"
    )

    # What customers decide, and campaigns.
    opt_out_words: str = setting(
        "STOP, STOPALL, STOP ALL, UNSUBSCRIBE, OPT OUT, OPTOUT, BAJA, DAR DE BAJA, DARME DE BAJA, SALIR, CANCELAR, "
        "PARAR, NO MOLESTAR, SAIR, DESCADASTRAR, ARRET, ARRETER, DESABONNER, STOPP, ABMELDEN, ABBESTELLEN, ANNULLA, "
        "DISISCRIVI, AFMELDEN",
        "",
        "a message with just one of these words opts its sender out; case and accents do not matter",
    )
    opt_in_words: str = setting(
        "START, UNSTOP, SUBSCRIBE, OPT IN, OPTIN, ALTA, DAR DE ALTA, INICIAR, REINICIAR, INSCREVER, ABONNER, ANMELDEN, "
        "ISCRIVI, AANMELDEN",
        "",
        "a message with just one of these words undoes an opt-out",
    )
    opt_out_category: Literal["all", "marketing"] = setting(
        "all", "", "what an opt-out word stops: `all` messages, or `marketing` alone"
    )
    campaign_outstanding: int = setting(
        500, "messages", "messages of one campaign that may wait in the queue at once", ge=10, le=5000
    )
    campaign_max_recipients: int = setting(100_000, "people", "most recipients of one campaign", ge=1)

    # Webhook endpoints.
    webhook_schedule: str = setting(
        "5,30,120,600,1800,3600,7200,14400,28800,43200,43200,43200,43200,28800",
        "s",
        "pauses before each retry of a delivery; after the last retry the event becomes a dead letter",
        pattern=rf"^{_SECONDS}(,{_SECONDS}){{0,99}}$",
    )
    webhook_timeout_s: float = setting(15.0, "s", "longest wait for the answer of an endpoint", gt=0, le=60)
    webhook_concurrency: int = setting(
        16, "deliveries", "deliveries to one endpoint that may run at the same time", ge=1, le=1000
    )
    webhook_disable_days: float = setting(
        5.0, "days", "an endpoint that accepts nothing for this long is disabled", gt=0, le=365
    )

    # How long things are kept.
    retention_messages_days: int = setting(90, "days", "messages with their timelines", ge=1)
    retention_events_days: int = setting(30, "days", "events of the numbered log", ge=1)
    retention_notifications_days: int = setting(7, "days", "Meta's notifications, as they arrived", ge=1)
    retention_attempts_days: int = setting(30, "days", "delivery attempts to webhook endpoints", ge=1)
    retention_campaigns_days: int = setting(90, "days", "campaigns with their recipients, from their end on", ge=1)
    retention_conversations_days: int = setting(
        0,
        "days",
        "conversations with their notes, from the last message on, once no message of theirs is left; 0 = for ever",
        ge=0,
    )
    retention_contacts_days: int = setting(
        0,
        "days",
        "contacts without a conversation, from their last change on; opted-out contacts stay; 0 = for ever",
        ge=0,
    )
    storage_mb: int = setting(
        512, "MB", "size that the database may reach (Atlas M0: 512); Panal warns at 80 %; 0 = no check", ge=0
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what the caller passes: a test, or a managed process, must not depend on somebody's shell."""
        return (init_settings,)

    @property
    def is_production(self) -> bool:
        return self.profile == "production"

    @property
    def is_embedded_db(self) -> bool:
        """No connection string: this cluster runs its own database."""
        return not self.mongodb_uri.get_secret_value()

    @property
    def database_uri(self) -> str:
        """Where the database is, embedded or not. It may hold a password: never log it."""
        if self.is_embedded_db:
            # Retryable writes slow the embedded server to a tenth; it is one node, found without a replica set's name.
            return f"mongodb://127.0.0.1:{self.embedded_db_port}/?directConnection=true&retryWrites=false"
        return self.mongodb_uri.get_secret_value()
