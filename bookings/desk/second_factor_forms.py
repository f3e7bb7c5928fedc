"""What staff type about their second step: a code, or their password."""

from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.core import signing

from bookings.desk.forms import post_form
from clinic import second_factor

SEAL = "bookings.second_factor"
SEAL_LASTS = 60 * 60
WRONG_CODE = "That code is not right. Codes change every 30 seconds, and each can be used once."
CODE = {
    "autocomplete": "one-time-code",
    "autocapitalize": "none",
    "spellcheck": "false",
    "inputmode": "numeric",
    "autofocus": True,
}


class CodeForm(forms.Form):
    """The code that opens the door: from the phone, or a spare one."""

    code = forms.CharField(
        label="Code",
        max_length=40,
        help_text="Six digits from the app on your phone, or one of your spare codes.",
        widget=forms.TextInput(attrs={**CODE, "inputmode": "text"}),
        error_messages={"required": "Enter the code from your phone"},
    )

    helper = post_form("Sign in", "code")


class SetUpForm(forms.Form):
    """The secret travels with the page, signed for one person: nothing is stored until the phone shows a right code."""

    secret = forms.CharField(widget=forms.HiddenInput)
    code = forms.CharField(
        label="Code from the app",
        max_length=20,
        help_text="Six digits.",
        widget=forms.TextInput(attrs={**CODE, "autofocus": False}),
        error_messages={"required": "Enter the six digits that the app shows"},
    )

    helper = post_form("Turn on", "secret", "code")

    def clean_code(self) -> str:
        code = "".join(self.cleaned_data["code"].split())
        if not (code.isascii() and code.isdigit()):
            raise forms.ValidationError("The code has six digits.")
        return code


class PasswordForm(forms.Form):
    """Whoever sits at an open desk is not yet its owner."""

    password = forms.CharField(
        label="Your password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        error_messages={"required": "Enter your password"},
    )

    def __init__(self, *args: Any, button: str, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.helper = post_form(button, "password")

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        if not self.user.check_password(password):
            raise forms.ValidationError("That is not your password.")
        return password


def sealed(user: User) -> str:
    """A new secret for this person's phone."""
    return signing.dumps([user.pk, second_factor.new_secret()], salt=SEAL)


def unsealed(user: User, text: str) -> str | None:
    """The secret, if we made it for this person within the hour."""
    try:
        owner, secret = signing.loads(text, salt=SEAL, max_age=SEAL_LASTS)
    except signing.BadSignature:
        return None
    return str(secret) if owner == user.pk else None
