"""What every test may rely on."""

import pytest
from django.conf import settings as django_settings
from hypothesis import HealthCheck, settings

# Content, looks, mail over the wire and pure functions are the same on any database.
ANY_DATABASE = {
    "test_api_questions",
    "test_claims_of_the_seed",
    "test_content",
    "test_forms",
    "test_guidance",
    "test_ical",
    "test_intervals",
    "test_links",
    "test_public_pages",
    "test_screening",
    "test_smtp",
    "test_templatetags",
    "test_theme",
}

# The browser's longest tests, so that both workers end at about the same time.
BESIDE_SQLITE = {"test_the_guidance_pages", "test_the_desk"}

# The machine may be slow and shared; an example is judged by its answer, never by its time.
settings.register_profile(
    "tests", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
settings.load_profile("tests")


def pytest_configure() -> None:
    """Hundreds of tests sign somebody in: a password costs nothing here."""
    django_settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.hookimpl(tryfirst=True)
def pytest_itemcollected(item: pytest.Item) -> None:
    if "browser" in item.path.parts and item.name not in BESIDE_SQLITE:
        item.add_marker(pytest.mark.long_way)
    if item.path.stem in ANY_DATABASE or "browser" in item.path.parts:
        item.add_marker(pytest.mark.one_database)
