"""Every address × every role, as ``tests/data/roles.csv`` says. An address that is not in the table fails."""

from typing import Any

import pytest

from tests.factories import NOW
from tests.role_table import METHODS, ROLES, WORDS, Walk, is_open_to_all, lines, patterns

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock(time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)


def table() -> str:
    return "\n".join(map(str, lines()))


def test_every_address_is_in_the_table() -> None:
    missing = sorted(set(patterns()) - {line.address for line in lines()})

    walk = Walk() if missing else None
    assert not missing, "Add to tests/data/roles.csv, if this is as it should be:\n" + "\n".join(
        str(line) for address in missing for line in walk.found(address)
    )


def test_the_table_names_nothing_that_is_gone() -> None:
    assert [line.address for line in lines() if line.address not in patterns()] == []


def test_the_table_is_written_in_its_own_words_once_and_in_order() -> None:
    rows = [(line.address, line.methods) for line in lines()]
    named = [(line.address, method) for line in lines() for method in line.methods]

    assert {word for line in lines() for word in line.words.values()} <= WORDS
    assert {method for _, method in named} <= set(METHODS)
    assert len(named) == len(set(named))
    assert rows == sorted(rows)


def test_only_what_the_table_opens_to_all_says_so() -> None:
    said = {address for address in patterns() if is_open_to_all(address)}

    assert said == {line.address for line in lines() if line.words["anonymous"] in {"open", "key"}}


def test_every_role_meets_what_the_table_says() -> None:
    walk = Walk()

    wrong = [
        f"{method} {line.address} as {role}: {found or 'not taken'}, not {line.words[role]}"
        for line in lines()
        if line.address in patterns()
        for method in line.methods
        for role in ROLES
        if (found := walk.answers(line.address, method, role)) != line.words[role]
    ]

    assert wrong == []


def test_somebody_without_any_right_opens_nothing_of_the_desk() -> None:
    walk = Walk()
    walk.users["reception"].groups.clear()

    opened = [
        f"{method} {line.address}"
        for line in lines()
        if line.address.startswith("/desk/") and line.address in patterns()
        for method in line.methods
        if walk.answers(line.address, method, "reception") != "closed"
    ]

    assert opened == []


def test_a_view_that_forgets_its_door_is_found() -> None:
    """The walk is worth nothing unless it can fail."""
    walk = Walk()
    walk.users["reception"].groups.set(walk.users["clinician"].groups.all())
    line = next(line for line in lines() if line.address == "/desk/bookings/<str:reference>/approve/")

    assert walk.answers(line.address, "GET", "reception") == "open" != line.words["reception"]
