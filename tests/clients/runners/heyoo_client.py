"""heyoo 0.1.2, pointed by its attributes after construction."""

from pathlib import Path
from typing import Any

from heyoo import WhatsApp

from tests.clients.runners.steps import ORDERS, sample, say, step


def client() -> WhatsApp:
    base, number = ORDERS["base_url"], ORDERS["number"]
    wa = WhatsApp(ORDERS["token"], phone_number_id=number)
    wa.base_url, wa.v15_base_url = f"{base}/v14.0", f"{base}/v15.0"
    wa.url = f"{wa.base_url}/{number}/messages"
    return wa


def first_id(answer: Any) -> Any:
    return answer["messages"][0]["id"]


def send() -> None:
    wa, to, links = client(), ORDERS["to"], ORDERS["links"]
    template, inbound = ORDERS["template"], ORDERS["inbound_wamid"]
    first = step("text", lambda: wa.send_message("Hello from heyoo", to), first_id)
    own = first_id(first) if first else ""
    step("reply", lambda: wa.reply_to_message(inbound, to, "An answer"), first_id)
    step("reaction", lambda: wa.send_reaction("👍", own, to), first_id)
    step("image", lambda: wa.send_image(links["jpg"], to, caption="A picture"), first_id)
    step("video", lambda: wa.send_video(links["mp4"], to, caption="A film"), first_id)
    step("audio", lambda: wa.send_audio(links["mp3"], to), first_id)
    step("document", lambda: wa.send_document(links["pdf"], to, caption="A paper"), first_id)
    step("sticker", lambda: wa.send_sticker(links["webp"], to), first_id)
    step("location", lambda: wa.send_location("37.4421", "-122.1615", "Philz", "101 Forest Ave", to), first_id)
    card = {
        "name": {"formatted_name": "Barbara J", "first_name": "Barbara"},
        "phones": [{"phone": "+16505559999", "type": "CELL"}],
    }
    step("contacts", lambda: wa.send_contacts([card], to), first_id)
    buttons = [{"type": "reply", "reply": {"id": word.lower(), "title": word}} for word in ("Yes", "No")]
    question = {"type": "button", "body": {"text": "What shall it be?"}, "action": {"buttons": buttons}}
    step("buttons", lambda: wa.send_reply_button(button=question, recipient_id=to), first_id)
    rows = [{"id": "a", "title": "A", "description": ""}, {"id": "b", "title": "B", "description": "the second"}]
    menu = {
        "header": "Head",
        "body": "What shall it be?",
        "footer": "Foot",
        "action": {"button": "Choose", "sections": [{"title": "One", "rows": rows}]},
    }
    step("list", lambda: wa.send_button(button=menu, recipient_id=to), first_id)
    step("template", lambda: wa.send_template("hello_world", to, components=[], lang="en_US"), first_id)
    components = [
        {"type": "header", "parameters": [{"type": "image", "image": {"link": links["jpg"]}}]},
        {"type": "body", "parameters": [{"type": "text", "text": "Ana"}, {"type": "text", "text": "7"}]},
        {
            "type": "button",
            "sub_type": "quick_reply",
            "index": 0,
            "parameters": [{"type": "payload", "payload": "PAID"}],
        },
        {"type": "button", "sub_type": "url", "index": 1, "parameters": [{"type": "text", "text": "42"}]},
    ]
    step(
        "template_parameters",
        lambda: wa.send_template(template["name"], to, components=components, lang=template["language"]),
        first_id,
    )
    raw = {"messaging_product": "whatsapp", "to": to, "type": "text", "text": {"body": "Raw"}}
    step("raw", lambda: wa.send_custom_json(raw), first_id)
    step("mark_read", lambda: wa.mark_as_read(inbound))
    uploaded = step("media_upload", lambda: wa.upload_media(str(sample("png"))))
    media = uploaded["id"] if uploaded else ""
    step("image_by_id", lambda: wa.send_image(media, to, caption="By id", link=False), first_id)
    url = step("media_url", lambda: wa.query_media_url(media))

    def download() -> None:
        path = wa.download_media(url, "image/png", str(Path(ORDERS["folder"]) / "got"))
        if path is None or Path(path).read_bytes() != sample("png").read_bytes():
            raise RuntimeError("other bytes came back")

    step("media_download", download)
    step("media_delete", lambda: wa.delete_media(media))


def parse() -> None:
    """heyoo has no signature check; its readers answer what a notification holds."""
    wa = client()
    for request in ORDERS["requests"]:
        data = request["json"]
        seen: list[dict[str, Any]] = []
        try:
            if wa.is_message(data):
                seen.append({"kind": wa.get_message_type(data), "id": wa.get_message_id(data)})
                assert wa.get_mobile(data)
                wa.get_name(data)
            elif wa.get_delivery(data):
                status = data["entry"][0]["changes"][0]["value"]["statuses"][0]
                seen.append({"status": wa.get_delivery(data), "id": status["id"]})
            say({"ok": True, "seen": seen})
        except Exception as error:
            say({"ok": False, "seen": seen, "error": f"{type(error).__name__}: {error}"})


if __name__ == "__main__":
    parse() if "requests" in ORDERS else send()
