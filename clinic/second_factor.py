"""The second step of signing in: a code from a phone, or one of ten spare codes.

Each code opens the door once. A phone's secret is shown while it is set up and never again; of spare codes only keyed
hashes are kept. Counting wrong codes is up to whoever asks for them.
"""

import base64
import secrets
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest
from django.utils.crypto import salted_hmac
from django_otp import DEVICE_ID_SESSION_KEY, login, verify_token
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice
from django_otp.util import random_hex

SPARE_CODES = 10
SPARE_BYTES = 6
STORED_LENGTH = 16
PHONE, SPARE = "phone", "spare codes"


class WrongCode(Exception):
    """The phone shows another code."""


class IsOn(Exception):
    """It was turned on meanwhile."""


def is_on(user: User) -> bool:
    return bool(_phones(user).exists())


def new_secret() -> str:
    """For a phone that is being set up, as hexadecimal digits."""
    return str(random_hex(20))


def readable(secret: str) -> str:
    """As a person types it into the phone: base 32, four letters at a time."""
    letters = base64.b32encode(bytes.fromhex(secret)).decode()
    return " ".join(letters[at : at + 4] for at in range(0, len(letters), 4))


def turn_on(user: User, *, secret: str, code: str) -> list[str]:
    """Once the phone has shown a right code; returns the spare codes, which nobody can read again later."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        if is_on(user):
            raise IsOn
        phone = TOTPDevice.objects.create(user=user, name=PHONE, key=secret)
        if not phone.verify_token(code):
            raise WrongCode
        return renew_spare_codes(user)


def turn_off(user: User) -> bool:
    """Whether it was on."""
    with transaction.atomic():
        StaticDevice.objects.filter(user=user).delete()
        return bool(_phones(user).delete()[0])


def renew_spare_codes(user: User) -> list[str]:
    """Ten new ones; those from before open nothing any more."""
    codes = [_spare_code() for _ in range(SPARE_CODES)]
    with transaction.atomic():
        StaticDevice.objects.filter(user=user).delete()
        device = StaticDevice.objects.create(user=user, name=SPARE)
        StaticToken.objects.bulk_create(StaticToken(device=device, token=_stored(code)) for code in codes)
    return codes


def spare_codes_left(user: User) -> int:
    return int(StaticToken.objects.filter(device__user=user).count())


def accepts(user: User, typed: str) -> bool:
    """Whether ``typed`` is the phone's code of now or a spare code. A right one is used up by this."""
    code = "".join(typed.split()).replace("-", "").lower()
    is_from_phone = code.isascii() and code.isdigit()
    devices = _phones(user) if is_from_phone else StaticDevice.objects.filter(user=user, confirmed=True)
    device = devices.first()
    return bool(device and verify_token(user, device.persistent_id, code if is_from_phone else _stored(code)))


def mark(request: HttpRequest, user: User) -> None:
    """This session has passed the second step."""
    login(request, _phones(user).get())


def has_passed(request: HttpRequest, user: User) -> bool:
    """Whether this session passed it with the phone that is set up now."""
    named = request.session.get(DEVICE_ID_SESSION_KEY)
    return bool(named) and named in {phone.persistent_id for phone in _phones(user)}


def _phones(user: User) -> Any:
    return TOTPDevice.objects.filter(user=user, confirmed=True)


def _spare_code() -> str:
    letters = base64.b32encode(secrets.token_bytes(SPARE_BYTES)).decode().rstrip("=").lower()
    return f"{letters[:5]}-{letters[5:]}"


def _stored(code: str) -> str:
    return salted_hmac("clinic.second_factor", code.replace("-", ""), algorithm="sha256").hexdigest()[:STORED_LENGTH]
