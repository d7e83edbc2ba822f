"""A conversation is found by name, by number, and by what its customer said lately."""

from services.conversations.search import LAST, MAX_OF_ONE_MESSAGE, name_words, query_of, text_words


def finds(query: str, tokens: list[str]) -> bool:
    """Would the database find it? Each condition is a range that one of the words lies in."""
    ranges = [condition["tokens"]["$elemMatch"] for condition in query_of(query)]
    return all(any(each["$gte"] <= token < each["$lt"] for token in tokens) for each in ranges)


def test_names_are_found_without_accents_and_case() -> None:
    tokens = name_words("Íñigo Zárate", "16505551234")
    assert finds("inigo", tokens)
    assert finds("ZÁR", tokens)
    assert finds("zarate íñ", tokens)
    assert not finds("zarate pedro", tokens)


def test_numbers_are_found_as_people_write_them() -> None:
    assert finds("1650555", name_words(None, "16505551234"))


def test_words_of_a_message_are_few_and_worth_keeping() -> None:
    words = text_words("¿A qué hora abren? " + " ".join(f"palabra{n}" for n in range(40)))
    assert words[:3] == ["que", "hora", "abren"]
    assert len(words) == MAX_OF_ONE_MESSAGE


def test_a_search_of_signs_alone_asks_nothing() -> None:
    assert query_of("?! …") == []
    assert query_of("a")[0]["tokens"]["$elemMatch"]["$lt"] == "a" + LAST
