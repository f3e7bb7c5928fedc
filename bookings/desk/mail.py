"""The outbox as staff see it: what was written to whom, and whether it went."""

import re

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from bookings import outbox
from bookings.desk.doors import changes_bookings, notices, rights, sees_mail
from bookings.models import MailState, OutgoingEmail
from clinic.models import Clinic

PAGE_SIZE = 50
# The links by which patients and guardians come in. Behind them stands what they answered, so the mail page does
# not hand them on to those who may not read answers. (Calendar files fold long lines: the breaks are part of it.)
SIGNED_LINK = re.compile(r"(/(?:visit|guardian)/)[\w.:=-]{12,}(?:\r?\n [\w.:=-]+)*/?")


@never_cache
@require_safe
@sees_mail
def mail(request: HttpRequest) -> HttpResponse:
    """Newest first; ``state`` shows one state only. A state we do not know shows all."""
    state = request.GET.get("state", "")
    state = state if state in MailState.values else ""
    found = OutgoingEmail.objects.in_state(state).defer("text", "html", "calendar")
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "state": state,
        "states": MailState.choices,
        "zone": timezone.get_current_timezone(),
        "desk_notices": notices(timezone.now()),
    }
    return render(request, "desk/mail.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@sees_mail
def message(request: HttpRequest, pk: int) -> HttpResponse:
    """One message as written, its signed links only for those who may read answers. POST: send a failed one again."""
    email = get_object_or_404(OutgoingEmail.objects.select_related("booking__patient"), pk=pk)
    if request.method == "POST":
        return _try_again(request, email)
    are_links_shown = rights(request).answers or Clinic.objects.filter(is_demo=True).exists()
    context = {
        "email": email,
        "text": email.text if are_links_shown else _without_links(email.text),
        "calendar": email.calendar if are_links_shown else _without_links(email.calendar),
        "are_links_shown": are_links_shown,
        "zone": timezone.get_current_timezone(),
        "desk_notices": notices(timezone.now()),
    }
    return render(request, "desk/message.html", context)


def _without_links(text: str) -> str:
    return SIGNED_LINK.sub(r"\1…", text)


@changes_bookings
def _try_again(request: HttpRequest, email: OutgoingEmail) -> HttpResponse:
    if email.state == MailState.FAILED:
        outbox.retry(email, now=timezone.now())
        messages.success(request, "The message waits to be sent again.")
    return redirect("desk:message", email.pk)
