"""What is measured."""

import dataclasses
import datetime as dt
import itertools
import json
import re
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from tests.benchmarks.measure import Target
from tests.benchmarks.site import Client

HELD = re.compile(r'name="hold" value="([^"]+)"')
BARE, INSERT = "a bare view", "one INSERT"
CLIENTS = 4
CROWD = 32
DETAILS = {
    "name": "Robin Example",
    "email": "robin@example.org",
    "phone": "+1 212 555 0123",
    "date_of_birth": "1990-03-17",
    "for_whom": "me",
    **{f"q{number}": "no" for number in range(1, 13)},
    "last_extraction": "no",
    "guidance_read": "on",
    "consent": "on",
}


@dataclasses.dataclass(frozen=True)
class Place:
    """Where the site answers, and the day the clinic was filled."""

    port: int
    today: dt.date

    def starts(self, first: dt.date, days: int, practitioner: str = "any") -> str:
        until = first + dt.timedelta(days=days)
        return f"/api/v1/availability?service=nose&practitioner={practitioner}&from={first}&to={until}"


def reads(place: Place) -> list[Target]:
    tomorrow = _working_day(place.today)
    return [
        Target(BARE, _get(place.port, "/benchmark/bare"), BARE, repeat=40),
        Target("day, one practitioner", _get(place.port, place.starts(tomorrow, 1, "maya")), BARE),
        Target("day, any of 10", _get(place.port, place.starts(tomorrow, 1)), BARE),
        Target("month, one practitioner", _get(place.port, place.starts(tomorrow, 30, "maya")), BARE),
        Target("month, any of 10", _get(place.port, place.starts(tomorrow, 30)), BARE),
        Target("month, any of 10, the HTML page", _get(place.port, "/book/nose/?practitioner=any"), BARE, repeat=5),
    ]


def writes(place: Place) -> list[Target]:
    """Four clients at once, 32 acts a sample. Every hold is by a new visitor, and every confirm books one."""
    crowd = Crowd(place)
    return [
        Target(INSERT, crowd.insert, INSERT, repeat=1, of=CROWD),
        Target("hold", crowd.hold, INSERT, repeat=1, of=CROWD, prepare=crowd.arrive),
        Target("confirm, with its e-mails", crowd.confirm, INSERT, repeat=1, of=CROWD, prepare=crowd.arrive_and_hold),
    ]


def rivals(port: int, today: dt.date) -> list[Target]:
    """django-appointment answers for one person and one day; a month is thirty requests, any of ten is ten."""
    tomorrow = _working_day(today)
    month = [tomorrow + dt.timedelta(days=days) for days in range(30)]
    ask = _rival(port)
    return [
        Target("django-appointment: day, one", lambda: ask([1], [tomorrow]), BARE, repeat=2),
        Target("django-appointment: day, any of 10", lambda: ask(range(1, 11), [tomorrow]), BARE, repeat=1),
        Target("django-appointment: month, one", lambda: ask([1], month), BARE, repeat=1),
        Target("django-appointment: month, any of 10", lambda: ask(range(1, 11), month), BARE, repeat=1, every=10),
    ]


class Crowd:
    """Thirty-two visitors, four at a time, each from an address of its own."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.addresses = (f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}" for n in itertools.count(1))
        self.free = _free_starts(place)
        self.visitors: list[Client] = []
        self.clients = [Client(place.port) for _ in range(CLIENTS)]

    def insert(self) -> None:
        self._together(lambda number: _expect(self.clients[number % CLIENTS].post("/benchmark/insert"), 200))

    def arrive(self) -> None:
        """Each has the page with the form before it, and knows which time it wants."""
        self.visitors = [Client(self.place.port, next(self.addresses)) for _ in range(CROWD)]
        self.wanted = [next(self.free) for _ in range(CROWD)]
        self._together(lambda number: _expect(self.visitors[number].get("/book/nose/?practitioner=any"), 200))

    def hold(self) -> None:
        self._together(self._hold)

    def arrive_and_hold(self) -> None:
        self.arrive()
        self.hold()
        self._together(lambda number: _expect(self.visitors[number].get("/book/details/"), 200))

    def confirm(self) -> None:
        self._together(self._confirm)

    def _hold(self, number: int) -> None:
        start, practitioner = self.wanted[number]
        _expect(self.visitors[number].post("/book/nose/hold/", start=start, practitioner=practitioner), 303)

    def _confirm(self, number: int) -> None:
        start, practitioner = self.wanted[number]
        visitor = self.visitors[number]
        hold = HELD.search(visitor.page)
        assert hold, "the details page names the hold"
        fields = {"hold": hold.group(1), "service": "nose", "start": start, "practitioner": practitioner}
        _expect(visitor.post("/book/details/", **fields, **DETAILS), 303)

    def _together(self, act: Callable[[int], None]) -> None:
        """Each of four threads takes every fourth visitor, so that one connection stays with one thread."""
        with ThreadPoolExecutor(CLIENTS) as pool:
            for done in [pool.submit(_every_fourth, act, first) for first in range(CLIENTS)]:
                done.result()


def _every_fourth(act: Callable[[int], None], first: int) -> None:
    for number in range(first, CROWD, CLIENTS):
        act(number)


def _expect(status: int, expected: int) -> None:
    assert status == expected, f"answered {status}, not {expected}"


def _get(port: int, path: str) -> Callable[[], None]:
    client = Client(port)
    return lambda: _expect(client.get(path), 200)


def _rival(port: int) -> Callable[[Iterable[int], Iterable[dt.date]], None]:
    client = Client(port)

    def ask(people: Iterable[int], dates: Iterable[dt.date]) -> None:
        for person, date in itertools.product(people, dates):
            path = f"/rival/ajax/available_slots/?staff_member={person}&selected_date={date}&service_id=1"
            _expect(client.get(path, **{"X-Requested-With": "XMLHttpRequest"}), 200)

    return ask


def _free_starts(place: Place) -> Iterator[tuple[str, str]]:
    """Free (start, practitioner) pairs, each once, so that no two visitors want the same."""
    client = Client(place.port)
    client.connection.request("GET", place.starts(place.today + dt.timedelta(days=1), 62))
    found = json.loads(client.connection.getresponse().read())["starts"]
    return iter([(row["start"], row["practitioner"]) for row in found])


def _working_day(today: dt.date) -> dt.date:
    """The first weekday after today."""
    return next(date for date in (today + dt.timedelta(days=n) for n in range(1, 4)) if date.weekday() < 5)
