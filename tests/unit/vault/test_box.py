"""Sealing and opening: what fits opens, and nothing else does, whatever was changed."""

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.vault import Place, SecretBox, SecretKey, SecretUnreadable

NEW, OLD, OTHER = "n" * 20 + "0123456789abc", "o" * 20 + "0123456789abc", "x" * 20 + "0123456789abc"
PLACE = Place("webhook_vault", "whv_1")


def box(*texts: str) -> SecretBox:
    return SecretBox([SecretKey(text) for text in texts])


@given(clear=st.binary(max_size=300), collection=st.text(), id_=st.text(), field=st.text())
def test_what_was_sealed_opens_at_its_place(clear: bytes, collection: str, id_: str, field: str) -> None:
    place = Place(collection, id_, field)
    sealed = box(NEW).seal(place, clear)
    assert box(NEW).open(place, sealed) == clear


def test_nothing_of_a_secret_can_be_read_from_what_is_stored() -> None:
    clear = b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    first, second = box(NEW).seal(PLACE, clear), box(NEW).seal(PLACE, clear)
    assert clear[6:14] not in first["data"]
    assert first["data"] != second["data"], "the same secret twice does not look the same"
    assert set(first) == {"key", "data"}


@pytest.mark.parametrize(
    "elsewhere",
    [
        Place("webhook_vault", "whv_2"),
        Place("webhook_vault", "whv_1", "headers"),
        Place("meta", "whv_1"),
        Place("webhook_vaultw", "hv_1"),
        Place("webhook_vault", "", "whv_1sealed"),
    ],
)
def test_a_sealed_secret_does_not_open_at_another_place(elsewhere: Place) -> None:
    with pytest.raises(SecretUnreadable, match="moved"):
        box(NEW).open(elsewhere, box(NEW).seal(PLACE, b"secret"))


@given(position=st.integers(min_value=0), bit=st.integers(0, 7))
def test_one_changed_bit_is_enough(position: int, bit: int) -> None:
    sealed = box(NEW).seal(PLACE, b"secret")
    data = bytearray(sealed["data"])
    data[position % len(data)] ^= 1 << bit
    with pytest.raises(SecretUnreadable):
        box(NEW).open(PLACE, {**sealed, "data": bytes(data)})


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"key": None, "data": b"x" * 40},
        {"key": "00000000", "data": b"x" * 40},
        {"data": b"x" * 40},
        {"key": SecretKey(NEW).id},
        {"key": SecretKey(NEW).id, "data": b""},
        {"key": SecretKey(NEW).id, "data": b"x" * 12},
        {"key": SecretKey(NEW).id, "data": "x" * 40},
    ],
)
def test_what_is_no_sealed_secret_is_refused_and_not_a_crash(broken: dict[str, object]) -> None:
    with pytest.raises(SecretUnreadable):
        box(NEW).open(PLACE, broken)


def test_the_previous_key_opens_and_the_current_one_seals() -> None:
    old = box(OLD).seal(PLACE, b"secret")
    both = box(NEW, OLD)
    assert both.open(PLACE, old) == b"secret"
    assert both.seal(PLACE, b"secret")["key"] == SecretKey(NEW).id
    assert not both.is_current(old)
    assert both.is_current(both.seal(PLACE, b""))
    assert not both.is_current(None)


def test_a_key_that_is_missing_is_named() -> None:
    with pytest.raises(SecretUnreadable, match=SecretKey(OLD).id) as refused:
        box(NEW, OTHER).open(PLACE, box(OLD).seal(PLACE, b"secret"))
    assert SecretKey(NEW).id in str(refused.value)
    assert refused.value.code == "secret_key_mismatch"


def test_the_key_id_of_another_key_does_not_open_with_ours() -> None:
    sealed = box(OLD).seal(PLACE, b"secret")
    with pytest.raises(SecretUnreadable):
        box(NEW, OLD).open(PLACE, {**sealed, "key": SecretKey(NEW).id})


def test_keys_show_nothing_of_themselves() -> None:
    key = SecretKey(NEW)
    for shown in (repr(key), str(key), f"{key}", repr(box(NEW, OLD)), repr([key])):
        assert NEW not in shown
        assert key.bits.hex() not in shown
        assert repr(key.bits) not in shown
    with pytest.raises(TypeError):
        pickle.dumps(key)
    with pytest.raises(TypeError):
        copy.deepcopy(key)


def test_a_key_is_the_same_in_every_process_and_release() -> None:
    """These values are stored in databases: a change of the derivation would lock every installation out."""
    key = SecretKey("PANAL-example-key-0123456789-abcdef")
    assert (key.id, key.bits.hex()) == (KNOWN_ID, KNOWN_BITS)


def test_another_key_has_another_id_and_other_bits() -> None:
    assert SecretKey(NEW).id != SecretKey(OLD).id
    assert SecretKey(NEW).bits != SecretKey(OLD).bits
    assert len(SecretKey(NEW).bits) == 32


KNOWN_ID = "aaa0be32"
KNOWN_BITS = "950b5e1da9cc477be8680c2001cb635e360697a65b0b2e8afb211a92f928dfd3"
