"""WhatsApp's own numbers. They are Meta's, not ours, so they are no settings; each has its unit, its source and a date.

Sources, with the day on which they were read:
    [D25] Meta, Cloud API documentation, pages updated October to December 2025; read 2025-12.
    [D26] Meta, error codes, webhooks and business-scoped ids, pages updated 2026-06; read 2026-09-11.
    [OA]  Meta's OpenAPI v23.0, github.com/facebook/openapi, commit ecba623b; read 2025-11-21.
    [P]   pywa 4.5.0 and @kapso/whatsapp-cloud-api 0.3.0, which enforce it; Meta's pages do not say.

Process: worker, whatsapp, sandbox.
"""

from datetime import timedelta
from typing import Final

KB: Final = 1 << 10
MB: Final = 1 << 20
"""Meta's "16 MB" is 16 × 2^20: "must be atmost 16777216 bytes", seen in its error 131053."""

# Text, in characters.
TEXT_MAX_CHARS: Final = 4096  # [D25] Text messages
CAPTION_MAX_CHARS: Final = 1024  # [D25] Image, Video, Document messages
HEADER_TEXT_MAX_CHARS: Final = 60  # [D25][OA] Interactive messages
FOOTER_MAX_CHARS: Final = 60  # [D25][OA] Interactive messages
INTERACTIVE_BODY_MAX_CHARS: Final = 1024  # [D25][OA] reply buttons, cta_url, catalog, carousel
LIST_BODY_MAX_CHARS: Final = 4096  # [D25] List messages; [OA] says 1024
OPAQUE_DATA_MAX_CHARS: Final = 512  # [P] biz_opaque_callback_data

# Reply buttons.
BUTTONS_MAX_COUNT: Final = 3  # [D25][OA]
BUTTON_TITLE_MAX_CHARS: Final = 20  # [D25][OA]
BUTTON_ID_MAX_CHARS: Final = 256  # [D25][OA]

# Lists.
LIST_BUTTON_MAX_CHARS: Final = 20  # [D25]
LIST_SECTIONS_MAX_COUNT: Final = 10  # [D25]
LIST_ROWS_MAX_COUNT: Final = 10  # [D25] over all sections
LIST_SECTION_TITLE_MAX_CHARS: Final = 24  # [D25] required when there is more than one section
LIST_ROW_ID_MAX_CHARS: Final = 200  # [D25]
LIST_ROW_TITLE_MAX_CHARS: Final = 24  # [D25]
LIST_ROW_DESCRIPTION_MAX_CHARS: Final = 72  # [D25]

# Other interactive kinds.
CTA_TEXT_MAX_CHARS: Final = 20  # [D25] cta_url display_text
FLOW_CTA_MAX_CHARS: Final = 30  # [OA]; clients stop at 20
PRODUCT_SECTIONS_MAX_COUNT: Final = 10  # [D25]
PRODUCTS_MAX_COUNT: Final = 30  # [D25] over all sections
CAROUSEL_CARDS_MIN_COUNT: Final = 2  # [D25]
CAROUSEL_CARDS_MAX_COUNT: Final = 10  # [D25]
CAROUSEL_CARD_BODY_MAX_CHARS: Final = 160  # [D25]
CAROUSEL_CARD_MAX_LINE_BREAKS: Final = 2  # [D25]
CONTACTS_MAX_COUNT: Final = 257  # [D25]; [OA] says 5

# Templates.
TEMPLATE_NAME_MAX_CHARS: Final = 512  # [D25] lower-case letters, digits, underscore
TEMPLATE_HEADER_MAX_CHARS: Final = 60  # [D25] with one variable at most
TEMPLATE_BODY_MAX_CHARS: Final = 1024  # [D25]
TEMPLATE_FOOTER_MAX_CHARS: Final = 60  # [D25]
TEMPLATE_BUTTON_TEXT_MAX_CHARS: Final = 25  # [D25]
TEMPLATE_URL_MAX_CHARS: Final = 2000  # [D25]
TEMPLATE_COPY_CODE_MAX_CHARS: Final = 15  # [D25]
TEMPLATE_BUTTONS_MAX_COUNT: Final = 10  # [D25] of which 2 URLs, 1 phone number, 1 copy code
TEMPLATE_URL_BUTTONS_MAX_COUNT: Final = 2  # [D25]
TEMPLATES_PER_WABA: Final = 250  # [D25] more when verified
TEMPLATE_CREATIONS_PER_HOUR: Final = 100  # [D25]

