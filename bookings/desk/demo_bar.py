"""In a demo clinic anyone may look around as anyone: one click, no password."""

from django.contrib.auth import login, logout
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from clinic.models import Clinic

# The role a visitor picks, and the demo's user who has it.
USERS = {
    "receptionist": "reception",
    "practitioner": "practitioner",
    "clinician": "clinician",
    "manager": "manager",
}


@require_POST
@login_not_required
def demo_role(request: HttpRequest) -> HttpResponse:
    """Become the role that was posted. A real clinic has no such address."""
    if not Clinic.objects.filter(is_demo=True).exists():
        raise Http404
    role = request.POST.get("role", "")
    if role == "patient":
        logout(request)
        return redirect("home")
    user = get_object_or_404(User, username=USERS.get(role, ""), is_active=True)
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    return redirect("desk:day")
