import pytest

from config.settings.load import load_settings
from services.contacts import Keywords, listed
from services.contacts.keywords import spoken_text
from services.contacts.records import ConsentStatus

SETTINGS = load_settings({})
WORDS = Keywords(opt_out=listed(SETTINGS.opt_out_words), opt_in=listed(SETTINGS.opt_in_words))


@pytest.mark.parametrize(
    "text",
    [
        "STOP",
        "stop",
        " Stop. ",
        "¡BAJA!",
        "baja",
        "Salir",
        "Arrêt",
        "ARRET",
        "stopp",
        "cancelar…",
        "Dar de  baja",
    ],
)
def test_a_message_that_is_the_word_opts_out(text: str) -> None:
    assert WORDS.status_of(text) is ConsentStatus.OUT


@pytest.mark.parametrize("text", ["START", "alta", "¡Alta!", "Unstop"])
def test_a_word_undoes_it(text: str) -> None:
    assert WORDS.status_of(text) is ConsentStatus.IN


@pytest.mark.parametrize(
    "text",
    ["", "   ", "please stop by tomorrow", "no me baja la fiebre", "stop it", "non-stop", "🛑", "stop " * 30, "st op"],
)
def test_a_word_inside_a_sentence_opts_nobody_out(text: str) -> None:
    assert WORDS.status_of(text) is None


def test_a_word_in_both_lists_opts_out() -> None:
    assert Keywords(opt_out=["CANCELAR"], opt_in=["cancelar"]).status_of("Cancelar") is ConsentStatus.OUT


def test_an_empty_setting_means_no_words() -> None:
    assert Keywords(opt_out=listed(""), opt_in=listed(" , ")).status_of("") is None


@pytest.mark.parametrize(
    ("kind", "content", "text"),
    [
        ("text", {"text": {"body": "STOP"}}, "STOP"),
        ("button", {"button": {"payload": "x", "text": "Stop"}}, "Stop"),
        (
            "interactive",
            {"interactive": {"type": "button_reply", "button_reply": {"id": "1", "title": "Baja"}}},
            "Baja",
        ),
        ("interactive", {"interactive": {"type": "nfm_reply", "nfm_reply": {}}}, None),
        ("image", {"image": {"caption": "STOP"}}, None),
        ("text", {"text": None}, None),
        ("text", {}, None),
    ],
)
def test_what_a_customer_says_is_a_text_or_a_button(kind: str, content: dict[str, object], text: str | None) -> None:
    assert spoken_text(kind, content) == text
