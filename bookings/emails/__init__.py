"""The e-mails: render one, then queue it in the caller's transaction.

Subjects, preheaders, calendar titles and file names never name the treatment. No e-mail shows an answer or a date of
birth.
"""

from bookings.emails.course import letter_of, skip, subject_of
from bookings.emails.letters import Letter, post, visit_link
from bookings.emails.no_show import missed
from bookings.emails.questions import open_questions, open_questions_draft
from bookings.emails.reviews import declined, guardian_request, in_review, pending, review_late, suspended
from bookings.emails.visits import (
    calendar_file,
    cancelled,
    changed,
    confirmation,
    confirmed,
    moved,
    notice,
    staff_notice,
)

__all__ = [
    "Letter",
    "calendar_file",
    "cancelled",
    "changed",
    "confirmation",
    "confirmed",
    "declined",
    "guardian_request",
    "in_review",
    "letter_of",
    "missed",
    "moved",
    "notice",
    "open_questions",
    "open_questions_draft",
    "pending",
    "post",
    "review_late",
    "skip",
    "staff_notice",
    "subject_of",
    "suspended",
    "visit_link",
]
