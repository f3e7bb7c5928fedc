"""Who may stand at the desk, and what every page of it says at the top."""

import datetime as dt

from django.conf import settings
from django.contrib.auth.decorators import permission_required

from bookings import outbox

# Signing in is asked for by the middleware; someone signed in without the right gets the 403 page.
sees_bookings = permission_required("bookings.view_booking", raise_exception=True)
changes_bookings = permission_required("bookings.change_booking", raise_exception=True)
sees_mail = permission_required("bookings.view_outgoingemail", raise_exception=True)
sees_tasks = permission_required("bookings.view_task", raise_exception=True)
does_tasks = permission_required("bookings.change_task", raise_exception=True)


def notices(now: dt.datetime) -> list[str]:
    """What keeps mail from patients, worst first; shown on each page of the desk."""
    if not settings.MAIL_IS_SENT:
        return ["Mail is not really sent. Every message is kept here, under Mail."]
    if outbox.is_worker_late(now):
        return ["The worker has not run for 5 minutes. Mail waits until it runs again."]
    return []