# Phone numbers and ids.
PHONE_MIN_DIGITS: Final = 7
PHONE_MAX_DIGITS: Final = 15  # E.164; the lower bound is ours: shorter ones are typing errors
USER_ID_MAX_CHARS: Final = 128  # [D26] business-scoped id: CC. or CC.ENT. and so many letters and digits

# Media, in bytes.
IMAGE_MAX_BYTES: Final = 5 * MB  # [D25] image/jpeg, image/png
AUDIO_MAX_BYTES: Final = 16 * MB  # [D25] aac, amr, mpeg, mp4, ogg (opus)
VOICE_ICON_MAX_BYTES: Final = 512 * KB  # [D25] a longer voice note shows no play icon
VIDEO_MAX_BYTES: Final = 16 * MB  # [D25] mp4, 3gpp (H.264 and AAC)
DOCUMENT_MAX_BYTES: Final = 100 * MB  # [D25]
STICKER_MAX_BYTES: Final = 100 * KB  # [D25] webp 512 × 512
ANIMATED_STICKER_MAX_BYTES: Final = 500 * KB  # [D25]
STICKER_SIDE_PIXELS: Final = 512  # [D25]
MEDIA_ID_LIFETIME: Final = timedelta(days=30)  # [D25] uploaded
INBOUND_MEDIA_ID_LIFETIME: Final = timedelta(days=7)  # [D25] from a notification
MEDIA_URL_LIFETIME: Final = timedelta(minutes=5)  # [D25]
MEDIA_LINK_CACHE: Final = timedelta(minutes=10)  # [D25] by exact URL

# Time.
CUSTOMER_SERVICE_WINDOW: Final = timedelta(hours=24)  # [D25] Send messages: since the customer's last message or call
FREE_ENTRY_POINT_WINDOW: Final = timedelta(hours=72)  # [D25] Pricing: after an ad or a page button
MESSAGE_LIFETIME: Final = timedelta(days=30)  # [D25] undelivered for longer: dropped
AUTHENTICATION_LIFETIME: Final = timedelta(minutes=10)  # [D25] authentication templates
QUOTE_LIFETIME: Final = timedelta(days=30)  # [D25] a quote or a reaction to something older shows nothing, or fails
TYPING_INDICATOR_LIFETIME: Final = timedelta(seconds=25)  # [D25]
MARKETING_PAUSE: Final = timedelta(hours=24)  # [D26] after 131049 another try before it makes it worse

# Rates.
THROUGHPUT_PER_S: Final = 80  # [D25] messages in and out, per phone number
THROUGHPUT_HIGH_PER_S: Final = 1000  # [D25] after the upgrade
THROUGHPUT_COEXISTENCE_PER_S: Final = 20  # [D25] a number also used in the app
PAIR_PERIOD: Final = timedelta(seconds=6)  # [D25] one message to the same user in so long
PAIR_BURST_COUNT: Final = 45  # [D25] may be borrowed from the future at once
PAIR_RETRY_BASE: Final = 4  # [D25] after 131056 wait 4^X seconds, X = 0, 1, 2 …
MANAGEMENT_CALLS_PER_HOUR: Final = 5000  # [D25] active WABA; 200 without a registered number
MESSAGING_TIERS: Final = (250, 2_000, 10_000, 100_000)  # [D25] users in 24 h outside the window; then unlimited
TEST_RECIPIENTS_COUNT: Final = 5  # [D25] of a test number; others get 131030

# The cloud webhook.
NOTIFICATION_MAX_BYTES: Final = 3 * MB  # [D26] Webhooks overview
NOTIFICATION_MAX_CHANGES: Final = 1000  # [D26] updates in one post
NOTIFICATION_RETRY_WINDOW: Final = timedelta(days=7)  # [D26] then Meta drops it

# Errors.
LATE_ERROR_CODES: Final = (130403, 130472, 131026, 131042, 131047, 131048, 131049, 131050, 131053)  # [D26]
"""A send is answered 200, and fails afterwards in a status: one list for the table of codes and for the sandbox.

131052 is about what a customer sent, and stands in that message; 137000 is the answer to the request."""
