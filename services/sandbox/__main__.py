"""`python -m services.sandbox`: the emulator alone, from flags or PANAL_* variables.

Process: sandbox.
"""

import argparse
import logging
import os
import sys
from collections.abc import Mapping, Sequence

from services.sandbox.options import Options
from services.sandbox.process import run_sandbox

log = logging.getLogger("panal.sandbox")


def parse(arguments: Sequence[str] | None, environ: Mapping[str, str]) -> argparse.Namespace:
    """Flags win over variables, variables over the defaults of `Options`."""
    standard = Options()
    parser = argparse.ArgumentParser(
        prog="python -m services.sandbox",
        description="An emulator of Meta's Graph API for WhatsApp. It needs no phone, no account and no network.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )

    def text(flag: str, variable: str, default: str, help_text: str) -> None:
        parser.add_argument(flag, default=environ.get(variable) or default, help=f"{help_text} ({variable})")

    parser.add_argument(
        "--port", type=int, default=environ.get("PANAL_SANDBOX_PORT") or standard.port, help="(PANAL_SANDBOX_PORT)"
    )
    text("--host", "PANAL_SANDBOX_HOST", standard.host, "address to listen on")
    text("--token", "PANAL_SANDBOX_TOKEN", standard.token, "bearer token that calls must carry")
    text("--app-secret", "PANAL_APP_SECRET", standard.app_secret, "signs notifications")
    text("--verify-token", "PANAL_VERIFY_TOKEN", standard.verify_token, "for the webhook handshake")
    text("--number", "PANAL_NUMBER", standard.number, "phone_number_id")
    text(
        "--display-phone-number",
        "PANAL_DISPLAY_PHONE_NUMBER",
        standard.display_phone_number,
        "the number as people see it, digits",
    )
    text("--waba", "PANAL_WABA", standard.waba, "id of the WhatsApp Business Account")
    text("--webhook-url", "PANAL_SANDBOX_WEBHOOK_URL", standard.webhook_url, "where notifications go; empty = nowhere")
    text("--data-dir", "PANAL_DATA_DIR", standard.data_dir, "state is kept in its folder sandbox/")
    parser.add_argument(
        "--seed",
        type=int,
        default=environ.get("PANAL_SANDBOX_SEED") or None,
        help="fixes every id and every chance (PANAL_SANDBOX_SEED)",
    )
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run until a signal comes."""
    chosen = parse(arguments, os.environ)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stdout)
    where = f"http://{chosen.host}:{chosen.port}"
    log.info("Graph API of number %s: %s/v23.0/%s/messages", chosen.number, where, chosen.number)
    log.info("token: %s, control API: %s/_sandbox", chosen.token, where)
    run_sandbox(**vars(chosen))


if __name__ == "__main__":
    main()
