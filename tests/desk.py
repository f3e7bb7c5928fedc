"""The desk for tests: somebody with one of the roles every clinic starts with, and visits with answers."""

import datetime as dt
import html
import re
from typing import Any

from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from bookings import lifecycle
from bookings.management.roles import make_groups
from bookings.models import Booking, ScreeningRun
from clinic import screening
from clinic.models import Practitioner
from clinic.screening import Answer, Answered
from tests.factories import NOW, World, make_details

MONDAY = dt.date(2026, 11, 30)
TUESDAY = dt.date(2026, 12, 1)
NO = Answered(Answer.NO)
DIABETES = {"Q12": Answered(Answer.YES, frozenset({"q12-diabetes"}))}
# Noted for the practitioner, and nothing more.
DARK_MARKS = {"Q12": Answered(Answer.YES, frozenset({"q12-dark-marks"}))}


def someone(role: str, **fields: Any) -> User:
    """A user with the rights of ``role``, and no others."""
    user = User.objects.create_user(f"{role}-1", **fields)
    user.groups.add(make_groups()[role])
    if role == "practitioner":
        see(user)
    return user


def see(user: User) -> None:
    """Whoever does the latest visit, or would do the first, is this user: they see their own visits only."""
    latest = Booking.objects.order_by("-pk").first()
    who = latest.practitioner if latest else Practitioner.objects.first()
    if who:
        Practitioner.objects.filter(pk=who.pk).update(user=user)


def signed_in(role: str, **fields: Any) -> Client:
    client = Client()
    client.force_login(User.objects.filter(username=f"{role}-1").first() or someone(role, **fields))
    return client


def page_of(booking: Booking, name: str = "booking") -> str:
    return reverse(f"desk:{name}", args=[booking.reference])


def cold_sore(day: dt.date) -> dict[str, Answered]:
    return {"Q3": Answered(Answer.YES, date=day)}


def answers_of(world: World, yes: dict[str, Answered], *, without: tuple[str, ...] = ()) -> dict[str, Answered]:
    """Every question of the service answered "no", but for ``yes``."""
    asked = screening.rulebook(world.clinic).asked(world.service.codes)
    return {each.code: yes.get(each.code, NO) for each in asked if each.code not in without}


def run_of(world: World, answers: dict[str, Answered], now: dt.datetime = NOW) -> ScreeningRun:
    """One round of answers, as a browser's session holds it."""
    book = screening.rulebook(world.clinic)
    return ScreeningRun.objects.create(
        answers={code: each.as_json() for code, each in answers.items()},
        versions=book.versions(world.service.codes),
        made_at=now,
        expires_at=now + dt.timedelta(days=1),
    )


def book_with(
    world: World,
    start: dt.datetime,
    yes: dict[str, Answered] | None = None,
    *,
    without: tuple[str, ...] = (),
    now: dt.datetime = NOW,
    **said: Any,
) -> Booking:
    """Booked online with answers: every question "no", but for ``yes``."""
    visitor = f"visitor-{Booking.objects.count()}"
    held = world.hold(start, visitor=visitor, now=now, practitioner=said.pop("practitioner", None))
    run = run_of(world, answers_of(world, yes or {}, without=without), now)
    return lifecycle.confirm(held, details=make_details(**said), visitor=visitor, run=run, now=now)


def words_of(response: Any) -> str:
    """The text of a page's main part, one space between words."""
    main = re.sub(r"^.*?<main\b|</main>.*$", "", response.content.decode(), flags=re.DOTALL)
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", f"<main {main}")))


def posted(form: Any, **said: Any) -> dict[str, Any]:
    """What a browser would send for an answered questions form: every question "no", but for ``said``."""
    return {**{each.code.lower(): "no" for each in form.asked}, **said}
