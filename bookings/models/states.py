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


# Still to come: the patient may see, move or cancel it.
UPCOMING = frozenset({BookingState.PENDING, BookingState.CONFIRMED})
# Each of these owns its claims; a finished visit keeps them, for the room's clean-up and its history.
WITH_CLAIMS = frozenset(BookingState) - {BookingState.CANCELLED, BookingState.DECLINED}
# On the desk's day.
VISITS = WITH_CLAIMS - {BookingState.HELD}
