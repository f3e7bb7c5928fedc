"""Who may have which visit on which day. Every door and every verb asks here; the pages find the kind words.

Three things decide: the answers to the questions, earlier visits, and age on the day. History counts for a patient who
came by a signed link; what anybody else says of it is believed where it makes us wait, and is reviewed where it does
not.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from bookings.ages import needs_guardian
from bookings.models import Booking, BookingState, Patient, RunKind, ScreeningRun
from bookings.models import Outcome as Closed
from bookings.models.booking import BookingQuerySet
from clinic import screening, words
from clinic.intervals import Interval, day_start, instant_of
from clinic.models import Clinic, History, HistoryRule, Location, Service, Verdict
from clinic.models.shown import Shown, Versions, shown
from clinic.opening import closures, reply_by
from clinic.screening import Answer, Answered, Answers, Finding, Outcome, Rulebook

# What stands in the place of a question's code for what nobody answers.
FROM_HISTORY, FROM_AGE = "HISTORY", "MINOR"
NEVER = dt.datetime(9999, 12, 31, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Said:
    """What we know of a person so far.

    ``patient`` is set where a signed link, or staff, say who it is: then earlier visits count. ``rounds`` are the
    answers as they were said, each with its local date; ``answers`` are all of them as one. ``approved`` are the rules
    whose review a clinician has already decided.
    """

    answers: Answers = field(default_factory=dict)
    last_extraction_on: dt.date | None = None
    had_consultation: bool | None = None
    born: dt.date | None = None
    patient: Patient | None = None
    approved: frozenset[str] = frozenset()
    rounds: tuple[tuple[Answers, dt.date], ...] = ()
    # One of screening.Answer; "" for who was not asked.
    had_extraction: str = ""

    @property
    def is_extraction_unproven(self) -> bool:
        """There may have been one lately, and nobody knows on which day."""
        return self.had_extraction in (Answer.YES, Answer.UNSURE) and self.last_extraction_on is None

    def outcome(self, book: Rulebook, *, codes: AbstractSet[str], grade: str, today: dt.date) -> Outcome:
        """What was said, round by round: a later yes without its date never inherits the date of an earlier one."""
        found = (
            finding
            for answers, said_on in self.rounds or ((self.answers, today),)
            for finding in screening.assess(
                book, answers, codes=codes, grade=grade, visit_date=None, today=said_on
            ).findings
        )
        return Outcome(tuple(dict.fromkeys(found)))


NOTHING_SAID = Said()


@dataclass(frozen=True)
class Need:
    """A visit that must come before this one. ``proof`` is the local date of one we know of."""

    rule: str
    version: int
    days: int
    proof: dt.date | None
    is_claimed: bool | None

    def finding(self, visit_date: dt.date) -> Finding | None:
        if self.proof is not None and visit_date <= self.proof + dt.timedelta(days=self.days):
            return None
        verdict = Verdict.CONSULT if self.is_claimed is False else Verdict.REVIEW
        return Finding(FROM_HISTORY, "", self.rule, self.version, verdict, days=self.days)


@dataclass(frozen=True)
class Outlook:
    """What one person's answers, history and age mean for one service at one location.

    ``by_grade`` are the outcomes for every grade that does the service, whatever the date; ``book`` holds the words of
    the questions, ``texts`` those of the history rules.
    """

    book: Rulebook
    by_grade: Mapping[str, Outcome]
    needs: tuple[Need, ...]
    said: Said
    today: dt.date
    zone: dt.tzinfo
    reply_by: dt.datetime
    # The first start for who needs a review: whatever nobody answered in time is told late before it is let go.
    review_opens: dt.datetime
    texts: Mapping[str, str]

    def outcome(self, grade: str, visit_date: dt.date | None = None) -> Outcome:
        """For a visit with that grade; with a local date, waits that are over by then are notes."""
        found = self.by_grade[grade] + Outcome(tuple(self._of_the_day(visit_date or self.today)))
        found = found.without_review(self.said.approved)
        return found.on(visit_date) if visit_date else found

    def undecided(self) -> "Outlook":
        """The same as if no clinician had decided yet: what is stored of answers has to say what they set off."""
        return replace(self, said=replace(self.said, approved=frozenset()))

    def not_before(self, grade: str) -> dt.date | None:
        """The first safe local date with that grade; None where nothing has to be waited for."""
        return self.outcome(grade).not_before

    @property
    def first_safe_date(self) -> dt.date | None:
        """With whoever may treat this person first; None where nothing has to be waited for."""
        waits = self._waits()
        return min(waits.values()) if waits and len(waits) == len(self._open_grades()) else None

    def with_grade(self, grade: str) -> "Outlook":
        """The same for somebody who has chosen a practitioner of that grade."""
        return self.with_grades({grade})

    def with_grades(self, grades: AbstractSet[str]) -> "Outlook":
        """The same for somebody whom only practitioners of these grades could see; as it is where none of them may."""
        found = {grade: outcome for grade, outcome in self.by_grade.items() if grade in grades}
        return replace(self, by_grade=found) if found else self

    @property
    def is_consult_only(self) -> bool:
        """No practitioner of any grade may do this visit now."""
        return bool(self.by_grade) and not self._open_grades()

    @property
    def needs_review(self) -> bool:
        """Whoever does it, a clinician has to look first."""
        return bool(self.by_grade) and all(self.outcome(grade).needs_review for grade in self.by_grade)

    @property
    def opens_at(self) -> dict[str, dt.datetime]:
        """By grade: from when on a time may be offered. Grades without any limit are left out."""
        found = {grade: self._opens_at(grade) for grade in self.by_grade}
        return {grade: instant for grade, instant in found.items() if instant is not None}

    @property
    def reasons(self) -> list[str]:
        """Why days are closed, a sentence each, the longest wait first."""
        waits = [each for grade in self.by_grade for each in self.outcome(grade).findings if self._is_a_wait(each)]
        waits.sort(key=lambda each: each.until or self.today, reverse=True)
        return list(dict.fromkeys(self.why(each) for each in waits))

    def reason_for(self, date: dt.date, *, is_kept_back: bool = False) -> str:
        """Why that local date is closed, in one sentence; "" when it is not.

        ``is_kept_back``: the day has times, but with nobody who may see this person so soon; see ``for_the_waiting``.
        """
        waits = {grade: until for grade, until in self._waits().items() if date < until}
        if waits and len(waits) == len(self._open_grades()):
            return self._wait_of(waits)
        if self.needs_review and date <= self.review_opens.astimezone(self.zone).date():
            return f"A clinician looks at your answers first, by {self.reply_by_words}."
        return f"{self._wait_of(waits)} Somebody else may see you on another day." if waits and is_kept_back else ""

    @property
    def for_the_waiting(self) -> dict[str, dt.datetime] | None:
        """``opens_at`` as if nobody had to wait; None where all wait alike, or none does."""
        waits = self._waits()
        if not waits or len(waits) == len(self._open_grades()):
            return None
        return {grade: instant for grade, instant in self.opens_at.items() if grade not in waits}

    def _waits(self) -> dict[str, dt.date]:
        """The first safe date of each grade that has to wait for it and may do the visit then."""
        dates = ((grade, self.not_before(grade)) for grade in self._open_grades())
        return {grade: date for grade, date in dates if date is not None and date > self.today}

    def _wait_of(self, waits: Mapping[str, dt.date]) -> str:
        """The reason of whoever is open first."""
        return self.with_grade(min(waits, key=lambda grade: waits[grade])).reasons[0]

    @property
    def reply_by_words(self) -> str:
        return words.when(self.reply_by, self.zone)

    def questions(self, *verdicts: Verdict) -> list[str]:
        """The codes of the questions that lead to one of these verdicts with any grade; each once."""
        found = (code for grade in self.by_grade for code in self.outcome(grade).questions(*verdicts))
        return list(dict.fromkeys(found))

    def _open_grades(self) -> list[str]:
        closed = {Verdict.CONSULT, Verdict.HELP}
        return [grade for grade in self.by_grade if self.outcome(grade).verdict not in closed]

    def _opens_at(self, grade: str) -> dt.datetime | None:
        found = self.outcome(grade)
        if grade not in self._open_grades():
            return NEVER
        instants = [instant_of(day_start(found.not_before, self.zone))] if found.not_before else []
        if found.needs_review:
            instants.append(self.review_opens)
        return max(instants, default=None)

    def _of_the_day(self, day: dt.date) -> Iterator[Finding]:
        for need in self.needs:
            found = need.finding(day)
            if found:
                yield found
        if needs_guardian(self.said.born, day):
            yield Finding(FROM_AGE, "", FROM_AGE, 1, Verdict.REVIEW)

    def _is_a_wait(self, found: Finding) -> bool:
        return found.verdict is Verdict.WAIT and found.until is not None and found.until > self.today

    def why(self, found: Finding) -> str:
        """Why a wait has to be waited for, in one sentence."""
        if found.question == FROM_HISTORY:
            return self.texts[found.rule]
        return f"We wait {found.days} days after {found.short or 'this'}."


@dataclass(frozen=True)
class Known:
    """Read once for many people: the questions, the rules of earlier visits, and what each patient had done, by id.

    ``closed`` is when each house is closed, by its id.
    """

    book: Rulebook
    rules: tuple[Shown, ...]
    past: Mapping[int, list[Booking]]
    closed: Mapping[int | None, list[Interval]]


def known_of(patients: Iterable[int], *, clinic: Clinic, houses: Iterable[Location], now: dt.datetime) -> Known:
    """As many queries for one patient as for all."""
    past: dict[int, list[Booking]] = {pk: [] for pk in patients}
    for visit in _done().filter(patient__in=list(past)):
        past[visit.patient_id or 0].append(visit)
    rules = tuple(shown(list(HistoryRule.objects.all())))
    return Known(screening.rulebook(clinic), rules, past, closures(houses, now))


def outlook(
    *,
    service: Service,
    location: Location,
    clinic: Clinic,
    said: Said,
    ignoring: Booking | None = None,
    book: Rulebook | None = None,
    versions: Versions = shown,
    known: Known | None = None,
    now: dt.datetime,
) -> Outlook:
    """``ignoring`` is a visit of theirs that is about to change; ``book`` spares reading the rules again.

    ``known`` spares all reading. ``versions`` may be ``as_edited`` to try out what waits for a signature.
    """
    book = book or (known.book if known else screening.rulebook(clinic, versions))
    today = now.astimezone(location.zone).date()
    rules = _about(service, known.rules) if known else _history_rules(service, versions)
    past = list(_past(said.patient, ignoring, known)) if said.patient else []
    waits = Outcome(tuple(_gaps(rules, service, past, said)))
    closed = known.closed[location.pk] if known else None
    answered_by = reply_by(clinic=clinic, location=location, closed=closed, now=now)
    return Outlook(
        book=book,
        by_grade={
            grade: said.outcome(book, codes=service.codes, grade=grade, today=today) + waits for grade in service.grades
        },
        needs=tuple(_need(rule, past, said) for rule in rules if rule.fields["kind"] == History.NEEDS),
        said=said,
        today=today,
        zone=location.zone,
        reply_by=answered_by,
        review_opens=answered_by + clinic.minimum_notice,
        texts={rule.code: rule.fields["advice"] for rule in rules},
    )


def said_of(run: ScreeningRun | None, *, born: dt.date | None = None, patient: Patient | None = None) -> Said:
    """What one round of answers says."""
    if run is None:
        return Said(born=born, patient=patient)
    return Said(
        answers=answers_of(run),
        last_extraction_on=run.last_extraction_on,
        had_consultation=run.had_consultation,
        born=born,
        patient=patient,
        had_extraction=run.had_extraction,
    )


def said_for(booking: Booking) -> Said:
    """All that was ever answered for this visit, as one, with what a clinician has approved."""
    runs = list(booking.screenings.all())
    rounds = tuple(_rounds(booking, runs))
    dates = [run.last_extraction_on for run in runs if run.last_extraction_on]
    claims = [run.had_consultation for run in runs if run.had_consultation is not None]
    return Said(
        answers=screening.merged(answers for answers, _ in rounds),
        rounds=rounds,
        last_extraction_on=max(dates, default=None),
        had_consultation=claims[-1] if claims else None,
        born=booking.patient.date_of_birth if booking.patient else None,
        patient=booking.patient,
        approved=_approved(booking, runs),
        had_extraction=next((run.had_extraction for run in reversed(runs) if run.had_extraction), ""),
    )


def _rounds(booking: Booking, runs: Sequence[ScreeningRun]) -> list[tuple[Answers, dt.date]]:
    """Each round with its local date. What staff asked once more, at the clinic, takes the place of what was said."""
    rounds: list[tuple[Answers, dt.date]] = []
    corrected: set[str] = set()
    for run in reversed(runs):
        answers = {code: each for code, each in answers_of(run).items() if code not in corrected}
        rounds.append((answers, run.made_at.astimezone(booking.location.zone).date()))
        if run.kind == RunKind.DESK:
            corrected |= run.answers.keys()
    return rounds[::-1]


def left_to_ask(booking: Booking, said: Said, book: Rulebook) -> list[screening.Asked]:
    """What nobody answered yet, less what a minor is asked in the room, alone."""
    is_minor = needs_guardian(said.born, booking.local_date)
    still_open = screening.unanswered(book, said.answers, booking.service.codes)
    return [each for each in still_open if not (each.is_private and is_minor)]


def answers_of(run: ScreeningRun) -> dict[str, Answered]:
    return {code: Answered.from_json(row) for code, row in run.answers.items()}


def history_asked(service: Service, versions: Versions = shown) -> list[tuple[str, str]]:
    """What somebody without a known history is asked for this service: pairs of kind (``History``) and question."""
    return [(rule.fields["kind"], rule.fields["asks"]) for rule in _history_rules(service, versions)]


def _approved(booking: Booking, runs: Iterable[ScreeningRun]) -> frozenset[str]:
    """The rules whose review a clinician had before them when they said yes, unless it was answered yes again since."""
    if booking.approved_at is None:
        return frozenset()
    seen = [run for run in runs if run.made_at <= booking.approved_at]
    anew = said_yes_to(run for run in runs if run.made_at > booking.approved_at)
    return frozenset(
        row["rule"]
        for run in seen
        for row in run.findings
        if row["verdict"] == Verdict.REVIEW and row["question"] not in anew
    )


def said_yes_to(runs: Iterable[ScreeningRun]) -> set[str]:
    """The codes of the questions that were answered with yes, or not sure."""
    return {code for run in runs for code, row in run.answers.items() if row["answer"] != screening.Answer.NO}


def _history_rules(service: Service, versions: Versions) -> list[Shown]:
    return _about(service, versions(list(HistoryRule.objects.all())))


def _about(service: Service, rules: Iterable[Shown]) -> list[Shown]:
    return [rule for rule in rules if not service.codes.isdisjoint(rule.fields["applies_to"])]


def _done() -> BookingQuerySet:
    return Booking.objects.filter(state=BookingState.COMPLETED).select_related("service", "location")


def _past(patient: Patient, ignoring: Booking | None, known: Known | None) -> Iterable[Booking]:
    done = known.past[patient.pk] if known else _done().filter(patient=patient)
    return [each for each in done if each != ignoring]


def _gaps(rules: Iterable[Shown], service: Service, past: Iterable[Booking], said: Said) -> Iterator[Finding]:
    for rule in rules:
        if rule.fields["kind"] != History.GAP:
            continue
        if said.is_extraction_unproven:
            yield Finding(FROM_HISTORY, "", rule.code, rule.version, Verdict.REVIEW, days=rule.fields["days"])
        last = _last_treated(rule, service.body_areas, past)
        dates = [date for date in (last, said.last_extraction_on) if date]
        if dates:
            days = rule.fields["days"]
            until = max(dates) + dt.timedelta(days=days)
            yield Finding(FROM_HISTORY, "", rule.code, rule.version, Verdict.WAIT, until=until, days=days)


def _last_treated(rule: Shown, areas: Iterable[str], past: Iterable[Booking]) -> dt.date | None:
    """The last local date on which a visit that the rule is about treated any of these body areas."""
    wanted, about = set(areas), set(rule.fields["applies_to"])
    dates = (each.local_date for each in past if wanted & _treated(each) and about & each.service.codes)
    return max(dates, default=None)


def _treated(visit: Booking) -> AbstractSet[str]:
    if visit.outcome != Closed.TREATED:
        return frozenset()
    return set(visit.treated_areas or visit.service.body_areas)


def _need(rule: Shown, past: Iterable[Booking], said: Said) -> Need:
    fields = rule.fields
    proofs = [each.local_date for each in past if each.service.slug in fields["needs"]]
    return Need(rule.code, rule.version, fields["days"], max(proofs, default=None), said.had_consultation)
