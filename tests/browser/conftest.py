"""A real browser on a real server with a small clinic. Uses the Chromium it finds, or the one that CHROMIUM names."""

import os
import shutil
from collections.abc import Callable, Iterator

import pytest
import time_machine
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.looking import Watched
from tests.desk import MONDAY
from tests.factories import World, load_signed_content, local

# Milliseconds that a page may take on a slow and shared machine; nothing is judged by its time.
PATIENCE = 20_000
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if not found:
        pytest.skip("browser tests: no Chromium found; install it, or name one by the variable CHROMIUM")
    # Playwright's own loop runs in this thread, and Django would refuse the database beside it.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Monday, 9am, and going on from there; before the world is made. No test depends on the day on which it runs."""
    with time_machine.travel(local(MONDAY, 9), tick=True) as traveller:
        yield traveller


@pytest.fixture
def world(clock: time_machine.Traveller, transactional_db: None) -> World:
    load_signed_content(timezone.now())
    return World(practitioners=2, rooms=2, cut_off_minutes=60)


@pytest.fixture
def open_page(chromium, live_server, world) -> Iterator[Callable[..., Page]]:
    """Opens a page of the running clinic; afterwards no page may have complained on its console."""
    watched: list[Watched] = []

    def open_it(path: str = "/", *, javascript: bool = True, width: int = 1280) -> Page:
        context = chromium.new_context(
            base_url=live_server.url, java_script_enabled=javascript, viewport={"width": width, "height": 900}
        )
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        watched.append(Watched(page))
        page.goto(path)
        return page

    yield open_it
    complaints = [complaint for each in watched for complaint in each.complaints]
    for each in watched:
        each.page.context.close()
    assert complaints == []
