"""Signed links: what we signed opens, and nothing else."""

import pytest
from django.core.signing import Signer

from bookings import links


def test_a_link_reads_back_its_booking_and_version() -> None:
    token = links.make(123456, 7)

    assert links.read(token) == (123456, 7)


def test_a_link_holds_no_character_that_breaks_in_an_address_or_an_email() -> None:
    token = links.make(2**62, 1)

    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")
    assert token[-1] != "."


def test_the_signature_has_at_least_128_bits() -> None:
    signature = links.make(1, 1).rpartition(".")[2]

    assert len(signature) * 6 >= 128


def test_every_changed_character_of_a_link_is_noticed() -> None:
    token = links.make(12, 3)
    changed = [token[:place] + ("B" if char == "A" else "A") + token[place + 1 :] for place, char in enumerate(token)]

    assert {links.read(each) for each in changed} == {None}


@pytest.mark.parametrize(
    "token", ["", ".", "..", "1.1", "1.1.", "1.1.x", "x" * 10_000, "1.1.\x00", "１.１.x", "\ud800", "1.1.ﬀ", "-1.1.x"]
)
def test_nonsense_is_no_link(token: str) -> None:
    assert links.read(token) is None


def test_a_signature_made_for_another_purpose_opens_nothing() -> None:
    token = Signer(sep=".", salt="another purpose").sign("12.3")

    assert links.read(token) is None


def test_a_link_outlives_a_change_of_the_secret_key_only_while_the_old_key_is_listed(settings):
    old = settings.SECRET_KEY
    token = links.make(12, 3)

    settings.SECRET_KEY = "another key, long enough for a signature"
    settings.SECRET_KEY_FALLBACKS = [old]
    read_with_fallback = links.read(token)
    settings.SECRET_KEY_FALLBACKS = []

    assert read_with_fallback == (12, 3)
    assert links.read(token) is None
