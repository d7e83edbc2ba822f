"""Which files may be sent: type by what is said and by what is seen, size by kind."""

from pathlib import Path

import pytest

from config import limits
from services.media.kinds import MediaRefused, clean_filename, is_media_type, judge, kind_of

SAMPLES = Path(__file__).parents[3] / "services" / "sandbox" / "samples"


def head(ending: str) -> bytes:
    return (SAMPLES / f"sample.{ending}").read_bytes()[:8192]


@pytest.mark.parametrize(
    ("ending", "said", "kind"),
    [
        ("jpg", "image/jpeg", "image"),
        ("png", "image/png", "image"),
        ("webp", "image/webp", "sticker"),
        ("mp4", "video/mp4", "video"),
        ("mp3", "audio/mpeg", "audio"),
        ("ogg", "audio/ogg", "audio"),
        ("pdf", "application/pdf", "document"),
        ("mp4", "audio/mp4", "audio"),
    ],
)
def test_a_file_that_is_what_it_says_is_taken(ending: str, said: str, kind: str) -> None:
    found = judge(said, head(ending), 2000)
    assert (found.mime_type, found.kind) == (said, kind)


def test_a_type_that_nobody_said_is_seen() -> None:
    assert judge("application/octet-stream", head("png"), 2000).mime_type == "image/png"
    assert judge(None, head("pdf"), 2000).kind == "document"


def test_the_codec_of_a_voice_note_is_kept() -> None:
    assert judge("audio/ogg; codecs=opus", head("ogg"), 2000).mime_type == "audio/ogg; codecs=opus"


@pytest.mark.parametrize(
    ("said", "data"),
    [
        ("image/png", b"just text"),
        ("image/png", b"%PDF-1.4"),
        ("application/pdf", b"\x89PNG\r\n\x1a\n"),
        ("text/plain", b"MZ" + b"\0" * 100),
        ("image/gif", b"GIF89a" + b"\0" * 20),
        ("video/x-matroska", b"\x1a\x45\xdf\xa3"),
        ("application/octet-stream", b"who knows"),
        (None, b"who knows"),
    ],
)
def test_a_file_of_another_type_is_refused_with_its_name(said: str | None, data: bytes) -> None:
    with pytest.raises(MediaRefused, match="must be a file with one of the following types") as refused:
        judge(said, data, len(data))
    assert refused.value.extra["graph_code"] == 100


@pytest.mark.parametrize(
    ("said", "ending", "most"),
    [
        ("image/png", "png", limits.IMAGE_MAX_BYTES),
        ("audio/mpeg", "mp3", limits.AUDIO_MAX_BYTES),
        ("video/mp4", "mp4", limits.VIDEO_MAX_BYTES),
        ("application/pdf", "pdf", limits.DOCUMENT_MAX_BYTES),
        ("image/webp", "webp", limits.STICKER_MAX_BYTES),
    ],
)
def test_the_largest_file_of_a_kind_is_taken_and_one_byte_more_is_not(said: str, ending: str, most: int) -> None:
    judge(said, head(ending), most)
    with pytest.raises(MediaRefused, match=f"has size {most + 1} bytes but must be atmost {most} bytes"):
        judge(said, head(ending), most + 1)


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(MediaRefused):
        judge("text/plain", b"", 0)


def test_an_animated_sticker_may_be_larger() -> None:
    animated = b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\x02" + b"\0" * 20
    judge("image/webp", animated, limits.ANIMATED_STICKER_MAX_BYTES)
    with pytest.raises(MediaRefused):
        judge("image/webp", animated.replace(b"\x0a\0\0\0\x02", b"\x0a\0\0\0\x00"), limits.ANIMATED_STICKER_MAX_BYTES)


def test_names_lose_their_folders_and_what_cannot_be_printed() -> None:
    assert clean_filename("/home/me/some where/in\tvoice.pdf") == "invoice.pdf"
    assert clean_filename("C:\\files\\a.pdf") == "a.pdf"
    assert clean_filename("") is None
    assert clean_filename(None) is None
    assert len(clean_filename("x" * 5000) or "") == 240


def test_kinds_of_types() -> None:
    assert kind_of("IMAGE/JPEG") == "image"
    assert kind_of("application/zip") == "document"
    assert kind_of("image/tiff") is None
    assert kind_of("") is None


HOSTILE = ["\r", "\n", "\0", "\r\nX-Evil: 1", "\x1b", "\x7f", "\x85", "\u2028", "é", "\ud800"]


@pytest.mark.parametrize("letters", HOSTILE)
@pytest.mark.parametrize(
    ("pattern", "ending"),
    [("image/png{}", "png"), ("image{}/png", "png"), ("{}application/pdf", "pdf"), ("audio/ogg; codecs={}opus", "ogg")],
)
def test_a_type_that_cannot_stand_in_a_header_is_refused(letters: str, pattern: str, ending: str) -> None:
    with pytest.raises(MediaRefused, match="media type"):
        judge(pattern.format(letters), head(ending), 2000)


@pytest.mark.parametrize("said", ["png", "image/", "/png", "image/png, image/jpeg", "a b/c", "image/png;" + "a" * 300])
def test_what_is_no_media_type_is_refused(said: str) -> None:
    with pytest.raises(MediaRefused):
        judge(said, head("png"), 2000)
    assert not is_media_type(said)


@pytest.mark.parametrize("letters", HOSTILE[:7])
def test_a_file_name_loses_what_cannot_stand_in_a_header(letters: str) -> None:
    assert clean_filename(f"a{letters}.png") == "a" + "".join(one for one in letters if one.isprintable()) + ".png"
