"""The WSGI entry point: ``gunicorn clinic.wsgi``."""

import os

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")

if not (settings.SECRET_KEY_IS_SET or settings.DEBUG):
    raise ImproperlyConfigured(
        "SECRET_KEY is not set. Make one with "
        "`python -c 'import secrets; print(secrets.token_urlsafe(50))'` and keep it in the environment."
    )

application = get_wsgi_application()
