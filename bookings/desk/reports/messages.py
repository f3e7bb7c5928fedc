"""Reports about answers and messages: what screening changed, and whether mail arrived."""

from collections import Counter

from django.db.models import Count

from bookings.desk.reports.figures import Chart, Report, Table, bars, percent, share, shares
from bookings.desk.reports.period import Period
from bookings.models import BookingEvent, MailState, OutgoingEmail, RunKind, ScreeningRun
from bookings.models.mail import KINDS
from clinic.models import Verdict

# What became of it, by the verb in the history; an empty verdict of nobody is no consequence.
CONSEQUENCES = {
    "asked for": "Held for a clinician to look",
    "approved": "Approved by a clinician",
    "service changed": "Changed to another service",
    "declined": "Declined",
    "suspended": "Called off: medical help first",
}
# Did not arrive: a person has to phone.
LOST = (MailState.FAILED, MailState.NO_ADDRESS)
STATES = (MailState.SENT, MailState.QUEUED, MailState.SENDING, *LOST, MailState.SKIPPED)


def screening(period: Period) -> Report:
    """Rounds of answers by what they led to, and what was done about it."""
    start, end = period.bounds
    runs = ScreeningRun.objects.filter(booking__location=period.location, made_at__gte=start, made_at__lt=end)
    counted = Counter[tuple[str, str]]()
    for kind, verdict, number in (
        runs.order_by().values("kind", "verdict").annotate(n=Count("pk")).values_list("kind", "verdict", "n")
    ):
        counted[kind, verdict] += number
    verdicts = [each for each in Verdict if each != Verdict.HELP]
    by_verdict = [sum(counted[kind, each] for kind in RunKind.values) for each in verdicts]
    total = sum(by_verdict)
    changed = total - sum(counted[kind, each] for kind in RunKind.values for each in (Verdict.OK, Verdict.NOTE))
    events = _events(period)
    return Report(
        f"{percent(share(changed, total))} of answers changed when or what could be booked, {period.words}",
        (
            Chart(
                "What answers led to",
                "Share of all rounds of answers.",
                shares([each.label for each in verdicts], [share(number, total) for number in by_verdict]),
                is_in_time=False,
            ),
            Chart(
                "What was done",
                "How many visits.",
                bars(list(CONSEQUENCES.values()), events, list(map(str, events))),
                is_in_time=False,
            ),
        ),
        (
            Table(
                "What answers led to",
                ("Asked", *(each.label for each in verdicts)),
                tuple((kind.label, *(counted[kind, each] for each in verdicts)) for kind in RunKind),
            ),
            Table("What was done", ("Visits", "Number"), tuple(zip(CONSEQUENCES.values(), events, strict=True))),
        ),
        ("Answers with a warning sign are never kept: people who were sent to medical help online are not counted.",),
    )


def mail(period: Period) -> Report:
    """Messages written in these days, by kind and by what became of them."""
    start, end = period.bounds
    rows = OutgoingEmail.objects.filter(booking__location=period.location, created_at__gte=start, created_at__lt=end)
    counted = {
        (kind, state): number
        for kind, state, number in rows.order_by()
        .values("kind", "state")
        .annotate(n=Count("pk"))
        .values_list("kind", "state", "n")
    }
    kinds = sorted({kind for kind, _ in counted}, key=list(KINDS).index)
    by_state = [sum(counted.get((kind, state), 0) for kind in kinds) for state in STATES]
    sent, lost = by_state[0], sum(number for state, number in zip(STATES, by_state, strict=True) if state in LOST)
    return Report(
        f"{percent(share(sent, sent + lost))} of messages were delivered, {period.words}",
        (
            Chart(
                "What became of messages",
                "How many.",
                bars([state.label for state in STATES], by_state, list(map(str, by_state))),
                is_in_time=False,
            ),
        ),
        (
            Table(
                "By kind of message",
                ("Message", *(state.label for state in STATES)),
                tuple((KINDS[kind], *(counted.get((kind, state), 0) for state in STATES)) for kind in kinds),
            ),
        ),
        ("Delivered means: a mail server took it. Skipped messages were not needed any more.",),
    )


def _events(period: Period) -> list[int]:
    start, end = period.bounds
    found = BookingEvent.objects.filter(
        booking__location=period.location, at__gte=start, at__lt=end, verb__in=CONSEQUENCES
    )
    counted = dict(found.order_by().values("verb").annotate(n=Count("booking", distinct=True)).values_list("verb", "n"))
    return [counted.get(verb, 0) for verb in CONSEQUENCES]
