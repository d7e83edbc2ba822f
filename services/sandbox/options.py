"""What the sandbox is started with: one frozen value, for the managed process and for the command line alike.

Process: sandbox.
"""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Options:
    """Everything that does not change while it runs. Times in seconds."""

    port: int = 8001
    host: str = "127.0.0.1"
    token: str = "sandbox-token"  # noqa: S105 - the documented default of an emulator, not a secret
    app_secret: str = "sandbox-secret"  # noqa: S105 - the same
    verify_token: str = "sandbox-verify"  # noqa: S105 - the same
    number: str = "106540352242922"
    display_phone_number: str = "15550783881"
    waba: str = "102290129340398"
    webhook_url: str = ""
    data_dir: str = "./data"
    seed: int | None = None
    """Fixes every id and every chance. None: drawn anew at each first start and each reset, so no wamid comes twice."""
    api_version: str = "v23.0"
    """Decides the form of statuses only; every version is answered in a path."""
    retry_first_s: float = 0.5
    retry_most_s: float = 8.0
    keep_trying_s: float = 7 * 24 * 3600.0
    webhook_timeout_s: float = 10.0
    webhook_parallel: int = 32

    @property
    def folder(self) -> Path:
        """Where the storage and the media lie."""
        return Path(self.data_dir) / "sandbox"

    @property
    def base_url(self) -> str:
        """The address that media urls in notifications start with."""
        host = "127.0.0.1" if self.host in ("", "0.0.0.0", "::") else self.host  # noqa: S104 - compared, not bound
        return f"http://{host}:{self.port}"
