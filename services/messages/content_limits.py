"""How long and how many: WhatsApp's limits for the parts of a message.

Source for all: Meta, "Messages" guides and reference (2025-12 edition, read 2026-09-11), unless a line says otherwise.
Lengths count characters.

Process: worker.
"""

TEXT_BODY = 4096
CAPTION = 1024

INTERACTIVE_BODY = 1024
INTERACTIVE_LIST_BODY = 4096
HEADER_TEXT = 60
FOOTER_TEXT = 60

REPLY_BUTTONS = 3
REPLY_BUTTON_TITLE = 20
REPLY_BUTTON_ID = 256

LIST_BUTTON = 20
LIST_SECTIONS = 10
LIST_ROWS = 10
"""Over all sections of a list together."""
SECTION_TITLE = 24
ROW_TITLE = 24
ROW_ID = 200
ROW_DESCRIPTION = 72

CTA_DISPLAY_TEXT = 20
FLOW_CTA = 30
"""Meta's OpenAPI; its pages advise 20, and it accepts 30."""

PRODUCT_SECTIONS = 10
PRODUCTS = 30

CAROUSEL_CARDS_MIN, CAROUSEL_CARDS_MAX = 2, 10
CARD_BODY = 160
CARD_BODY_LINE_BREAKS = 2

CONTACTS = 257
TEMPLATE_NAME = 512
COUPON_CODE = 15

WA_ID_DIGITS_MIN, WA_ID_DIGITS_MAX = 7, 15
"""E.164 allows 15 digits; the lower end is ours."""
GROUP_ID = 256
USER_ID_PATTERN = r"[A-Z]{2}\.(?:ENT\.)?[0-9A-Za-z]{1,128}"
"""Business-scoped user id. Source: Meta, "Business-scoped user IDs" (2026-06-29)."""

NESTING = 32
"""Ours: free JSON (the data of a flow) deeper than this is refused, before the database does it."""
