"""Reports about answers and messages: what screening changed, and whether mail arrived."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from django.db.models import Count, QuerySet
from django.db.models.functions import TruncDate

from bookings.desk.reports.figures import Chart, Report, Table, bars, over_time, percent, share, shares
from bookings.desk.reports.period import Period
from bookings.models import BookingEvent, MailState, OutgoingEmail, RunKind, ScreeningRun
from bookings.models.mail import KINDS
from clinic.models import Verdict

# What became of it, by the verb in the history.
CONSEQUENCES = {
    "asked for": "Held for a clinician to look",
    "approved": "Approved by a clinician",
    "service changed": "Changed to another service",
    "declined": "Declined",
    "suspended": "Called off: medical help first",
}
# Answers with a warning sign are never kept.
VERDICTS = [each for each in Verdict if each != Verdict.HELP]
# What leaves a visit as it was asked for.
UNCHANGED = {Verdict.OK, Verdict.NOTE}
# Did not arrive. Who has no address is phoned instead: to them nothing was sent.
LOST = (MailState.FAILED,)
STATES = (MailState.SENT, MailState.QUEUED, MailState.SENDING, *LOST, MailState.NO_ADDRESS, MailState.SKIPPED)


def screening(period: Period) -> Report:
    """Rounds of answers by what they led to, and what was done about it."""
    counted, rounds_then, changed_then = _rounds(period)
    share_then = list(map(share, changed_then, rounds_then))
    by_verdict = [sum(counted[kind, each] for kind in RunKind.values) for each in VERDICTS]
    total = sum(by_verdict)
    changed = sum(changed_then)
    events = _events(period)
    return Report(
        f"{percent(share(changed, total))} of answers changed when or what could be booked, {period.words}",
        (
            Chart(
                "What answers led to",
                "Share of all rounds of answers.",
                shares([each.label for each in VERDICTS], [share(number, total) for number in by_verdict]),
                is_in_time=False,
            ),
            Chart(
                "What was done",
                "How many visits.",
                bars(list(CONSEQUENCES.values()), events, list(map(str, events))),
                is_in_time=False,
            ),
            Chart("Changed over time", "Share of all rounds.", shares(period.labels, share_then), is_in_time=True),
        ),
        (
            Table(
                "What answers led to",
                ("Asked", *(each.label for each in VERDICTS)),
                tuple((kind.label, *(counted[kind, each] for each in VERDICTS)) for kind in RunKind),
            ),
            Table("What was done", ("Visits", "Number"), tuple(zip(CONSEQUENCES.values(), events, strict=True))),
            over_time(
                period.step.label,
                period.labels,
                {"Rounds of answers": rounds_then, "Changed something": changed_then, "Share": share_then},
            ),
        ),
        ("Answers with a warning sign are never kept: people who were sent to medical help online are not counted.",),
    )


def mail(period: Period) -> Report:
    """Messages written in these days, by kind and by what became of them."""
    counted, sent_then, lost_then = _messages(period)
    arrived_then = [share(sent, sent + lost) for sent, lost in zip(sent_then, lost_then, strict=True)]
    kinds = sorted({kind for kind, _ in counted}, key=list(KINDS).index)
    by_state = [sum(counted[kind, state] for kind in kinds) for state in STATES]
    sent, lost = sum(sent_then), sum(lost_then)
    return Report(
        f"{percent(share(sent, sent + lost))} of messages were delivered, {period.words}",
        (
            Chart(
                "What became of messages",
                "How many.",
                bars([state.label for state in STATES], by_state, list(map(str, by_state))),
                is_in_time=False,
            ),
            Chart(
                "Delivered over time", "Share of what was sent.", shares(period.labels, arrived_then), is_in_time=True
            ),
        ),
        (
            Table(
                "By kind of message",
                ("Message", *(state.label for state in STATES)),
                tuple((KINDS[kind], *(counted[kind, state] for state in STATES)) for kind in kinds),
            ),
            over_time(
                period.step.label,
                period.labels,
                {"Sent": sent_then, "Not delivered": lost_then, "Delivered": arrived_then},
            ),
        ),
        (
            "Delivered means: a mail server took it. Skipped messages were not needed any more.",
            "Whoever has no address is phoned, and does not count as undelivered.",
        ),
    )


def _rounds(period: Period) -> tuple[Counter[tuple[str, str]], list[int], list[int]]:
    """By kind and verdict, and of each day, week or month: all rounds, and those that changed something. One query."""
    start, end = period.bounds
    kept = ScreeningRun.objects.filter(booking__location=period.location, verdict__in=VERDICTS)
    runs = kept.filter(made_at__gte=start, made_at__lt=end)
    counted = Counter[tuple[str, str]]()
    rounds, changed = [0] * len(period.labels), [0] * len(period.labels)
    for date, kind, verdict, number in _by_day(runs, "made_at", "kind", "verdict", period=period):
        counted[kind, verdict] += number
        rounds[period.index(date)] += number
        if verdict not in UNCHANGED:
            changed[period.index(date)] += number
    return counted, rounds, changed


def _messages(period: Period) -> tuple[Counter[tuple[str, str]], list[int], list[int]]:
    """By kind and state, and of each day, week or month: those sent, and those that did not arrive. One query."""
    start, end = period.bounds
    rows = OutgoingEmail.objects.filter(booking__location=period.location, created_at__gte=start, created_at__lt=end)
    counted = Counter[tuple[str, str]]()
    sent, lost = [0] * len(period.labels), [0] * len(period.labels)
    for date, kind, state, number in _by_day(rows, "created_at", "kind", "state", period=period):
        counted[kind, state] += number
        if state == MailState.SENT:
            sent[period.index(date)] += number
        elif state in LOST:
            lost[period.index(date)] += number
    return counted, sent, lost


def _by_day(rows: QuerySet[Any], at: str, *names: str, period: Period) -> Iterable[tuple[Any, ...]]:
    """How many of each on each local date."""
    days = rows.order_by().annotate(day=TruncDate(at, tzinfo=period.location.zone)).values("day", *names)
    counted: Iterable[tuple[Any, ...]] = days.annotate(n=Count("pk")).values_list("day", *names, "n")
    return counted


def _events(period: Period) -> list[int]:
    start, end = period.bounds
    found = BookingEvent.objects.filter(
        booking__location=period.location, at__gte=start, at__lt=end, verb__in=CONSEQUENCES
    )
    counted = dict(found.order_by().values("verb").annotate(n=Count("booking", distinct=True)).values_list("verb", "n"))
    return [counted.get(verb, 0) for verb in CONSEQUENCES]
