"""What every test may rely on."""

import pytest
from django.conf import settings as django_settings
from django.core.cache import cache
from hypothesis import HealthCheck, settings

# Content, looks, mail over the wire and pure functions are the same on any database.
ANY_DATABASE = {
    "test_api_questions",
    "test_claims_of_the_seed",
    "test_content",
    "test_desk_phrases",
    "test_forms",
    "test_guidance",
    "test_ical",
    "test_intervals",
    "test_links",
    "test_public_pages",
    "test_screening",
    "test_screening_cases",
    "test_screening_properties",
    "test_smtp",
    "test_templatetags",
    "test_theme",
}
# Pages run beside one of the two: PostgreSQL is the stricter, it refuses texts that are too long.
PAGES = {
    "test_admin",
    "test_admin_content",
    "test_admin_packs",
    "test_admin_set_up",
    "test_admin_sign_off",
    "test_answers_kept",
    "test_answers_stay_private",
    "test_asked_again",
    "test_asked_alone",
    "test_bad_input",
    "test_check_in",
    "test_commands",
    "test_course_letters",
    "test_course_moments",
    "test_demo_bar",
    "test_desk",
    "test_desk_absences",
    "test_desk_answers",
    "test_desk_attending",
    "test_desk_board",
    "test_desk_book",
    "test_desk_changes",
    "test_desk_finder",
    "test_desk_flags",
    "test_desk_log",
    "test_desk_messages",
    "test_desk_moving",
    "test_desk_outbox",
    "test_desk_patients",
    "test_desk_placing",
    "test_desk_reports",
    "test_desk_review",
    "test_desk_roles",
    "test_desk_tasks",
    "test_desk_visit",
    "test_desk_who_comes",
    "test_emails",
    "test_event_guard",
    "test_for_whom",
    "test_guardian_pages",
    "test_healed",
    "test_idle",
    "test_last_extraction",
    "test_least_privilege",
    "test_online_booking",
    "test_online_refusals",
    "test_online_screening",
    "test_password",
    "test_public_screening",
    "test_readiness",
    "test_reads_are_logged",
    "test_recheck",
    "test_role_table",
    "test_rules_screen",
    "test_second_factor",
    "test_sign_in",
    "test_skin_check",
    "test_spots",
    "test_squeezed_visit",
    "test_support_offered",
    "test_visit_choices",
    "test_visit_pages",
    "test_waits_by_grade",
}
# Pages, and tests with a browser, are shared out so that both workers end at about the same time.
BROWSER_BESIDE_POSTGRESQL = {"test_all_pages"}
BESIDE_SQLITE = {
    "test_admin",
    "test_admin_content",
    "test_admin_packs",
    "test_admin_set_up",
    "test_admin_sign_off",
    "test_answers_kept",
    "test_commands",
    "test_course_letters",
    "test_course_moments",
    "test_demo_bar",
    "test_desk_absences",
    "test_desk_messages",
    "test_desk_patients",
    "test_desk_placing",
    "test_desk_visit",
    "test_desk_who_comes",
    "test_emails",
    "test_event_guard",
    "test_idle",
    "test_password",
    "test_readiness",
    "test_role_table",
    "test_rules_screen",
    "test_second_factor",
    "test_sign_in",
    "test_spots",
    "test_the_desk",
    "test_the_guidance_pages",
}

# The machine may be slow and shared; an example is judged by its answer, never by its time.
settings.register_profile(
    "tests", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
settings.load_profile("tests")


@pytest.fixture(autouse=True)
def _visits_to_move_were_counted() -> None:
    """Less than a minute ago, as for most pages, and there are none. ``counted.forget()`` has them counted anew."""
    cache.set("visits-to-move", frozenset(), None)


def pytest_configure() -> None:
    """Hundreds of tests sign somebody in with a client of their own: neither a password nor a client costs anything."""
    # Each client starts the middleware anew; files are looked for when they are asked for.
    django_settings.WHITENOISE_AUTOREFRESH = True
    django_settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.hookimpl(tryfirst=True)
def pytest_itemcollected(item: pytest.Item) -> None:
    name, is_browser = item.path.stem, "browser" in item.path.parts
    if name in PAGES | BROWSER_BESIDE_POSTGRESQL and not {name, item.name} & BESIDE_SQLITE:
        item.add_marker(pytest.mark.long_way)
    if name in ANY_DATABASE | PAGES or is_browser:
        item.add_marker(pytest.mark.one_database)
