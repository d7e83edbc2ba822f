"""The map of the Graph paths: method and edge, and who answers. `*` stands for one more segment.

Process: sandbox.
"""

from services.sandbox.graph import (
    blocks,
    callbacks,
    flows,
    media,
    messages,
    numbers,
    profile,
    qrcodes,
    templates,
    uploads,
)
from services.sandbox.graph.context import Handler
from services.sandbox.graph.nodes import handle_node

_get_commerce, _post_commerce = profile.keeps("whatsapp_commerce_settings", profile.show_commerce)
_get_automation, _post_automation = profile.keeps("conversational_automation", profile.show_automation)
_get_encryption, _post_encryption = profile.keeps("whatsapp_business_encryption", profile.show_encryption)
_get_settings, _post_settings = profile.keeps("settings", profile.show_settings)

ROUTES: dict[tuple[str, str], Handler] = {
    ("GET", ""): handle_node,
    ("POST", ""): handle_node,
    ("DELETE", ""): handle_node,
    ("POST", "messages"): messages.post_messages,
    ("POST", "marketing_messages"): messages.post_marketing_messages,
    ("POST", "media"): media.post_media,
    ("POST", "uploads"): uploads.open_upload,
    ("GET", "message_templates"): templates.list_templates,
    ("POST", "message_templates"): templates.create_template,
    ("DELETE", "message_templates"): templates.delete_templates,
    ("GET", "message_templates/*"): templates.get_template_of_account,
    ("POST", "upsert_message_templates"): templates.upsert_templates,
    ("POST", "unpause"): templates.unpause_template,
    ("GET", "phone_numbers"): numbers.list_numbers,
    ("POST", "register"): numbers.register,
    ("POST", "deregister"): numbers.deregister,
    ("POST", "request_code"): numbers.request_code,
    ("POST", "verify_code"): numbers.verify_code,
    ("GET", "settings"): _get_settings,
    ("POST", "settings"): _post_settings,
    ("GET", "whatsapp_business_profile"): profile.get_profile,
    ("POST", "whatsapp_business_profile"): profile.post_profile,
    ("GET", "whatsapp_commerce_settings"): _get_commerce,
    ("POST", "whatsapp_commerce_settings"): _post_commerce,
    ("GET", "conversational_automation"): _get_automation,
    ("POST", "conversational_automation"): _post_automation,
    ("GET", "whatsapp_business_encryption"): _get_encryption,
    ("POST", "whatsapp_business_encryption"): _post_encryption,
    ("GET", "block_users"): blocks.list_blocked,
    ("POST", "block_users"): blocks.block,
    ("DELETE", "block_users"): blocks.unblock,
    ("GET", "subscribed_apps"): callbacks.subscribed_apps,
    ("POST", "subscribed_apps"): callbacks.subscribe_account,
    ("DELETE", "subscribed_apps"): callbacks.unsubscribe_account,
    ("GET", "subscriptions"): callbacks.app_subscriptions,
    ("POST", "subscriptions"): callbacks.subscribe_app,
    ("DELETE", "subscriptions"): callbacks.unsubscribe_app,
    ("GET", "message_qrdls"): qrcodes.list_codes,
    ("POST", "message_qrdls"): qrcodes.post_code,
    ("GET", "message_qrdls/*"): qrcodes.get_code,
    ("DELETE", "message_qrdls/*"): qrcodes.delete_code,
    ("GET", "flows"): flows.list_flows,
    ("POST", "flows"): flows.create_flow,
    ("GET", "assets"): flows.get_assets,
    ("POST", "assets"): flows.post_assets,
    ("POST", "publish"): flows.publish,
    ("POST", "deprecate"): flows.deprecate,
}

OPEN_ROUTES: dict[tuple[str, ...], Handler] = {("GET", "oauth", "access_token"): callbacks.app_token}
"""Paths that want no token."""


def route_of(method: str, segments: tuple[str, ...]) -> Handler | None:
    """The handler of a path without its version, or None."""
    edge = "/".join(segments[1:])
    found = ROUTES.get((method, edge))
    if found is None and len(segments) == 3:
        found = ROUTES.get((method, f"{segments[1]}/*"))
    return found if segments else None
