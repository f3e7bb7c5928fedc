"""Who may open what: reads ``tests/data/roles.csv`` and walks every address of the project as every role.

A row is an address, the methods that its view takes, and a word for each role:

- ``open``: the view answers. Patients' pages are open to all, and show a visit only to its own link or session.
- ``own``: open for the visits of one's own, and not found for those of others.
- ``closed``: refused, or not found.
- ``sign-in``: asks who you are first.
- ``key``: for programs, with an API key.

A new address: run ``tests/test_role_table.py``. It says which row is missing, with what each role is answered today.
Read that row as a manager would, and add it to the file, which is sorted. If the address has a new kind of argument,
add a line to ARGUMENTS; if it answers an empty POST with "not found", one to SENT.
"""

import csv
import dataclasses
import functools
import re
from collections.abc import Callable, Iterator
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from bookings.models import ApiKey, Booking, Guardian, OutgoingEmail, Patient, PatientMerge, Payment, Task, TaskKind
from clinic.models import Absence, AuditEvent, Practitioner, Review, Revision, Topic
from tests.desk import DIABETES, MONDAY, book_with, someone
from tests.factories import NOW, local, make_equipment, make_service, make_staff
from tests.online import make_world

FILE = Path(__file__).parent / "data" / "roles.csv"
ROLES = ("anonymous", "reception", "practitioner", "clinician", "manager", "superuser")
MAY_ENTER_THE_ADMIN = {"clinician", "manager"}
METHODS = ("GET", "POST")
WORDS = {"open", "own", "closed", "sign-in", "key"}
DOORS = ("/accounts/login/?", "/admin/login/?")
ARGUMENT = re.compile(r"<(?:\w+:)?(\w+)>")


@dataclasses.dataclass(frozen=True)
class Line:
    """One row of the file."""

    address: str
    methods: tuple[str, ...]
    words: dict[str, str]

    def __str__(self) -> str:
        return ",".join([self.address, " ".join(self.methods), *self.words.values()])


@dataclasses.dataclass(frozen=True)
class Rows:
    """One of each thing that an address may name. What belongs to a visit belongs to ``booking``."""

    booking: Booking
    payment: Payment
    task: Task
    mail: OutgoingEmail
    merge: PatientMerge
    other_patient_id: int


# How an argument is filled: where the address begins, the argument's name, and its value. The first that fits counts.
ARGUMENTS: list[tuple[str, str, Callable[[Rows], object]]] = [
    ("/desk/bookings/<str:reference>/payments/", "pk", lambda rows: rows.payment.pk),
    ("/desk/mail/", "pk", lambda rows: rows.mail.pk),
    ("/desk/tasks/", "pk", lambda rows: rows.task.pk),
    ("/desk/patients/", "pk", lambda rows: rows.booking.patient_id),
    ("/desk/patients/", "other_pk", lambda rows: rows.other_patient_id),
    ("/desk/patients/", "merge_pk", lambda rows: rows.merge.pk),
    ("/desk/absences/", "pk", lambda rows: Absence.objects.all()[0].pk),
    ("/desk/people/", "slug", lambda rows: rows.booking.practitioner.slug),
    ("/desk/holidays/", "slug", lambda rows: "main"),
    ("/desk/reports/", "slug", lambda rows: "utilisation"),
    ("/desk/messages/", "kind", lambda rows: "confirmed"),
    ("/desk/", "reference", lambda rows: rows.booking.reference),
    ("/guidance/", "code", lambda rows: Topic.objects.all()[0].code),
    ("/", "code", lambda rows: "nobody"),
    ("/", "slug", lambda rows: "nose"),
    ("/", "token", lambda rows: "nobody"),
    ("/admin/", "content_type_id", lambda rows: 1),
    ("/admin/", "app_label", lambda rows: "clinic"),
    ("/admin/", "url", lambda rows: "nowhere"),
    ("/admin/", "id", lambda rows: User.objects.get(username="reception-1").pk),
    ("/admin/auth/user/", "object_id", lambda rows: User.objects.get(username="reception-1").pk),
]
# What a POST must say to be more than an address that nobody has.
SENT: dict[str, dict[str, str]] = {
    "/desk/absences/ill/": {"who": "maya"},
    "/desk/holidays/<slug:slug>/": {"close": "2026-12-25"},
}


def lines() -> list[Line]:
    with FILE.open(newline="") as file:
        return [
            Line(row["address"], tuple(row["methods"].split()), {role: row[role] for role in ROLES})
            for row in csv.DictReader(file)
        ]


def word_of(address: str, method: str, role: str) -> str:
    """What the table says; "" for a method that the view does not take."""
    return next((line.words[role] for line in lines() if line.address == address and method in line.methods), "")


@functools.cache
def patterns() -> dict[str, URLPattern]:
    """Every address that the project answers, as its pattern is written."""
    return dict(_patterns(get_resolver(), "/"))


def _patterns(resolver: URLResolver, before: str) -> Iterator[tuple[str, URLPattern]]:
    for pattern in resolver.url_patterns:
        route = before + re.sub(r"\(\?P(<\w+>)[^)]*\)|[\^$]", r"\1", str(pattern.pattern)).replace("\\Z", "")
        if isinstance(pattern, URLResolver):
            yield from _patterns(pattern, route)
        else:
            yield route, pattern


def is_open_to_all(address: str) -> bool:
    """Whether the view says that nobody is asked to sign in."""
    return not getattr(patterns()[address].callback, "login_required", True)


def filled(address: str, rows: Rows) -> str:
    """The address with something in each of its places."""
    return ARGUMENT.sub(lambda found: str(_argument(address, found[1], rows)), address)


