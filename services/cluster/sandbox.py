"""The emulated WhatsApp as a managed process: it leaves with main.

Process: sandbox.
"""

from config.settings import Settings
from services.cluster.guard import leave_with_parent
from services.sandbox.process import run_sandbox


def run_guarded_sandbox(*, settings: Settings, webhook_url: str) -> None:
    """Target of the managed process ``Sandbox``. `webhook_url` is where it posts what happens on its phones."""
    leave_with_parent()
    run_sandbox(
        port=settings.sandbox_port,
        token=settings.sandbox_token.get_secret_value(),
        app_secret=settings.app_secret.get_secret_value(),
        verify_token=settings.verify_token.get_secret_value(),
        number=settings.number,
        display_phone_number=settings.display_phone_number,
        waba=settings.waba,
        webhook_url=webhook_url,
        data_dir=settings.data_dir,
    )
