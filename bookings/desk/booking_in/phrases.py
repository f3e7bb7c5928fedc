"""What a receptionist types while a patient speaks: "nose, Thursday after 16:00, any".

Pure: the words in, what they mean out. What is not understood is named, never guessed.
"""

import dataclasses
import datetime as dt
import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from bookings.forms.fields import month_number
from clinic.intervals import ONE_DAY
from clinic.models import Location, Resource, Service
from clinic.models.places import WEEKDAYS

WORDS = re.compile(r"[^\s,;]+")
LETTERS = re.compile(r"[^\W\d_]+")
ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
DAY_OF_MONTH = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?")
YEAR = re.compile(r"20\d\d")
TIME = re.compile(r"(\d{1,2})(?:[:.](\d{2}))?(am|pm)?")
SHORTEST = 3

FILLERS = {
    *("a", "an", "the", "on", "with", "for", "at", "and", "in", "of", "to", "this", "some", "time", "times", "visit"),
    *("please", "soonest", "soon", "next", "free", "around", "about", "when", "who", "is", "day"),
}
ANYONE = {"any", "anyone", "anybody", "whoever"}
NOW = {"now", "walk-in", "walkin"}
FROM = {"from", "since"}
AFTER, BEFORE = {"after", "from", "since", "past", "later"}, {"before", "until", "till", "by"}
AT = {"at", "around", "about"}
PARTS: dict[str, tuple[dt.time | None, dt.time | None]] = {
    "morning": (None, dt.time(12)),
    "afternoon": (dt.time(12), dt.time(17)),
    "evening": (dt.time(17), None),
    "tonight": (dt.time(17), None),
}
NAMED_TIMES = {"noon": dt.time(12), "midday": dt.time(12)}
SHORT_DAYS = {"tues": 1, "weds": 2, "thur": 3, "thurs": 3}
# Nobody means the night: "after 4" is the afternoon.
AFTERNOON_UNTIL = 6
Row = TypeVar("Row", Resource, Location)
UNITS = {"day": 1, "days": 1, "week": 7, "weeks": 7}


@dataclasses.dataclass(frozen=True)
class Names:
    """What a phrase may name, and the day on which it is said."""

    services: Sequence[Service]
    people: Sequence[Resource]
    locations: Sequence[Location]
    today: dt.date


@dataclasses.dataclass
class Wanted:
    """What was understood. ``services`` holds several where a word fits several; ``unknown`` are words as typed.

    ``is_span``: not ``date`` itself was said, but a month, a week, or "from" that day.
    """

    services: list[Service] = dataclasses.field(default_factory=list)
    practitioner: Resource | None = None
    location: Location | None = None
    date: dt.date | None = None
    is_span: bool = False
    after: dt.time | None = None
    before: dt.time | None = None
    is_now: bool = False
    unknown: list[str] = dataclasses.field(default_factory=list)

    @property
    def service(self) -> Service | None:
        return self.services[0] if len(self.services) == 1 else None


@dataclasses.dataclass(frozen=True)
class _Day:
    """A day as it was said; ``is_span`` as of ``Wanted``."""

    date: dt.date
    is_span: bool = False
    is_weekday: bool = False

    def beside(self, other: "_Day") -> "_Day | None":
        """What the two mean together; None where they are two different days."""
        if other.is_weekday and not self.is_weekday:
            return other.beside(self)
        ahead = (self.date.weekday() - other.date.weekday()) % 7
        if self.is_weekday and other.is_span:
            return _Day(other.date + ONE_DAY * ahead)
        if self.is_weekday and not other.is_weekday and not ahead:
            return other
        return self if self == other else None


def understood(text: str, names: Names) -> Wanted:
    """Read ``text`` from left to right; each word belongs to the first reader that takes it."""
    reading = _Reading(names, [word.strip(".!?") for word in WORDS.findall(text)])
    return reading.wanted()


