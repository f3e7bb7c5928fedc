"""One person at one desk, about to book the time that is held."""

import dataclasses
import datetime as dt
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest, QueryDict

from bookings import eligibility
from bookings.desk.booking_in.person_forms import ASKED_FIRST, PersonForm
from bookings.desk.doors import user_of
from bookings.models import Booking, Patient, RunKind, ScreeningRun
from clinic.screening import Asked, Rulebook


@dataclasses.dataclass(frozen=True)
class Taking:
    """``known`` is the patient whom staff picked; None for somebody new. A lost ``booking`` is not stored."""

    request: HttpRequest
    booking: Booking
    known: Patient | None
    book: Rulebook
    now: dt.datetime

    @property
    def is_lost(self) -> bool:
        """Whether the time is not held any more."""
        return self.booking.pk is None

    @property
    def user(self) -> User:
        return user_of(self.request)

    @property
    def asked(self) -> list[Asked]:
        """The questions that come first."""
        return [each for each in self.book.asked(self.booking.service.codes) if each.code in ASKED_FIRST]

    def run(self, form: PersonForm) -> ScreeningRun:
        """What was answered. Not stored: it becomes the booking's, or nothing stays of it."""
        return ScreeningRun(
            kind=RunKind.DESK,
            answers={code: each.as_json() for code, each in form.answers.items()},
            **form.earlier_visits,
            taken_by=self.user,
            made_at=self.now,
        )

    def form(
        self, data: QueryDict | None = None, *, asks_reason: bool = False, takes_focus: bool = False, **initial: Any
    ) -> PersonForm:
        return PersonForm(
            data,
            initial=initial,
            visit=self.booking,
            known=self.known,
            asks_reason=asks_reason,
            takes_focus=takes_focus,
            asked=self.asked,
            history=[] if self.known else eligibility.history_asked(self.booking.service),
            today=self.now.astimezone(self.booking.location.zone).date(),
        )
