"""Signed links to one booking: a token in an e-mail opens that visit and no other.

A token carries the booking's ``link_version``; raising that number revokes every token mailed before.
"""

from django.core.signing import BadSignature, Signer

SALT = "bookings.links"


def make(booking_id: int, version: int) -> str:
    """A token for an address: short, without characters that mail programs break, signed with 256 bits."""
    return _signer().sign(f"{booking_id}.{version}")


def read(token: str) -> tuple[int, int] | None:
    """The booking's id and link version, or None for anything we did not sign."""
    if not token.isascii():
        return None
    try:
        booking_id, version = _signer().unsign(token).split(".")
    except BadSignature:
        return None
    return int(booking_id), int(version)


def _signer() -> Signer:
    # Made on each call: the key and its fallbacks are settings.
    return Signer(sep=".", salt=SALT)
