"""Filling ``{{clinic_phone}}`` and its kin, so that a text still makes sense when a number is not set."""

import re

from clinic import words
from clinic.models.places import Clinic

MARK = re.compile(r"\{\{\s*(\w+)\s*\}\}")
# Chosen to read well in every sentence of the content that uses them.
FALLBACKS = {
    "clinic_name": "the clinic",
    "clinic_phone": "phone the clinic",
    "emergency_number": "your local emergency number",
    "urgent_line": "your local urgent line or doctor",
    "earliest_date": "the date we give you",
    "booking_link": "our website",
    "reviewing_clinician": "name to follow",
    "review_date": "a date to follow",
    "reply_by": "the time we tell you",
}


def fill(text: str, clinic: Clinic, **known: str) -> str:
    """``text`` with every known placeholder replaced; one nobody knows stays, so that it is seen and mended."""
    # Most texts have none, and numbers take long to write out.
    if "{{" not in text:
        return text
    facts = {
        "clinic_name": clinic.name,
        "clinic_phone": words.phone(clinic.phone, clinic.country),
        "emergency_number": clinic.emergency_number,
        "urgent_line": words.phone(clinic.urgent_line, clinic.country),
        **known,
    }
    return MARK.sub(lambda mark: facts.get(mark[1]) or FALLBACKS.get(mark[1], mark[0]), text)
