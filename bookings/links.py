"""Signed links to one booking: a token in an e-mail opens that visit and no other.

A token carries the booking's ``link_version``; raising that number revokes every token mailed before.
"""

from django.core.signing import BadSignature, Signer

SALT = "bookings.links"
GUARDIAN_SALT = "bookings.links.guardian"


def make(booking_id: int, version: int) -> str:
    """A token for an address: short, without characters that mail programs break, signed with 256 bits."""
    return _make(SALT, booking_id, version)


def read(token: str) -> tuple[int, int] | None:
    """The booking's id and link version, or None for anything we did not sign."""
    return _read(SALT, token)


def make_guardian(guardian_id: int, version: int) -> str:
    """The same for a parent or guardian; it opens nothing but the page on which they agree."""
    return _make(GUARDIAN_SALT, guardian_id, version)


def read_guardian(token: str) -> tuple[int, int] | None:
    """The guardian's id and link version, or None for anything we did not sign."""
    return _read(GUARDIAN_SALT, token)


def _make(salt: str, row_id: int, version: int) -> str:
    return _signer(salt).sign(f"{row_id}.{version}")


def _read(salt: str, token: str) -> tuple[int, int] | None:
    if not token.isascii():
        return None
    try:
        row_id, version = _signer(salt).unsign(token).split(".")
    except BadSignature:
        return None
    return int(row_id), int(version)


def _signer(salt: str) -> Signer:
    # Made on each call: the key and its fallbacks are settings.
    return Signer(sep=".", salt=salt)
