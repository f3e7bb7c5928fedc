"""What a receptionist types while somebody speaks, and what is understood of it."""

import datetime as dt
from typing import Any

import pytest

from bookings.desk.booking_in.phrases import Names, Wanted, understood
from clinic.models import Location, Resource, Service

# A Monday.
TODAY = dt.date(2026, 11, 23)
NAMES = Names(
    services=[
        Service(pk=1, slug="nose", name="Nose and T-zone blackhead extraction", short_name="Nose extraction"),
        Service(pk=2, slug="face", name="Full face extraction", short_name="Full face"),
        Service(pk=3, slug="facial", name="Facial with extraction", short_name="Facial"),
        Service(pk=4, slug="consult", name="Skin check and consultation", short_name="Skin check"),
    ],
    people=[Resource(pk=1, name="Maya Ruiz", slug="maya"), Resource(pk=2, name="Tomas Berg", slug="tomas")],
    locations=[Location(pk=1, name="Main house", slug="main"), Location(pk=2, name="Harbour", slug="harbour")],
    today=TODAY,
)


def said(found: Wanted) -> dict[str, Any]:
    """What was understood, without what was not said."""
    told = {
        "services": "+".join(each.slug for each in found.services),
        "with": found.practitioner.slug if found.practitioner else "",
        "at": found.location.slug if found.location else "",
        "from" if found.is_span else "date": found.date.isoformat() if found.date else "",
        "after": f"{found.after:%H:%M}" if found.after else "",
        "before": f"{found.before:%H:%M}" if found.before else "",
        "now": found.is_now,
        "unknown": found.unknown,
    }
    return {name: value for name, value in told.items() if value}


@pytest.mark.parametrize(
    ("phrase", "meant"),
    [
        ("", {}),
        ("nose, Thursday after 16:00, any", {"services": "nose", "date": "2026-11-26", "after": "16:00"}),
        ("NOSE thu after 4pm with maya", {"services": "nose", "date": "2026-11-26", "after": "16:00", "with": "maya"}),
        ("full face tomorrow morning", {"services": "face", "date": "2026-11-24", "before": "12:00"}),
        ("face today", {"services": "face", "date": "2026-11-23"}),
        ("facial monday", {"services": "facial", "date": "2026-11-23"}),
        ("skin check next monday", {"services": "consult", "date": "2026-11-30"}),
        ("next week afternoon", {"from": "2026-11-30", "after": "12:00", "before": "17:00"}),
        ("in 2 weeks evening", {"date": "2026-12-07", "after": "17:00"}),
        ("10 Dec before 11", {"date": "2026-12-10", "before": "11:00"}),
        ("December 10th, 9:30am", {"date": "2026-12-10", "after": "09:30"}),
        ("10 January", {"date": "2027-01-10"}),
        ("3 sept 2027", {"date": "2027-09-03"}),
        ("2026-12-10 until noon", {"date": "2026-12-10", "before": "12:00"}),
        # A month, a week and "from" name no day: they begin with one.
        ("nose in January", {"services": "nose", "from": "2027-01-01"}),
        ("january", {"from": "2027-01-01"}),
        ("january 2028", {"from": "2028-01-01"}),
        ("face dec morning", {"services": "face", "from": "2026-12-01", "before": "12:00"}),
        ("in november", {"from": "2026-11-23"}),
        ("next week", {"from": "2026-11-30"}),
        ("from Thursday", {"from": "2026-11-26"}),
        ("from 10 December", {"from": "2026-12-10"}),
        ("from january", {"from": "2027-01-01"}),
        ("in jan 10", {"date": "2027-01-10"}),
        # A weekday beside one of them is the first such day of it; beside a date it only says the same once more.
        ("nose thursday in january", {"services": "nose", "date": "2027-01-07"}),
        ("nose friday from december", {"services": "nose", "date": "2026-12-04"}),
        ("maya in march on a friday", {"with": "maya", "date": "2027-03-05"}),
        ("thursday next week", {"date": "2026-12-03"}),
        ("next week thursday", {"date": "2026-12-03"}),
        ("Thursday 10 December", {"date": "2026-12-10"}),
        ("tomorrow, tuesday", {"date": "2026-11-24"}),
        # Two days that are not one: the second is named.
        ("nose thursday or friday", {"services": "nose", "date": "2026-11-26", "unknown": ["or", "friday"]}),
        ("10 December in january", {"date": "2026-12-10", "unknown": ["january"]}),
        ("in december or january", {"from": "2026-12-01", "unknown": ["or", "january"]}),
        ("friday 10 december", {"date": "2026-11-27", "unknown": ["10", "december"]}),
        ("from 4", {"after": "16:00"}),
        ("after 4", {"after": "16:00"}),
        ("after 9", {"after": "09:00"}),
        ("at 10 p.m.", {"after": "22:00"}),
        ("afternoon after 5:30", {"after": "17:30"}),
        ("tues afternoon before 3", {"date": "2026-11-24", "after": "12:00", "before": "15:00"}),
        ("tonight", {"date": "2026-11-23", "after": "17:00"}),
        ("nose now", {"services": "nose", "now": True}),
        ("Tomas at harbour", {"with": "tomas", "at": "harbour"}),
        ("berg", {"with": "tomas"}),
        ("extraction", {"services": "nose"}),
        ("consul", {"services": "consult"}),
        # What nobody could mean is named as it was typed, and the rest counts.
        ("nose Blorp thursday", {"services": "nose", "date": "2026-11-26", "unknown": ["Blorp"]}),
        ("nose 10/12", {"services": "nose", "unknown": ["10/12"]}),
        ("from 9999-12-31 thursday", {"date": "2026-11-26", "unknown": ["from", "9999-12-31"]}),
        ("31 feb nose", {"services": "nose", "unknown": ["31", "feb"]}),
        ("february 31", {"unknown": ["february", "31"]}),
        ("after 25:00", {"unknown": ["after", "25:00"]}),
        ("16", {"unknown": ["16"]}),
        ("in 99999999999 days", {"unknown": ["99999999999", "days"]}),
    ],
)
def test_a_phrase_means(phrase: str, meant: dict[str, Any]) -> None:
    assert said(understood(phrase, NAMES)) == meant


@pytest.mark.parametrize("word", ["\0", "٣", "²", "maya" * 60, "::", "pm", "next", "after", "in in in", "00:00am"])
def test_no_word_breaks_it(word: str) -> None:
    understood(word, NAMES)


def test_a_name_that_several_share_is_asked_back() -> None:
    names = Names(
        services=[Service(pk=n, slug=slug, name=f"{slug} extraction", short_name="") for n, slug in enumerate("ab", 1)],
        people=[Resource(pk=1, name="Maya Ruiz"), Resource(pk=2, name="Maya Berg")],
        locations=[],
        today=TODAY,
    )

    found = understood("extraction Maya", names)

    assert [each.slug for each in found.services] == ["a", "b"]
    assert found.service is None
    assert found.practitioner is None
    assert found.unknown == ["Maya"]


def test_a_month_is_a_person_where_somebody_is_called_so() -> None:
    people = [Resource(pk=1, name="April Ruiz", slug="april")]
    names = Names(services=NAMES.services, people=people, locations=[], today=TODAY)

    assert said(understood("nose april", names)) == {"services": "nose", "with": "april"}
    assert said(understood("nose in april", names)) == {"services": "nose", "from": "2027-04-01"}
