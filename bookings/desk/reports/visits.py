"""Reports about visits: how full people and rooms were, what was booked, how far ahead, and what was lost."""

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from statistics import median
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce, NullIf, TruncDate

from bookings.desk.reports.figures import Chart, Report, Table, bars, over_time, percent, share, shares
from bookings.desk.reports.period import Period
from bookings.models import Booking, BookingState
from bookings.models.states import VISITS
from clinic import words
from clinic.intervals import day_start, intersect
from clinic.models import Resource
from clinic.models.resources import ResourceKind
from clinic.opening import openings

# Days ahead, up to and including; the last group has no end.
AHEAD = ((0, "Same day"), (2, "1 to 2 days"), (7, "3 to 7 days"), (14, "8 to 14 days"), (30, "15 to 30 days"))
LONGER = "Over 30 days"

CANCELLED = Q(state=BookingState.CANCELLED)
KINDS = {
    "Booked": Q(),
    "Cancelled": CANCELLED,
    "Of these late": CANCELLED & Q(is_late_cancellation=True),
    "No-shows": Q(state=BookingState.MISSED),
    "Came": Q(state=BookingState.COMPLETED),
}

Minutes = dict[int, list[int]]


def due(period: Period) -> QuerySet[Booking]:
    """Everything that was booked for these days, whatever became of it."""
    start, end = period.bounds
    booked = Booking.objects.booked()
    return booked.filter(location=period.location, starts_at__gte=start, starts_at__lt=end).order_by()


@dataclasses.dataclass(frozen=True)
class Use:
    """Used and open minutes of some resources, by their id and bucket."""

    title: str
    resources: tuple[Resource, ...]
    used: Minutes
    open: Minutes

    @property
    def total(self) -> float | None:
        used = sum(sum(self.used.get(each.pk, [])) for each in self.resources)
        return share(used, sum(sum(self.open[each.pk]) for each in self.resources))

    def of(self, resource: Resource) -> float | None:
        return share(sum(self.used.get(resource.pk, [])), sum(self.open[resource.pk]))

    def over_time(self, buckets: int) -> list[float | None]:
        """The share in each bucket, all of them together."""
        return [
            share(
                sum(self.used[each.pk][number] for each in self.resources if each.pk in self.used),
                sum(self.open[each.pk][number] for each in self.resources),
            )
            for number in range(buckets)
        ]

    def chart(self) -> Chart:
        names, values = [each.name for each in self.resources], [self.of(each) for each in self.resources]
        return Chart(self.title, "Booked share of open time.", shares(names, values), is_in_time=False)

    def table(self) -> Table:
        rows = tuple(
            (each.name, _hours(self.used.get(each.pk, [])), _hours(self.open[each.pk]), self.of(each))
            for each in self.resources
        )
        return Table(self.title, ("Name", "Booked hours", "Open hours", "Full"), rows)


def utilisation(period: Period) -> Report:
    """Booked minutes as a share of those that were open; a room's clean-up counts as its use."""
    people, rooms = _uses(period)
    labels = period.labels
    of_people, of_rooms = people.over_time(len(labels)), rooms.over_time(len(labels))
    title, about = "Practitioners over time", "Booked share of open time."
    return Report(
        f"Practitioners were {percent(people.total)} full, rooms {percent(rooms.total)}, {period.words}",
        (people.chart(), rooms.chart(), Chart(title, about, shares(labels, of_people), is_in_time=True)),
        (
            people.table(),
            rooms.table(),
            over_time(period.step.label, labels, {people.title: of_people, rooms.title: of_rooms}),
        ),
        ("Over 100 % means visits outside the opening hours. A room’s clean-up counts as use.",),
    )


def services(period: Period) -> Report:
    """Visits and their agreed prices, by the service they were booked for; cancelled ones are left out."""
    visits = due(period).filter(state__in=VISITS)
    rows = list(
        visits.values(label=Coalesce(NullIf("service__short_name", Value("")), "service__name"), money=F("currency"))
        .annotate(number=Count("pk"), value=Sum("price"))
        .order_by("-number", "label")
    )
    labels, numbers = [row["label"] for row in rows], [row["number"] for row in rows]
    values = [words.money(row["value"], row["money"]) for row in rows]
    by_number = bars(labels, numbers, list(map(str, numbers)))
    by_value = bars(labels, [row["value"] for row in rows], values)
    numbers_then, values_then = _booked_then(visits, period)
    columns = ("Service", "Visits", "Value", "Currency")
    return Report(
        _worth(rows, period),
        (
            Chart("Visits by service", "The most booked first.", by_number, is_in_time=False),
            Chart("Value by service", "Agreed prices, the most booked first.", by_value, is_in_time=False),
            *_by_time(numbers_then, values_then, period),
        ),
        (
            Table(
                "By service",
                columns,
                tuple((row["label"], row["number"], row["value"], row["money"]) for row in rows),
            ),
            over_time(period.step.label, period.labels, {"Visits": numbers_then, **values_then}),
        ),
        ("Value is the agreed price; a price “from” counts with its lowest.",),
    )


