"""Each person's own password, changed by whoever knows the one it has now."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.password_validation import password_validators_help_texts
from django.contrib.auth.views import PasswordChangeView
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse_lazy
from django.utils import timezone
from django.views.decorators.cache import never_cache

from bookings.desk.doors import user_of
from bookings.desk.forms import post_form
from bookings.desk.second_factor import is_demo, may_try, too_many, was_right
from clinic import audit

NAMED = {
    "old_password": ("Your password now", "Enter the password you have now"),
    "new_password1": ("New password", "Enter a new password"),
    "new_password2": ("New password, once more", "Enter the new password once more"),
}


class NewPasswordForm(PasswordChangeForm):
    error_messages = {
        "password_incorrect": "That is not your password.",
        "password_mismatch": "The new passwords differ. Type the same one twice.",
    }

    helper = post_form("Change your password", *NAMED)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, (label, missing) in NAMED.items():
            field = self.fields[name]
            field.label, field.help_text, field.error_messages["required"] = label, "", missing
        self.fields["new_password1"].help_text = " ".join(password_validators_help_texts())


class ChangePassword(PasswordChangeView):
    """Every other session of theirs ends. Wrong passwords are counted like wrong codes."""

    template_name = "desk/password.html"
    form_class = NewPasswordForm
    success_url = reverse_lazy("two_factor")

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if is_demo(request):
            return self.get(request)
        if not may_try(user_of(request), timezone.now()):
            return too_many(request)
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: PasswordChangeForm) -> HttpResponse:
        now, user = timezone.now(), user_of(self.request)
        with transaction.atomic():
            answer = super().form_valid(form)
            audit.record("password changed", user, by=user, now=now)
        was_right(user, now)
        messages.success(self.request, "Your password is changed. Everywhere else you are signed out.")
        return answer

    def form_invalid(self, form: PasswordChangeForm) -> HttpResponse:
        if "old_password" not in form.errors:
            was_right(user_of(self.request), timezone.now())
        return self.render_to_response(self.get_context_data(form=form), status=422)

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        found = super().get_context_data(**context)
        return {**found, "is_demo": is_demo(self.request), "has_errors": bool(found["form"].errors)}


change_password = never_cache(ChangePassword.as_view())
