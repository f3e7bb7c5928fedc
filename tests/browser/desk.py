"""The desk for browser tests: who is signed in, a hand that counts, and pages looked at in three widths."""

import re
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from playwright.sync_api import Locator, Page, expect

from tests.browser.looking import axe_findings, sideways
from tests.desk import signed_in

WIDTHS = (1280, 768, 375)
# A page's own "autofocus" comes with its first frame.
FOCUS_IS_GIVEN = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


class Desk:
    """Opens desk pages in a browser of its own for somebody of a role, who is signed in already."""

    def __init__(self, open_page: Callable[..., Page]) -> None:
        self.open_page = open_page

    def open(self, role: str, path: str, **fields: Any) -> Page:
        """A page, for the one user of ``role``."""
        page = self.open_page("/privacy/")
        name = settings.SESSION_COOKIE_NAME
        page.context.add_cookies(
            [{"name": name, "value": signed_in(role, **fields).cookies[name].value, "url": origin(page)}]
        )
        go(page, path)
        return page


def origin(page: Page) -> str:
    """The server that the page came from."""
    return re.sub(r"(?<=\w)/.*$", "/", page.url)


def go(page: Page, path: str) -> None:
    """To a page of the desk, which has one heading and is no sign-in."""
    page.goto(path)
    expect(page).not_to_have_url(re.compile("/accounts/login/"))
    expect(page.get_by_role("heading", level=1)).to_have_count(1)


def press(page: Page, name: str) -> None:
    """A button of the page's main part by its whole name."""
    page.get_by_role("main").get_by_role("button", name=name, exact=True).click()


def said(page: Page, words: str) -> None:
    """Wait for what the page says was done."""
    expect(page.locator(".messages")).to_contain_text(words)


class Hand:
    """One person at a page. Each click, key and field that is typed counts one; a click into the field counts too."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.acts: list[str] = []

    @property
    def count(self) -> int:
        return len(self.acts)

    def click(self, locator: Locator) -> None:
        self.acts.append(f"click {locator}")
        locator.click()

    def key(self, name: str) -> None:
        self.acts.append(f"key {name}")
        self.page.keyboard.press(name)

    def type(self, field: Locator, text: str) -> None:
        """Into the field that has the focus; one that has not is clicked first."""
        expect(field).to_be_visible()
        self.page.evaluate(FOCUS_IS_GIVEN)
        if not field.evaluate("each => each === document.activeElement"):
            self.click(field)
        self.acts.append(f"type {text}")
        self.page.keyboard.type(text)


def looked_at(page: Page, paths: Iterable[str]) -> list[str]:
    """What is wrong with these pages: for axe in both themes, and over the edge in any of the widths."""
    found = []
    for path in paths:
        go(page, path)
        found += flaws(page)
    return found


def flaws(page: Page) -> list[str]:
    """What is wrong with the page as it stands."""
    wide = [(width, by) for width in WIDTHS if (by := sideways(page, width)) > 0]
    return axe_findings(page) + [f"{page.url} at {width} px is {by} px too wide" for width, by in wide]
