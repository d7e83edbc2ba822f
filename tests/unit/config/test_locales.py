import string

import pytest

from config.locales import LOCALES, catalog, locale_of, text


def _figures(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


def test_both_languages_say_the_same_things_with_the_same_figures() -> None:
    spanish, english = catalog("es"), catalog("en")
    assert spanish.keys() == english.keys()
    assert {key for key in spanish if _figures(spanish[key]) != _figures(english[key])} == set()


def test_the_start_up_lines_are_word_for_word() -> None:
    assert text("es", "startup.cluster", workers=4, cpus=4) == "🔄 Cluster Mode: 4 workers (4 CPUs disponibles)"
    assert text("es", "startup.main", pid=4242) == "🎯 Worker principal iniciado (PID: 4242)"
    assert text("es", "startup.worker", index=1, pid=4243) == "✅ Worker 1 iniciado (PID: 4243)"
    assert text("en", "startup.cluster", workers=4, cpus=4) == "🔄 Cluster Mode: 4 workers (4 CPUs available)"


def test_a_missing_figure_or_key_is_a_bug_and_not_a_blank() -> None:
    with pytest.raises(KeyError):
        text("es", "startup.worker", index=1)
    with pytest.raises(KeyError):
        text("es", "no.such.sentence")
    with pytest.raises(KeyError):
        catalog("fr")


def test_the_language_of_a_refusal_is_the_operators_if_we_speak_it() -> None:
    assert locale_of({"PANAL_LOCALE": "en"}) == "en"
    assert locale_of({"PANAL_LOCALE": "fr"}) == "es"
    assert locale_of({}) == "es"
    assert LOCALES == ("es", "en")
