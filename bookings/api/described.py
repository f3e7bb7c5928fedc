"""JSON out: services, questions, and what is held or booked."""

from typing import Any

from bookings.forms.questions import EXTRACTION_WHEN
from bookings.models import Booking, BookingState
from clinic import guidance, words
from clinic.guidance import Advice
from clinic.models import History, Service
from clinic.screening import Answer, Asked

HISTORY = {
    History.GAP: [("last_extraction", "answer"), ("last_extraction_date", "date")],
    History.NEEDS: [("had_consultation", "boolean")],
}


def service(found: Service, currency: str) -> dict[str, Any]:
    return {
        "id": found.pk,
        "slug": found.slug,
        "name": found.name,
        "minutes": found.minutes,
        "price": {"kind": found.price_kind, "amount": str(found.price), "currency": currency},
    }


def question(asked: Asked) -> dict[str, Any]:
    """All that a program needs to ask it in the clinic's own words."""
    parts = [
        {"code": part.code, "version": part.version, "text": part.text, "asks_date": part.asks_date}
        for part in asked.parts
    ]
    return {
        "code": asked.code,
        "version": asked.version,
        "stage": asked.stage,
        "lead": asked.lead,
        "answers": [answer.value for answer in Answer],
        "parts": parts,
        "takes_parts": asked.is_tick_list,
        "date_label": asked.date_label if asked.asks_date else None,
        "date_may_be_ahead": asked.may_be_ahead,
        "advice": asked.advice,
        "is_private": asked.is_private,
        "is_signed": asked.is_signed,
    }


def history(kind: str, words: str) -> list[dict[str, str]]:
    """An answer is yes, no or unsure; the date belongs to a yes."""
    return [
        {"field": field, "question": f"{words} {EXTRACTION_WHEN}" if answer == "date" else words, "answer": answer}
        for field, answer in HISTORY[History(kind)]
    ]


def advice(item: Advice) -> dict[str, Any]:
    return {
        "code": item.code,
        "version": item.version,
        "topic": item.topic,
        "text": item.plain,
        "is_signed": item.is_signed,
    }


def visit(booking: Booking) -> dict[str, Any]:
    """Where, when and with whom, by the wall clock of the place."""
    zone = booking.location.zone
    return {
        "service": booking.service.slug,
        "location": booking.location.slug,
        "practitioner": booking.practitioner.slug,
        "time_zone": booking.location.time_zone,
        "start": booking.starts_at.astimezone(zone).isoformat(),
        "end": booking.ends_at.astimezone(zone).isoformat(),
    }


def held(booking: Booking, token: str) -> dict[str, Any]:
    assert booking.expires_at, "a hold has an expiry"
    return {
        "hold": token,
        "expires_at": booking.expires_at.astimezone(booking.location.zone).isoformat(),
        **visit(booking),
    }


def booked(booking: Booking) -> dict[str, Any]:
    """``reply_by`` stands there while a clinician has to look first, ``redness`` where an event comes too soon."""
    clock = {"reply_by": booking.reply_by.astimezone(booking.location.zone).isoformat()} if booking.reply_by else {}
    state = BookingState(booking.state).value
    return {"reference": booking.reference, "state": state, **clock, **_redness(booking), **visit(booking)}


def _redness(booking: Booking) -> dict[str, str]:
    """A sentence for the patient."""
    if booking.event_on is None or not booking.spoils_event:
        return {}
    item = guidance.redness(booking.location.clinic)
    told = f"Redness could still show on {words.day(booking.event_on)}."
    return {"redness": f"{told} {item.plain}" if item else told}
