"""A client that only follows links and forms books in the demo, gets the mail, moves the visit and cancels it."""

import datetime as dt
import os
import re
import subprocess
import sys
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import icalendar
import pytest
import vobject
from django.utils import timezone

from tests.mail_server import MailServer, running
from tests.online import DETAILS_NO, SKIN_NO
from tests.processes import ROOT, serving
from tests.walker import Page, Walker

pytestmark = [pytest.mark.one_database]
SAID = {
    "for_whom": "me",
    "name": "Robin Example",
    "email": "robin.walker@example.org",
    "phone": "212 555 0123",
    "date_of_birth_day": "17",
    "date_of_birth_month": "3",
    "date_of_birth_year": "1990",
    "guidance_read": "on",
    "consent": "on",
}


def manage(environment: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.stdout


def a_thursday() -> dt.date:
    """At least a week ahead, so that the visit may still be moved online; by the real clock, as the server's is."""
    today = timezone.now().date()
    return today + dt.timedelta(days=(3 - today.weekday()) % 7 + 7)


def book(walker: Walker) -> Page:
    """Home, service, skin today, times, details, check, done: seven pages."""
    assert 'href="/services/nose/"' in walker.get("/").text
    service = walker.get("/services/nose/")
    assert 'href="/book/nose/check/"' in service.text
    skin = walker.get("/book/nose/check/")
    walker.send(skin, skin.form_with("q1"), **SKIN_NO)
    day = a_thursday().isoformat()
    times = walker.get(f"/book/nose/?practitioner=any&date={day}")
    start = next(start for start in times.starts if start.startswith(day))
    details = walker.send(times, times.form_with("start"), start=start)
    check = walker.send(details, details.form_with("email"), **SAID, **DETAILS_NO, next="check")
    assert "You are not booked yet" in check.text
    return walker.send(check, check.form_with("email"))


def calendar_of(message: EmailMessage) -> tuple[str, int, str]:
    """(UID, SEQUENCE, METHOD) as the icalendar library reads them, after another parser read the same."""
    part = next(part for part in message.walk() if part.get_content_type() == "text/calendar")
    text = part.get_content()
    text = text if isinstance(text, str) else text.decode()
    calendar = icalendar.Calendar.from_ical(text)
    event = next(iter(calendar.walk("VEVENT")))
    other = vobject.readOne(text)
    assert other.vevent.uid.value == str(event["UID"])
    assert other.vevent.dtstart.value == event["DTSTART"].dt
    return str(event["UID"]), int(str(event["SEQUENCE"])), str(calendar["METHOD"])


def link_in(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body
    found = re.search(r"/visit/[^\s/]+/", body.get_content())
    assert found
    return found.group()


def move(walker: Walker, link: str) -> list[Page]:
    """The visit by its mailed link, and the page after moving it."""
    visit = walker.get(link)
    times = walker.get("/visit/move/")
    return [visit, walker.send(times, times.form_with("start"), start=times.starts[0])]


def cancel(walker: Walker) -> Page:
    page = walker.get("/visit/cancel/")
    return walker.send(page, page.form_with("reason"))


def test_a_demo_visit_is_booked_mailed_moved_and_cancelled(tmp_path: Path, settings: Any) -> None:
    log = tmp_path / "server.log"
    with running(MailServer(), settings) as server:
        environment = {
            "DATABASE_URL": f"sqlite:///{tmp_path / 'demo.sqlite3'}",
            "EMAIL_URL": f"smtp://127.0.0.1:{server.port}",
            "SECRET_KEY": "a key for one test of the whole way",
        }
        manage(environment, "demo", "--no-serve")
        with serving(log, **environment) as port:
            done = book(Walker(port))
            manage(environment, "work", "--once")
            [confirmation] = server.to(SAID["email"])
            walker = Walker(port)
            visit, moved = move(walker, link_in(confirmation))
            # Before it is cancelled: of a move that does not stand any more nobody is told.
            manage(environment, "work", "--once")
            cancelled = cancel(walker)
            manage(environment, "work", "--once")

    assert (done.path, visit.path) == ("/book/done/", "/visit/")
    assert [page.status for page in (done, visit, moved, cancelled)] == [200] * 4
    # A reminder may be among them, and has none.
    with_calendar = [each for each in server.to(SAID["email"]) if "text/calendar" in each.as_string()]
    found = sorted(map(calendar_of, with_calendar), key=lambda each: each[1])
    assert [each[1:] for each in found] == [(0, "REQUEST"), (1, "REQUEST"), (2, "CANCEL")]
    assert len({uid for uid, _, _ in found}) == 1
    assert 'data-item="WHY-1"' in html_of(confirmation)
    assert "Traceback" not in log.read_text()


def html_of(message: EmailMessage) -> str:
    body = message.get_body(("html",))
    assert body
    return str(body.get_content())
