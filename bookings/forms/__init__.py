"""Parse and validate what people type. Forms parse; the verbs decide."""

from bookings.forms.course import CheckInForm, HealedForm, RecheckForm, SqueezedForm, squeezed_questions
from bookings.forms.details import DetailsForm
from bookings.forms.fields import suggested_email
from bookings.forms.questions import QuestionsForm, SkinForm, initial_of, name_of
from bookings.forms.small import AddressForm, CallMeForm, CancelForm
from bookings.lifecycle.guidance import GUIDANCE_WORDS, PRIVACY_WORDS

__all__ = [
    "GUIDANCE_WORDS",
    "PRIVACY_WORDS",
    "AddressForm",
    "CallMeForm",
    "CancelForm",
    "CheckInForm",
    "DetailsForm",
    "HealedForm",
    "QuestionsForm",
    "RecheckForm",
    "SkinForm",
    "SqueezedForm",
    "initial_of",
    "name_of",
    "squeezed_questions",
    "suggested_email",
]
