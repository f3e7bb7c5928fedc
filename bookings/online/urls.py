"""Addresses of the patient's pages; ``details`` and ``done`` are no slugs of services."""

from django.urls import path

from bookings.online import (
    answering,
    check_in,
    details,
    done,
    guardian,
    longer,
    move,
    recheck,
    skin,
    squeezed,
    times,
    visit,
)

booking_urls = [
    path("details/", details.details, name="details"),
    path("details/extend/", details.extend, name="extend"),
    path("details/release/", details.release, name="release"),
    path("done/", done.done, name="done"),
    path("done/email/", done.correct_email, name="correct_email"),
    path("done/message/", done.written, name="written"),
    path("done/clear/", done.clear, name="clear"),
    path("done/calendar.ics", done.calendar, name="calendar"),
    path("<slug:slug>/check/", skin.skin, name="skin"),
    path("<slug:slug>/hold/", times.hold, name="hold"),
    path("<slug:slug>/call/", times.call_me, name="call_me"),
    path("<slug:slug>/", times.times, name="times"),
]

visit_urls = [
    path("", visit.show, name="show"),
    path("move/", move.move, name="move"),
    path("cancel/", visit.cancel, name="cancel"),
    path("guardian/", answering.name, name="guardian"),
    path("recheck/", recheck.recheck, name="recheck"),
    path("squeezed/", squeezed.squeezed, name="squeezed"),
    path("squeezed/thanks/", squeezed.told, name="told"),
    path("longer/", longer.longer, name="longer"),
    path("ask/", longer.ask, name="ask"),
    path("consult/", longer.consult, name="consult"),
    path("check-in/", check_in.check_in, name="check_in"),
    path("worse/", check_in.worse, name="worse"),
    path("help/", visit.help_first, name="help"),
    path("calendar.ics", visit.calendar, name="calendar"),
    path("call/", visit.call_me, name="call_me"),
    path("<str:token>/", visit.open_link, name="open"),
]

guardian_urls = [
    path("", guardian.show, name="show"),
    path("agree/", guardian.agree, name="agree"),
    path("refuse/", guardian.refuse, name="refuse"),
    path("<str:token>/", guardian.open_link, name="open"),
]
