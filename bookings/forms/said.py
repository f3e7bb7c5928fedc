"""What a details form says, as the verbs want it."""

from collections.abc import Sequence

from bookings import lifecycle
from bookings.forms.details import DetailsForm
from bookings.forms.fields import FOR_ME
from bookings.lifecycle.guidance import GUIDANCE_WORDS, NOT_SQUEEZING, PRIVACY_VERSION, PRIVACY_WORDS, versions_of
from bookings.models import ConsentKind
from clinic.guidance import Advice
from clinic.models import Moment


def details_of(form: DetailsForm, advice: Sequence[Advice]) -> lifecycle.Details:
    """From a valid form; ``advice`` is what stood beside it, of which the part on not squeezing was ticked as read."""
    said, guardian = form.cleaned_data, form.guardian
    read = versions_of([each for each in advice if each.topic == NOT_SQUEEZING])
    return lifecycle.Details(
        name=said["name"],
        email=said["email"],
        phone=said["phone"],
        date_of_birth=said["date_of_birth"],
        is_for_someone_else=said["for_whom"] != FOR_ME,
        wishes=said["wishes"],
        event_on=said.get("event_date"),
        guardian=lifecycle.GuardianDetails(**guardian) if guardian else None,
        consents=(
            (ConsentKind.GUIDANCE_READ, read, GUIDANCE_WORDS),
            (ConsentKind.PRIVACY, PRIVACY_VERSION, PRIVACY_WORDS),
        ),
        shown=tuple((Moment.BOOKING.value, each.code, each.version) for each in advice),
    )
