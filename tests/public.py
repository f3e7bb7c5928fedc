"""The public pages for tests: a clinic with the whole content, and what can be read off a page."""

import datetime as dt
from html.parser import HTMLParser

from clinic import content
from clinic.models import Clinic, Grade, HistoryRule, Item, Part, Question, Reviewed, Rule, Wording
from tests.factories import make_location, make_policy, make_practitioner, make_staff

LOADED = dt.datetime(2026, 11, 23, 14, 0, tzinfo=dt.UTC)
DRAFT = "A clinician has not approved this page yet."
REVIEWED: tuple[type[Reviewed], ...] = (Item, Question, Part, Rule, HistoryRule, Wording)


def make_public_clinic() -> Clinic:
    """One house, the whole content and all nine services. A demo, so that drafts are shown too."""
    content.load(now=LOADED)
    policy = make_policy(is_demo=True)
    make_location(slug="main", name="Main house")
    content.load_services(now=LOADED)
    make_practitioner("Maya Ruiz", grade=Grade.AESTHETICIAN, about="Trained in 2016.")
    return policy


def sign_everything() -> None:
    reviewer = make_staff("clinician")
    for model in REVIEWED:
        for row in model._default_manager.all():
            content.sign_off(
                row,
                reviewer="Dr Ines Okafor",
                registration="NY 123456",
                by=reviewer,
                now=LOADED,
                next_review_on=dt.date(2027, 11, 23),
            )


class Outline(HTMLParser):
    """What a test reads off a page: headings, links in order, codes of items, text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.h1 = 0
        self.links: list[str] = []
        self.items: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.h1 += tag == "h1"
        if tag == "a":
            self.links.append(found.get("href") or "")
        if "data-item" in found:
            self.items.append(found["data-item"] or "")

    def handle_data(self, data: str) -> None:
        self.text += data


def read(client, path: str) -> Outline:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return Outline(answer.content.decode())


def main_of(client, path: str) -> str:
    """The HTML of the page's own part, without header and footer."""
    html = client.get(path).content.decode()
    return html[html.index("<main") : html.index("</main>")]