def _booked_then(visits: QuerySet[Booking], period: Period) -> tuple[list[int], dict[str, list[Decimal]]]:
    """How many in each bucket, and for how much, currency by currency; one query."""
    days = visits.annotate(day=TruncDate("starts_at", tzinfo=period.location.zone)).values("day", "currency")
    found = days.annotate(number=Count("pk"), value=Sum("price")).order_by("currency")
    numbers = [0] * len(period.labels)
    values: dict[str, list[Decimal]] = defaultdict(lambda: [Decimal(0)] * len(numbers))
    for date, currency, number, value in found.values_list("day", "currency", "number", "value"):
        numbers[period.index(date)] += number
        values[f"Value, {currency}"][period.index(date)] += value
    return numbers, dict(values)


def _by_time(numbers: Sequence[int], values: Mapping[str, Sequence[Decimal]], period: Period) -> Iterator[Chart]:
    yield _over_time("Visits over time", period, numbers)
    for name, of_one in values.items():
        worth = bars(period.labels, of_one, [f"{value:,.0f}" for value in of_one])
        yield Chart(f"{name}, over time", f"By {period.step.label.lower()}.", worth, is_in_time=True)


def _worth(rows: Sequence[Mapping[str, Any]], period: Period) -> str:
    if not rows:
        return f"Nothing was booked {period.words}"
    number = sum(row["number"] for row in rows)
    values: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        values[row["money"]] += row["value"]
    worth = " and ".join(words.money(value, currency) for currency, value in values.items())
    return f"{number} visit{'s' * (number != 1)} worth {worth} {period.words}, most of them {rows[0]['label']}"


def lead_time(period: Period) -> Report:
    """How many days lay between booking and visit, by local dates."""
    then = _days_ahead(period)
    days = [each for of_one in then for each in of_one]
    half = [round(median(of_one)) if of_one else None for of_one in then]
    half_then = bars(period.labels, half, ["–" if each is None else str(each) for each in half])
    labels = [label for _, label in AHEAD] + [LONGER]
    counts = [0] * len(labels)
    for ahead in days:
        counts[next((number for number, (most, _) in enumerate(AHEAD) if ahead <= most), len(AHEAD))] += 1
    title, columns = "Days from booking to visit", ("Days ahead", "Visits", "Share")
    rows = tuple((label, count, share(count, len(days))) for label, count in zip(labels, counts, strict=True))
    return Report(
        _half(days, period),
        (
            Chart(title, "How many visits.", bars(labels, counts, list(map(str, counts))), is_in_time=False),
            Chart(
                "Days ahead over time",
                "Half of the visits were booked within so many days.",
                half_then,
                is_in_time=True,
            ),
        ),
        (
            Table(title, columns, rows),
            over_time(period.step.label, period.labels, {"Visits": list(map(len, then)), "Half within, days": half}),
        ),
    )


def _days_ahead(period: Period) -> list[list[int]]:
    """Of each visit, by the bucket it lies in."""
    zone = period.location.zone
    found = due(period).filter(booked_at__isnull=False).values_list("booked_at", "starts_at")
    dates = ((booked.astimezone(zone).date(), starts.astimezone(zone).date()) for booked, starts in found if booked)
    ahead: list[list[int]] = [[] for _ in period.labels]
    for booked, visit in dates:
        ahead[period.index(visit)].append((visit - booked).days)
    return ahead


def _half(days: Sequence[int], period: Period) -> str:
    if not days:
        return f"Nothing was booked {period.words}"
    middle = round(median(days))
    return f"Half of the visits were booked {middle} day{'s' * (middle != 1)} ahead or less, {period.words}"