def _argument(address: str, name: str, rows: Rows) -> object:
    for before, argument, value in ARGUMENTS:
        if argument == name and address.startswith(before):
            return value(rows)
    if name == "object_id":
        return _admin_row(address)
    raise AssertionError(f"Say in ARGUMENTS of tests/role_table.py how <{name}> in {address} is filled.")


def _admin_row(address: str) -> object:
    """The first row of the model that the admin's address names; of nothing else there is one to view on the site."""
    _, _, app, model, *_ = address.split("/")
    for registered in admin.site._registry:
        if (registered._meta.app_label, registered._meta.model_name) == (app, model):
            return registered._default_manager.order_by("pk")[0].pk
    return 1


class Walk:
    """A small clinic, and somebody signed in for each role."""

    def __init__(self) -> None:
        world = make_world(practitioners=2, rooms=2)
        self.own, self.other = (
            self._rows(book_with(world, local(MONDAY, 10), DIABETES, practitioner=each, name=f"Robin {each.name}"))
            for each in world.practitioners
        )
        make_service(slug="face", name="Full-face extraction")
        self._one_of_everything(world)
        # One for all: each client reads the list of static files anew.
        self.client = Client(raise_request_exception=False)
        self.users = {role: self._user(role) for role in ROLES if role != "anonymous"}
        self.cookies = {role: self._cookies(role) for role in ROLES}

    def answers(self, address: str, method: str, role: str) -> str:
        """The word for what this role meets; "" where the view does not take the method."""
        word = self._ask(address, method, role, self.own)
        if role == "practitioner" and word == "open" and "<" in address:
            return "own" if self._ask(address, method, role, self.other) == "closed" else "open"
        return word

    def line(self, address: str, methods: tuple[str, ...]) -> Line:
        return Line(address, methods, {role: self.answers(address, methods[0], role) for role in ROLES})

    def found(self, address: str) -> list[Line]:
        """The rows that this address needs, as it answers today: one for both methods where they answer alike."""
        by_method = {method: line for method in METHODS if any((line := self.line(address, (method,))).words.values())}
        kept = {method: line for method, line in by_method.items() if "" not in line.words.values()}
        if len(kept) == len(METHODS) and len({tuple(line.words.values()) for line in kept.values()}) == 1:
            return [dataclasses.replace(kept["GET"], methods=METHODS)]
        return list(kept.values())

    def _ask(self, address: str, method: str, role: str, rows: Rows) -> str:
        """What is written is taken back, so that every question meets the same clinic."""
        self.client.cookies = SimpleCookie(self.cookies[role])
        with transaction.atomic():
            response = self._sent(address, method, filled(address, rows))
            transaction.set_rollback(True)
        return _word(response, address, role)

    def _sent(self, address: str, method: str, path: str) -> Any:
        return self.client.post(path, SENT.get(address, {})) if method == "POST" else self.client.get(path)

    def _rows(self, booking: Booking) -> Rows:
        chief = User.objects.filter(username="chief").first() or make_staff("chief")
        payment = Payment.objects.create(
            booking=booking, amount=45, currency="USD", method="cash", paid_at=NOW, taken_by=chief
        )
        task = Task.objects.create(kind=TaskKind.CALL_BACK, booking=booking, created_at=NOW, due_at=NOW)
        Guardian.objects.create(booking=booking, name="Ina Example", relation="mother", phone="+12125550199")
        patient = booking.patient
        assert patient, "a booked visit has one"
        twin, other = (Patient.objects.create(name=name, created_at=NOW) for name in ("A twin", "Somebody else"))
        merge = PatientMerge.objects.create(kept=patient, merged=twin, merged_at=NOW, merged_by=chief)
        Patient.objects.filter(pk=twin.pk).update(merged_into=patient)
        return Rows(booking, payment, task, booking.emails.all()[0], merge, other.pk)

    def _one_of_everything(self, world: Any) -> None:
        """A row for each screen of the admin."""
        chief = User.objects.get(username="chief")
        make_equipment(world.location)
        ApiKey.objects.make("A program", now=NOW)
        Absence.objects.create(location=world.location, starts_at=NOW, ends_at=NOW.replace(hour=16))
        AuditEvent.objects.create(at=NOW, act="added", kind="room", key="1")
        revision = Revision.objects.all()[0]
        Review.objects.create(revision=revision, reviewer="Dr X", signed_at=NOW, signed_by=chief, next_review_on=MONDAY)

    def _user(self, role: str) -> User:
        if role == "superuser":
            return User.objects.get(username="chief")
        user = someone(role, is_staff=role in MAY_ENTER_THE_ADMIN)
        if role == "practitioner":
            Practitioner.objects.update(user=None)
            Practitioner.objects.filter(pk=self.own.booking.practitioner_id).update(user=user)
        return user

    def _cookies(self, role: str) -> SimpleCookie:
        client = Client()
        if role in self.users:
            client.force_login(self.users[role])
        return client.cookies


def _word(response: Any, address: str, role: str) -> str:
    code, leads_to = response.status_code, response.headers.get("Location", "")
    is_open = is_open_to_all(address)
    if code == 405:
        return ""
    if code == 401:
        return "key"
    if code == 500:
        return "broken"
    if code == 302 and leads_to.startswith(DOORS) and not is_open:
        # The admin sends everybody whom it refuses to its door, where somebody who is signed in is told so.
        return "closed" if leads_to.startswith("/admin/") and role != "anonymous" else "sign-in"
    return "closed" if code == 403 or (code == 404 and not is_open) else "open"


def sorted_lines(found: list[Line]) -> list[Line]:
    return sorted(found, key=lambda line: (line.address, line.methods))
