"""pywa 4.5.0. Its base URL cannot be set: requests are turned by the transport of the httpx client that it takes."""

from typing import Any

import httpx
from pywa import WhatsApp, types
from pywa.types import templates as t

from tests.clients.runners.steps import ORDERS, sample, say, step

NUMBER, WABA, TO, LINKS = ORDERS["number"], ORDERS["waba"], ORDERS["to"], ORDERS["links"]


class Turned(httpx.HTTPTransport):
    """Whatever was meant for Meta's hosts goes to ours."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        target = httpx.URL(ORDERS["base_url"])
        if request.url.host.endswith("facebook.com"):
            request.url = request.url.copy_with(scheme=target.scheme, host=target.host, port=target.port)
            request.headers["host"] = f"{target.host}:{target.port}"
        return super().handle_request(request)


def client(**more: Any) -> WhatsApp:
    return WhatsApp(
        NUMBER,
        ORDERS["token"],
        session=httpx.Client(transport=Turned(), timeout=20),
        waba_id=WABA,
        app_id=42,
        app_secret=ORDERS["app_secret"],
        **more,
    )


def send() -> None:
    wa = client()
    sent = lambda message: message.id  # noqa: E731
    inbound, body = ORDERS["inbound_wamid"], "What shall it be?"
    template = ORDERS["template"]
    first = step("text", lambda: wa.send_message(TO, "Hello from pywa", preview_url=True, tracker="tracked"), sent)
    own = first.id if first else ""
    step("reply", lambda: wa.send_message(TO, "An answer", reply_to_message_id=inbound), sent)
    step("reaction", lambda: wa.send_reaction(TO, "👍", own), sent)
    step("reaction_removed", lambda: wa.remove_reaction(TO, own), sent)
    step("image", lambda: wa.send_image(TO, LINKS["jpg"], caption="A picture"), sent)
    step("video", lambda: wa.send_video(TO, LINKS["mp4"], caption="A film"), sent)
    step("audio", lambda: wa.send_audio(TO, LINKS["mp3"]), sent)
    step("voice", lambda: wa.send_voice(TO, LINKS["ogg"]), sent)
    step("document", lambda: wa.send_document(TO, LINKS["pdf"], filename="paper.pdf", caption="A paper"), sent)
    step("sticker", lambda: wa.send_sticker(TO, LINKS["webp"]), sent)
    step("location", lambda: wa.send_location(TO, 37.4421, -122.1615, "Philz", "101 Forest Ave"), sent)
    card = types.Contact(
        name=types.Contact.Name(formatted_name="Barbara J", first_name="Barbara"),
        phones=[types.Contact.Phone(phone="+16505559999", type="CELL", wa_id="16505559999")],
    )
    step("contacts", lambda: wa.send_contact(TO, card), sent)
    two = [types.Button("Yes", "yes"), types.Button("No", "no")]
    step("buttons", lambda: wa.send_message(TO, body, header="Head", footer="Foot", buttons=two), sent)
    rows = [types.SectionRow("A", "a", "the first"), types.SectionRow("B", "b")]
    step(
        "list",
        lambda: wa.send_message(TO, body, buttons=types.SectionList("Choose", [types.Section("One", rows)])),
        sent,
    )
    step("cta_url", lambda: wa.send_message(TO, body, buttons=types.URLButton("Open", "https://example.com")), sent)
    flow = types.FlowButton(
        title="Begin",
        flow_id="123456",
        flow_token="token",
        mode=types.FlowStatus.PUBLISHED,
        flow_action_type=types.FlowActionType.NAVIGATE,
        flow_action_screen="FIRST",
        flow_action_payload={"x": 1},
    )
    step("flow", lambda: wa.send_message(TO, body, buttons=flow), sent)
    step("catalog", lambda: wa.send_catalog(TO, body, thumbnail_product_sku="SKU-1"), sent)
    step("product", lambda: wa.send_product(TO, "777", "SKU-1", body=body), sent)
    sections = [types.ProductsSection("Things", ["SKU-1", "SKU-2"])]
    step("product_list", lambda: wa.send_products(TO, "777", sections, "Shop", body), sent)
    step("location_request", lambda: wa.request_location(TO, body), sent)
    step("contact_request", lambda: wa.request_contact_info(TO, body), sent)
    step("voice_call", lambda: wa.send_message(TO, body, buttons=types.VoiceCallButton("Call us")), sent)
    step("call_permission", lambda: wa.send_message(TO, body, buttons=types.CallPermissionRequestButton()), sent)
    cards: list[Any] = [
        types.ImageCarouselCard(
            image=LINKS["jpg"], body=f"Card {n}", buttons=types.URLButton("View", "https://example.com")
        )
        for n in range(2)
    ]
    step("carousel", lambda: wa.send_carousel(TO, body=body, cards=cards), sent)
    step(
        "template",
        lambda: wa.send_template(TO, name="hello_world", language=t.TemplateLanguage.ENGLISH_US, params=[]),
        sent,
    )
    params: list[Any] = [
        t.HeaderImage.params(image=LINKS["jpg"]),
        t.BodyText.params("Ana", "7"),
        t.QuickReplyButton.params(callback_data="PAID", index=0),
        t.URLButton.params(url_variable="42", index=1),
    ]
    language = t.TemplateLanguage(template["language"])
    step(
        "template_parameters",
        lambda: wa.send_template(TO, name=template["name"], language=language, params=params),
        sent,
    )
    step("mark_read", lambda: wa.mark_message_as_read(inbound))
    step("typing", lambda: wa.indicate_typing(inbound))
    user_id = ORDERS["user_id"]
    step("text_to_user_id", lambda: wa.send_message(user_id, "By user id"), sent)
    media(wa, sent)
    account(wa)


def media(wa: WhatsApp, sent: Any) -> None:
    uploaded = step("media_upload", lambda: wa.upload_media(sample("png"), "image/png", "sample.png"))
    media_id = uploaded.id if uploaded else ""
    step("image_by_id", lambda: wa.send_image(TO, media_id, caption="By id"), sent)
    found = step("media_url", lambda: wa.get_media_url(media_id))

    def download() -> None:
        got = wa.get_media_bytes(url=found.url)
        if got != sample("png").read_bytes():
            raise RuntimeError(f"{len(got)} other bytes came back")

    step("media_download", download)
    step("media_delete", lambda: wa.delete_media(media_id))


def account(wa: WhatsApp) -> None:
    def listed() -> None:
        found = wa.get_templates()
        if not any(template.name == "hello_world" for template in found):
            raise RuntimeError("hello_world is not in the list")

    step("template_list", listed)
    name = f"pywa_{ORDERS['path']}"
    made = t.Template(
        name=name,
        language=t.TemplateLanguage.ENGLISH_US,
        category=t.TemplateCategory.UTILITY,
        components=[t.BodyText("Hello {{1}}, welcome", "Ana")],
    )
    created = step("template_create", lambda: wa.create_template(made))
    step("template_get", lambda: wa.get_template(created.id))
    step(
        "template_edit",
        lambda: wa.update_template(created.id, new_components=[t.BodyText("Hello again {{1}}, welcome", "Ana")]),
    )
    step("template_delete", lambda: wa.delete_template(name))
    step("number", lambda: wa.get_business_phone_number())
    step("numbers", lambda: list(wa.get_business_phone_numbers()))
    step("profile", lambda: wa.get_business_profile())
    step("profile_update", lambda: wa.update_business_profile(about="Open"))
    step("profile_picture", lambda: wa.update_business_profile(profile_picture=sample("jpg")))
    step("block", lambda: wa.block_users([ORDERS["bystander"]]))
    step("blocked", lambda: list(wa.get_blocked_users()))
    step("unblock", lambda: wa.unblock_users([ORDERS["bystander"]]))
    step("qr_code", lambda: wa.create_qr_code("Hello"))


def parse() -> None:
    """Notifications through pywa's own signature check and its own parser."""
    for request in ORDERS["requests"]:
        wa = client(verify_token="x", server=None, skip_duplicate_updates=False)
        seen: list[dict[str, Any]] = []

        @wa.on_raw_update
        def keep(_: WhatsApp, update: Any, seen: list[dict[str, Any]] = seen) -> None:
            seen.append({"raw": True, "field": update["entry"][0]["changes"][0]["field"]})

        def note(_: WhatsApp, update: Any, seen: list[dict[str, Any]] = seen) -> None:
            kind = getattr(getattr(update, "type", None), "value", None)
            status = getattr(getattr(update, "status", None), "value", None)
            name = type(update).__name__
            about = {"field": getattr(update, "_webhook_field", None), "id": getattr(update, "id", None)}
            seen.append({"class": name, "kind": kind, "status": status, **about})

        for register in (
            wa.on_message,
            wa.on_message_status,
            wa.on_callback_button,
            wa.on_callback_selection,
            wa.on_flow_completion,
            wa.on_template_status_update,
            wa.on_template_quality_update,
            wa.on_template_category_update,
            wa.on_template_components_update,
            wa.on_account_update,
            wa.on_user_marketing_preferences,
            wa.on_phone_number_change,
            wa.on_identity_change,
            wa.on_edited_message,
            wa.on_deleted_message,
        ):
            register(note)
        raw = request["body"].encode()
        fault = wa.webhook_update_validator(raw, request["headers"].get("x-hub-signature-256"))
        if fault is not None:
            say({"ok": False, "seen": [], "error": f"{fault}"})
            continue
        text, status = wa.webhook_update_handler(raw)
        # What pywa has no type of its own for, its users read as it came.
        read = [one for one in seen if "raw" not in one or one["field"] != "messages"]
        say({"ok": status == 200, "seen": read, "error": None if status == 200 else text})


if __name__ == "__main__":
    parse() if "requests" in ORDERS else send()
