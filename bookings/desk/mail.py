"""The outbox as staff see it: what was written to whom, and whether it went."""

import dataclasses
import re

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bookings import access, lifecycle
from bookings.desk import history
from bookings.desk.doors import changes_bookings, key_of, notices, rights, sees_mail, user_of
from bookings.desk.reading import read
from bookings.models import MailState, OutgoingEmail
from bookings.models.mail import KINDS
from clinic.models import Clinic

PAGE_SIZE = 50
LONGEST_SEARCH = 120
# The links by which patients and guardians come in. Behind them stands what they answered, so the mail page does
# not hand them on to those who may not read answers. (Calendar files fold long lines: the breaks are part of it.)
SIGNED_LINK = re.compile(r"(/(?:visit|guardian)/)[\w.:=-]{12,}(?:\r?\n [\w.:=-]+)*/?")


@dataclasses.dataclass(frozen=True)
class Asked:
    """What the list shows: one state, one kind, one search; the empty word stands for any."""

    state: str = ""
    kind: str = ""
    q: str = ""

    @property
    def query(self) -> str:
        """For a link that shows the same list."""
        return self._encoded(self.state)

    def _encoded(self, state: str) -> str:
        query = QueryDict(mutable=True)
        query.update({name: said for name, said in dataclasses.asdict(self).items() if said and name != "state"})
        if state:
            query["state"] = state
        return query.urlencode()

    def tabs(self, counts: dict[str, int]) -> list["Tab"]:
        """All, and each state that has any or is shown."""
        states = [("", "All", sum(counts.values()))]
        states += [(state, label, counts.get(state, 0)) for state, label in MailState.choices]
        return [
            Tab(label, count, self._encoded(state), is_current=state == self.state)
            for state, label, count in states
            if count or state in ("", self.state)
        ]


@dataclasses.dataclass(frozen=True)
class Tab:
    label: str
    count: int
    query: str
    is_current: bool


@never_cache
@require_safe
@sees_mail
def mail(request: HttpRequest) -> HttpResponse:
    """Newest first, by state, kind, reference, patient or address. What we do not know shows all."""
    now, asked = timezone.now(), _asked(request.GET)
    found = OutgoingEmail.objects.of_kind(asked.kind).about(asked.q)
    counts = found.counted_by_state()
    rows = found.in_state(asked.state).select_related("booking__patient").defer("text", "html", "calendar")
    paginator = Paginator(rows, PAGE_SIZE)
    paginator.count = counts.get(asked.state, 0) if asked.state else sum(counts.values())
    context = {
        "page": paginator.get_page(request.GET.get("page")),
        "asked": asked,
        "tabs": asked.tabs(counts),
        "kinds": KINDS.items(),
        "to_retry": OutgoingEmail.objects.worth_trying_again(now).count(),
        "zone": timezone.get_current_timezone(),
        "desk_notices": notices(now),
    }
    return render(request, "desk/mail.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@sees_mail
def message(request: HttpRequest, pk: int) -> HttpResponse:
    """One message as written. POST: send a failed one again, or write one anew that somebody lost.

    Its signed links, and why a clinician declined, are for those who may read answers.
    """
    email = get_object_or_404(OutgoingEmail.objects.select_related("booking__patient"), pk=pk)
    if request.method == "POST":
        return _send_again(request, email) if "seen" in request.POST else _try_again(request, email)
    now = timezone.now()
    if email.booking:
        read(request, email.booking, now=now)
    sees_answers = rights(request).answers
    are_links_shown = sees_answers or Clinic.objects.filter(is_demo=True).exists()
    text = email.text if sees_answers else _without_reason(email)
    context = {
        "email": email,
        "text": text if are_links_shown else _without_links(text),
        "is_reason_left_out": text != email.text,
        "calendar": email.calendar if are_links_shown else _without_links(email.calendar),
        "are_links_shown": are_links_shown,
        "is_tried_again": OutgoingEmail.objects.worth_trying_again(now).filter(pk=pk).exists(),
        "is_written_anew": email.is_written_anew(now),
        "newest": lifecycle.newest_like(email),
        "last_told": lifecycle.last_told(email.booking) if email.booking else 0,
        "zone": timezone.get_current_timezone(),
        "desk_notices": notices(now),
    }
    return render(request, "desk/message.html", context)


@never_cache
@require_POST
@sees_mail
@changes_bookings
def retry(request: HttpRequest) -> HttpResponse:
    """Have all that did not arrive tried again, such as after the mail server was away."""
    count = lifecycle.retry_failed(by=user_of(request), now=timezone.now())
    if count:
        messages.success(request, f"{count} message{'s wait' if count > 1 else ' waits'} to be sent again.")
    else:
        messages.info(request, "There was nothing left to send again.")
    return redirect("desk:mail")


def _asked(query: QueryDict) -> Asked:
    state, kind, search = (query.get(name, "") for name in ("state", "kind", "q"))
    return Asked(
        state=state if state in MailState.values else "",
        kind=kind if kind in KINDS else "",
        q=search.strip()[:LONGEST_SEARCH] if access.is_plain(search) else "",
    )


def _without_links(text: str) -> str:
    return SIGNED_LINK.sub(r"\1…", text)


def _without_reason(email: OutgoingEmail) -> str:
    """Why a clinician declined may tell an answer; the letter has it with lines broken anew."""
    reason = history.why_declined(email.booking) if email.kind == "declined" and email.booking else None
    if reason is None:
        return email.text
    words = r"\s+".join(map(re.escape, reason.split()))
    return re.sub(words, "…", email.text) if words else "…"


@changes_bookings
def _try_again(request: HttpRequest, email: OutgoingEmail) -> HttpResponse:
    if email.state == MailState.FAILED and lifecycle.retry_message(email, by=user_of(request), now=timezone.now()):
        messages.success(request, "The message waits to be sent again.")
    else:
        messages.info(request, "The message stays as it is: it is under way, or of no more use.")
    return redirect("desk:message", email.pk)


@changes_bookings
def _send_again(request: HttpRequest, email: OutgoingEmail) -> HttpResponse:
    """Written anew, since the link in the old one may open nothing any more."""
    seen = key_of(request.POST["seen"])
    again = lifecycle.send_again(email, seen=seen, by=user_of(request), now=timezone.now())
    if again:
        messages.success(request, "It is on its way again.")
    else:
        messages.info(request, "Nothing was sent: it is on its way already, or of no more use.")
    return redirect("desk:message", again.pk if again else email.pk)