class _Reading:
    """One phrase being read. A reader looks at the word at ``at`` and says how many words it took."""

    def __init__(self, names: Names, words: Sequence[str]) -> None:
        self.names = names
        self.words = [word for word in words if word]
        self.said = [word.casefold() for word in self.words]
        self.found = Wanted()
        self.day: _Day | None = None
        self.part: tuple[dt.time | None, dt.time | None] = (None, None)
        self.scores: dict[int, int] = {}

    def wanted(self) -> Wanted:
        # A name goes before a month that stands alone: somebody may be called April.
        readers = (self._span, self._day, self._time, self._part, self._plain, self._name, self._month_alone)
        at = 0
        while at < len(self.said):
            taken = next((count for reader in readers if (count := reader(at))), 0)
            if not taken:
                self.found.unknown.append(self.words[at])
            at += taken or 1
        self._bound_by_part()
        if self.day:
            self.found.date, self.found.is_span = self.day.date, self.day.is_span
        best = max(self.scores.values(), default=0)
        self.found.services = [each for each in self.names.services if self.scores.get(each.pk) == best and best]
        return self.found

    def _word(self, at: int) -> str:
        return self.said[at] if at < len(self.said) else ""

    def _day(self, at: int) -> int:
        taken, date = self._date_at(at)
        is_weekday = _weekday_of(self._word(at + taken - 1)) is not None
        return self._dated(taken, date, is_weekday=is_weekday)

    def _span(self, at: int) -> int:
        """Next week, in January, from Thursday."""
        word = self._word(at)
        if word == "next" and self._word(at + 1) == "week":
            return self._dated(2, _monday_after(self.names.today), is_span=True)
        taken, date = self._date_at(at + 1) if word in FROM else (0, None)
        if date is None and word in {"in", *FROM}:
            taken, date = self._month(at + 1)
        return self._dated(1 + taken, date, is_span=True)

    def _month_alone(self, at: int) -> int:
        return self._dated(*self._month(at), is_span=True)

    def _dated(self, taken: int, date: dt.date | None, *, is_span: bool = False, is_weekday: bool = False) -> int:
        """A second day that does not go with the first is left, to be named as not understood."""
        if date is None:
            return 0
        said = _Day(date, is_span=is_span, is_weekday=is_weekday)
        day = self.day.beside(said) if self.day else said
        self.day = day or self.day
        return taken if day else 0

    def _date_at(self, at: int) -> tuple[int, dt.date | None]:
        readers: tuple[Callable[[int], tuple[int, dt.date | None]], ...] = (
            self._relative_day,
            self._weekday,
            self._iso_day,
            self._day_of_month,
        )
        return next((found for reader in readers if (found := reader(at))[1] is not None), (0, None))

    def _relative_day(self, at: int) -> tuple[int, dt.date | None]:
        today, word = self.names.today, self._word(at)
        if word in {"today", "tonight"}:
            # "Tonight" says a time of the day too.
            self._part(at)
            return 1, today
        if word == "tomorrow":
            return 1, today + ONE_DAY
        number, unit = self._word(at + 1), self._word(at + 2)
        if word == "in" and number.isdecimal() and len(number) <= 2 and unit in UNITS:
            return 3, today + ONE_DAY * int(number) * UNITS[unit]
        return 0, None

    def _weekday(self, at: int) -> tuple[int, dt.date | None]:
        is_next = self._word(at) == "next"
        number = _weekday_of(self._word(at + is_next))
        if number is None:
            return 0, None
        today = self.names.today
        if is_next:
            return 2, _monday_after(today) + ONE_DAY * number
        return 1, today + ONE_DAY * ((number - today.weekday()) % 7)

    def _iso_day(self, at: int) -> tuple[int, dt.date | None]:
        word = self._word(at)
        return (1, _date(*map(int, word.split("-")))) if ISO_DAY.fullmatch(word) else (0, None)

    def _day_of_month(self, at: int) -> tuple[int, dt.date | None]:
        """10 December, December 10th, either with a year."""
        first, second = self._word(at), self._word(at + 1)
        day, month = (first, second) if DAY_OF_MONTH.fullmatch(first) else (second, first)
        number, named = DAY_OF_MONTH.fullmatch(day), _month_of(month)
        if number is None or named is None:
            return 0, None
        if YEAR.fullmatch(self._word(at + 2)):
            return 3, _date(int(self._word(at + 2)), named, int(number[1]))
        return 2, _coming(named, int(number[1]), self.names.today)

    def _month(self, at: int) -> tuple[int, dt.date | None]:
        """Its first day, or today; not beside a number, which makes it a day that cannot be."""
        named, today = _month_of(self._word(at)), self.names.today
        beside = [self.said[at - 1] if at else "", self._word(at + 1)]
        if named is None or any(DAY_OF_MONTH.fullmatch(each) for each in beside):
            return 0, None
        if YEAR.fullmatch(self._word(at + 1)):
            return 2, _date(int(self._word(at + 1)), named, 1)
        return 1, max(dt.date(today.year + (named < today.month), named, 1), today)

    def _time(self, at: int) -> int:
        """Before or after a time; a time alone is the first that will do."""
        word = self._word(at)
        is_led = word in AFTER | BEFORE | AT
        taken, time = self._clock(at + is_led, is_led=is_led)
        if time is None:
            return 0
        if word in BEFORE:
            self.found.before = time
        else:
            self.found.after = time
        return taken + is_led

    def _clock(self, at: int, *, is_led: bool) -> tuple[int, dt.time | None]:
        word, following = self._word(at), self._word(at + 1).replace(".", "")
        if word in NAMED_TIMES:
            return 1, NAMED_TIMES[word]
        has_half = following in {"am", "pm"}
        found = TIME.fullmatch(word.replace("a.m", "am").replace("p.m", "pm") + (following if has_half else ""))
        if found is None or not (is_led or found[2] or found[3]):
            return 0, None
        return 1 + has_half, _time_of(int(found[1]), int(found[2] or 0), found[3] or "")

    def _part(self, at: int) -> int:
        part = PARTS.get(self._word(at))
        if part is None:
            return 0
        self.part = part
        return 1

    def _bound_by_part(self) -> None:
        """A time that was said goes before the part of the day it was said with."""
        first, last = self.part
        said_after = self.found.after
        self.found.after = said_after or first
        if self.found.before is None and not (said_after and last and said_after >= last):
            self.found.before = last

    def _plain(self, at: int) -> int:
        word = self._word(at)
        if word in NOW:
            self.found.is_now = True
        return int(word in NOW | ANYONE | FILLERS)

    def _name(self, at: int) -> int:
        """A service, a person or a house, by any word of its name or by the beginning of one."""
        word = self._word(at)
        services = [each for each in self.names.services if _is_named(word, each.slug, each.title, each.name)]
        for each in services:
            self.scores[each.pk] = self.scores.get(each.pk, 0) + _weight(word, each)
        person, house = _only(word, self.names.people), _only(word, self.names.locations)
        if person and not services:
            self.found.practitioner = person
        elif house and not services:
            self.found.location = house
        return int(bool(services or person or house))


