"""A held time that is not safe for whoever comes: why, which times are, and who may bend it."""

import dataclasses

from bookings import availability, eligibility, lifecycle
from bookings.desk import findings
from bookings.desk.acting import status_of
from bookings.desk.booking_in import finding
from bookings.desk.booking_in.finding import Free, Wish
from bookings.desk.booking_in.taking import Taking
from bookings.desk.doors import rights
from bookings.eligibility import Outlook, Said
from clinic.models import Service


@dataclasses.dataclass(frozen=True)
class Refusal:
    """Why it is not booked, which times would do, and whether a reason of this person's may bend it.

    ``service`` is what the times are for, where that is a skin check in the visit's place.
    """

    sentence: str
    status: int
    times: list[Free]
    service: Service | None = None
    may_bend: bool = False


def early(taking: Taking) -> Refusal | None:
    """What earlier visits of somebody who is known say of this time, before anything is asked."""
    if taking.known is None:
        return None
    said = Said(born=taking.known.date_of_birth, patient=taking.known)
    outlook = _outlook(taking, said)
    stands = lifecycle.problem(outlook, taking.booking.practitioner.code, taking.booking.starts_at)
    return _refusal(taking, outlook, stands) if stands else None


def refused_after(taking: Taking, said: Said, refused: lifecycle.Refused) -> Refusal:
    """After what was ``said``."""
    return _refusal(taking, _outlook(taking, said), refused)


def taken(taking: Taking, said: Said, refused: lifecycle.Refused) -> Refusal:
    """The time cannot be held: the closest that can, for all that was ``said``."""
    return Refusal(str(refused), status_of(refused), _safe_times(taking, _outlook(taking, said)))


def _refusal(taking: Taking, outlook: Outlook, refused: lifecycle.Refused) -> Refusal:
    booking, may = taking.booking, rights(taking.request)
    is_consult = isinstance(refused, lifecycle.ConsultOnly)
    skin_check = lifecycle.consult_for(booking, taking.now) if is_consult else None
    return Refusal(
        sentence=findings.sentence(refused, outlook, sees_answers=may.answers),
        status=status_of(refused),
        times=_times_of(taking, skin_check, outlook.said) if is_consult else _safe_times(taking, outlook),
        service=skin_check,
        may_bend=lifecycle.may_bend(outlook, booking.practitioner.code, booking.starts_at, decides=may.decide),
    )


def _outlook(taking: Taking, said: Said, service: Service | None = None) -> Outlook:
    booking = taking.booking
    return eligibility.outlook(
        service=service or booking.service,
        location=booking.location,
        clinic=booking.location.clinic,
        said=said,
        book=taking.book,
        now=taking.now,
    )


def _safe_times(taking: Taking, outlook: Outlook) -> list[Free]:
    """The closest to what was wanted."""
    booking = taking.booking
    who = None if booking.asked_for_any else booking.practitioner
    wish = Wish(booking.service, booking.location, who)
    asked: availability.Asked = wish.asked(taking.now) | {"ignoring": booking, "opens_at": outlook.opens_at}
    return finding.instead(booking.starts_at, asked)


def _times_of(taking: Taking, skin_check: Service | None, said: Said) -> list[Free]:
    """The closest times for a skin check, with anyone. Of a minor a clinician looks at the answers even then."""
    if skin_check is None:
        return []
    asked: availability.Asked = Wish(skin_check, taking.booking.location).asked(taking.now) | {
        "ignoring": taking.booking,
        "opens_at": _outlook(taking, said, skin_check).opens_at,
    }
    return finding.instead(taking.booking.starts_at, asked, service=skin_check)
