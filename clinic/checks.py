"""What ``check --deploy`` asks beyond Django's own questions."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks

PLAIN_ADDRESS = checks.Warning(
    "SITE_URL does not start with https://.",
    hint="The links in e-mails start with SITE_URL. Set it to the address patients see.",
    id="clinic.W001",
)


def site_url_is_public(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[checks.CheckMessage]:
    return [] if settings.SITE_URL.startswith("https://") else [PLAIN_ADDRESS]