def lost(period: Period) -> Report:
    """Cancellations and no-shows, as shares of what was booked for these days."""
    counts = _counts(_decided(period), period, KINDS)
    total = {name: sum(found) for name, found in counts.items()}
    cancelled = list(map(share, counts["Cancelled"], counts["Booked"]))
    expected = list(map(sum, zip(counts["Came"], counts["No-shows"], strict=True)))
    missed = list(map(share, counts["No-shows"], expected))
    labels = [bucket.label for bucket in period.buckets]
    columns = (period.step.label, *KINDS, "Cancelled, share", "No-shows, share")
    return Report(
        _lost(total, sum(expected), period),
        (
            Chart("Cancelled", "Share of all that was booked.", shares(labels, cancelled), is_in_time=True),
            Chart("No-shows", "Share of those who were expected.", shares(labels, missed), is_in_time=True),
        ),
        (Table("Over time", columns, tuple(zip(labels, *counts.values(), cancelled, missed, strict=True))),),
        ("By the day of the visit. Declined reviews are counted under “What screening changed”.",),
    )


def _decided(period: Period) -> QuerySet[Booking]:
    return due(period).exclude(state__in=[BookingState.DECLINED, BookingState.PENDING])


def _counts(rows: QuerySet[Booking], period: Period, kinds: Mapping[str, Q]) -> dict[str, list[int]]:
    """How many of each kind in each bucket; one query."""
    counted = {name: [0] * len(period.buckets) for name in kinds}
    numbers = {f"n{number}": Count("pk", filter=kind) for number, kind in enumerate(kinds.values())}
    days = rows.annotate(day=TruncDate("starts_at", tzinfo=period.location.zone)).values("day").annotate(**numbers)
    for date, *of_kinds in days.values_list("day", *numbers):
        for name, number in zip(kinds, of_kinds, strict=True):
            counted[name][period.index(date)] += number
    return counted


def _minutes(resource: str, length: Any, period: Period) -> Minutes:
    """Used minutes by resource and bucket."""
    day = TruncDate("starts_at", tzinfo=period.location.zone)
    rows = due(period).filter(state__in=VISITS, **{f"{resource}__isnull": False}).annotate(day=day)
    used: Minutes = defaultdict(lambda: [0] * len(period.buckets))
    for who, date, minutes in (
        rows.values(resource, "day").annotate(sum=Sum(length)).values_list(resource, "day", "sum")
    ):
        used[who][period.index(date)] += minutes
    return dict(used)


def _uses(period: Period) -> tuple[Use, Use]:
    """Of the practitioners, and of the rooms."""
    resources = list(Resource.objects.exclude(kind=ResourceKind.EQUIPMENT).filter(_of_the_house(period)).distinct())
    is_open = _open_minutes(resources, period)
    people = tuple(each for each in resources if each.kind == ResourceKind.PRACTITIONER)
    rooms = tuple(each for each in resources if each.kind == ResourceKind.ROOM)
    with_clean_up = F("minutes") + F("clean_up_minutes")
    return (
        Use("Practitioners", people, _minutes("practitioner", F("minutes"), period), is_open),
        Use("Rooms", rooms, _minutes("room", with_clean_up, period), is_open),
    )


def _of_the_house(period: Period) -> Q:
    """People with hours here, and the rooms of the house, unless they were retired before."""
    here = Q(opening_hours__location=period.location) | Q(location=period.location)
    return here & (Q(retired_on=None) | Q(retired_on__gt=period.first))


def _open_minutes(resources: Sequence[Resource], period: Period) -> Minutes:
    """Open minutes by resource and bucket: planned hours less absences and closures."""
    opening = openings(location=period.location, resources=resources, first=period.first, until=period.until)
    zone = period.location.zone
    windows = [(day_start(each.first, zone), day_start(each.until, zone)) for each in period.buckets]
    return {
        each.pk: [sum(end - start for start, end in intersect([window], opening[each.pk].free)) for window in windows]
        for each in resources
    }


def _lost(total: Mapping[str, int], expected: int, period: Period) -> str:
    """A share of nothing is not told."""
    if not total["Booked"]:
        return f"Nothing was booked {period.words}"
    missed = f", {percent(share(total['No-shows'], expected))} did not come" if expected else ""
    return f"{percent(share(total['Cancelled'], total['Booked']))} were cancelled{missed}, {period.words}"


def _over_time(title: str, period: Period, counts: Sequence[int]) -> Chart:
    labels = [bucket.label for bucket in period.buckets]
    return Chart(title, f"By {period.step.label.lower()}.", bars(labels, counts, list(map(str, counts))), True)


def _hours(minutes: Iterable[int]) -> str:
    return f"{sum(minutes) / 60:.1f}"
