"""Where a message names files."""

from services.media.parts import media_parts, with_media_ids

VIDEO = {"type": "video", "video": {"id": "2"}}
CAROUSEL = {
    "type": "template",
    "template": {
        "components": [
            {"type": "header", "parameters": [{"type": "image", "image": {"id": "1"}}]},
            {
                "type": "carousel",
                "cards": [
                    {"components": [{"type": "header", "parameters": [{"type": "video", "video": {"id": "2"}}]}]}
                ],
            },
        ]
    },
}
BUTTONS = {
    "type": "interactive",
    "interactive": {"header": {"type": "document", "document": {"link": "https://x.example/a.pdf"}}},
}
FLOW = {
    "type": "interactive",
    "interactive": {"action": {"parameters": {"flow_action_payload": {"data": {"image": {"id": "not a file"}}}}}},
}


def test_every_place_of_a_file_is_found() -> None:
    found = [(part.path, part.kind, part.media_id) for part in media_parts(CAROUSEL)]
    assert found == [
        ("template.components[0].parameters[0].image", "image", "1"),
        ("template.components[1].cards[0].components[0].parameters[0].video", "video", "2"),
    ]
    assert [part.path for part in media_parts({"type": "sticker", "sticker": {"id": "3"}})] == ["sticker"]
    assert [part.media_id for part in media_parts(BUTTONS)] == [None]


def test_the_data_of_a_flow_is_left_alone() -> None:
    assert media_parts(FLOW) == []


def test_text_has_no_files() -> None:
    assert media_parts({"type": "text", "text": {"body": "image"}}) == []


def test_ids_are_put_in_and_the_original_stays() -> None:
    changed = with_media_ids(CAROUSEL, {"1": "91", "2": "92"})
    assert [part.media_id for part in media_parts(changed)] == ["91", "92"]
    assert [part.media_id for part in media_parts(CAROUSEL)] == ["1", "2"]
    assert with_media_ids(BUTTONS, {"1": "91"}) == BUTTONS
