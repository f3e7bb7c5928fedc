"""The states of a booking, and the sets of them that the rest of the code names."""

from django.db import models


class BookingState(models.TextChoices):
    HELD = "held", "Held"
    PENDING = "pending", "In review"
    CONFIRMED = "confirmed", "Confirmed"
    ARRIVED = "arrived", "Arrived"
    IN_ROOM = "in_room", "In room"
    COMPLETED = "completed", "Done"
    MISSED = "missed", "No-show"
    CANCELLED = "cancelled", "Cancelled"
    DECLINED = "declined", "Declined"
    SUSPENDED = "suspended", "Medical help first"


# Still to come: the patient may see, move or cancel it.
UPCOMING = frozenset({BookingState.PENDING, BookingState.CONFIRMED})
# Nobody has begun with it: staff may give it another time, even when the patient sits in the waiting room.
WAITED_FOR = UPCOMING | {BookingState.ARRIVED}
# The patient is here; nobody has closed the visit yet.
UNDER_WAY = frozenset({BookingState.ARRIVED, BookingState.IN_ROOM})
# Will never take place. A suspended visit is one of them: after a warning sign a person books anew, when well.
CALLED_OFF = frozenset({BookingState.CANCELLED, BookingState.DECLINED, BookingState.SUSPENDED})
# Each of these owns its claims; a finished visit keeps them, for the room's clean-up and its history.
WITH_CLAIMS = frozenset(BookingState) - CALLED_OFF
# On the desk's day.
VISITS = WITH_CLAIMS - {BookingState.HELD}


class Outcome(models.TextChoices):
    """How a visit was closed. Aftercare, and the wait before the next extraction, start from ``treated`` alone."""

    TREATED = "treated", "Treated"
    NOT_TREATED = "not_treated", "Not treated"
    REFERRED = "referred", "Referred to a doctor"
