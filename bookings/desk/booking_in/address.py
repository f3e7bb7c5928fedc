"""An e-mail address that looks like a slip: asked about while it is typed, and never in the way."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from bookings.desk.doors import books, sees_patients
from bookings.forms import suggested_email


@never_cache
@require_safe
@books
@sees_patients
def likelier_address(request: HttpRequest) -> HttpResponse:
    """A part of a page; without JavaScript the page after booking asks the same."""
    likelier = suggested_email(request.GET.get("email", ""))
    return render(request, "desk/likelier_address.html", {"likelier": likelier})
