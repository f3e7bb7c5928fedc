"""What is looked at on every page: axe's findings in both themes, and that nothing hangs over the edge."""

from typing import Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Page

NARROW, DESKTOP = 320, 1280
# Milliseconds for the next frame: with reduced motion nothing of ours changes by and by.
SETTLED = 50
THEMES: list[tuple[Literal["light", "dark"], dict[str, list[str]]]] = [
    ("light", {"resultTypes": ["violations"]}),
    ("dark", {"resultTypes": ["violations"], "runOnly": ["color-contrast"]}),
]


class Watched:
    """A page and all that it wrote to its console as a warning or an error: a blocked style, a broken script."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))

    def _said(self, message: ConsoleMessage) -> None:
        # A refusal with its own status is an answer, not a fault; the browser notes it all the same.
        is_status = "the server responded with a status of 4" in message.text
        if message.type in {"error", "warning"} and not is_status:
            self.complaints.append(f"{self.page.url}: {message.text}")


def problems(page: Page) -> list[str]:
    """Everything wrong with the page as it stands, one line each."""
    return axe_findings(page) + [
        f"{page.url} at {width} px is {by} px too wide"
        for width in (NARROW, DESKTOP)
        if (by := sideways(page, width)) > 0
    ]


def axe_findings(page: Page) -> list[str]:
    """All rules in the light theme, the colours again in the dark one."""
    found = []
    for scheme, options in THEMES:
        show(page, scheme)
        found += [
            f"{page.url} ({scheme}): {rule['id']}: {', '.join(str(node['target']) for node in rule['nodes'])}"
            for rule in Axe().run(page, options=options).response["violations"]
        ]
    show(page, "light")
    return found


def show(page: Page, scheme: Literal["light", "dark"]) -> None:
    """Switch the theme and wait until colours that change by and by have changed."""
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.wait_for_timeout(SETTLED)


def sideways(page: Page, width: int) -> int:
    """By how many pixels the page is wider than the window."""
    page.set_viewport_size({"width": width, "height": 900})
    by = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    page.set_viewport_size({"width": DESKTOP, "height": 900})
    return int(by)