def _weight(word: str, service: Service) -> int:
    """The slug says which one is meant, where its name shares words with others."""
    return 10 if word == service.slug else 2 if word in _words(service.title) else 1


def _is_named(word: str, *names: str) -> bool:
    known = {each for name in names for each in _words(name)}
    return word in known or (len(word) >= SHORTEST and any(each.startswith(word) for each in known))


def _words(name: str) -> list[str]:
    return [word for word in LETTERS.findall(name.casefold()) if word not in FILLERS]


def _only(word: str, rows: Sequence[Row]) -> Row | None:
    """The one that is named so; of several none is meant, unless the word is what one of them goes by here."""
    named = [row for row in rows if _is_named(word, row.name)]
    exact = [row for row in rows if row.slug == word]
    found = exact or named
    return found[0] if len(found) == 1 else None


def _weekday_of(word: str) -> int | None:
    if word in SHORT_DAYS:
        return SHORT_DAYS[word]
    names = [number for number, name in enumerate(WEEKDAYS) if name.casefold().startswith(word)]
    return names[0] if len(word) >= SHORTEST and names else None


def _month_of(word: str) -> int | None:
    """Only by its name: two numbers may be read in two ways."""
    return month_number("sep" if word == "sept" else word) if word.isalpha() and len(word) >= SHORTEST else None


def _monday_after(day: dt.date) -> dt.date:
    return day + ONE_DAY * (7 - day.weekday())


def _coming(month: int, day: int, today: dt.date) -> dt.date | None:
    """The next such day, today included."""
    found = _date(today.year, month, day)
    return found if found is None or found >= today else _date(today.year + 1, month, day)


def _date(year: int, month: int, day: int) -> dt.date | None:
    """None for what is no day, and for the last year of the calendar: no day can be counted on from its end."""
    try:
        return dt.date(year, month, day) if year < dt.MAXYEAR else None
    except ValueError:
        return None


def _time_of(hour: int, minute: int, half: str) -> dt.time | None:
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0) if 1 <= hour <= 12 else 24
    elif 1 <= hour <= AFTERNOON_UNTIL:
        hour += 12
    return dt.time(hour, minute) if hour < 24 and minute < 60 else None
