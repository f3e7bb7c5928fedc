"""A clinic that does not exist: its house, people, rooms, hours and sign-ins. All names are visibly made up."""

import datetime as dt
from decimal import Decimal

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.db import transaction

from bookings.management.roles import make_groups
from clinic.models import (
    Clinic,
    Equipment,
    EquipmentKind,
    Grade,
    Location,
    OpeningHours,
    Practitioner,
    Resource,
    Room,
    RoomKind,
)

PASSWORD = "extraction-demo"
TIME_ZONE = "America/New_York"
MON, TUE, WED, THU, FRI, SAT = range(6)

# Opens, closes. Thursday has an evening, Saturday a morning.
HOUSE = {
    MON: ("08:30", "18:00"),
    TUE: ("08:30", "18:00"),
    WED: ("08:30", "18:00"),
    THU: ("08:30", "20:00"),
    FRI: ("08:30", "18:00"),
    SAT: ("09:00", "14:00"),
}
EARLY = [("08:30", "12:30"), ("13:15", "16:45")]
LATE = [("10:00", "13:30"), ("14:15", "18:00")]
EVENING = [("12:00", "15:30"), ("16:00", "20:00")]
MORNING = [("09:00", "14:00")]

# Slug, name, grade, what patients read, which day has which hours.
PEOPLE = [
    (
        "maya",
        "Maya Brightwater",
        Grade.AESTHETICIAN,
        "Aesthetician for 11 years. Gentle with first visits. Speaks English and Spanish.",
        {MON: EARLY, TUE: EARLY, WED: LATE, THU: EVENING},
    ),
    (
        "tomas",
        "Tomas Fernhollow",
        Grade.AESTHETICIAN,
        "Aesthetician. Likes stubborn noses and tidy results. Speaks English and Portuguese.",
        {TUE: LATE, WED: EARLY, THU: EARLY, FRI: EARLY, SAT: MORNING},
    ),
    (
        "priya",
        "Priya Quillstone",
        Grade.NURSE,
        "Skin nurse. Works with milia, teens and sensitive skin. Speaks English and Hindi.",
        {MON: LATE, TUE: EARLY, THU: EVENING, FRI: LATE},
    ),
    (
        "jonas",
        "Jonas Applethorn",
        Grade.NURSE,
        "Skin nurse. Looks after back and chest extractions and aftercare checks.",
        {MON: EARLY, WED: EARLY, THU: LATE, FRI: EARLY, SAT: MORNING},
    ),
    (
        "amara",
        "Dr Amara Windermoor",
        Grade.DOCTOR,
        "Dermatologist. Names what it is first, then talks through choices, including no treatment.",
        {MON: LATE, TUE: LATE, THU: EVENING, FRI: EARLY},
    ),
    (
        "henrik",
        "Dr Henrik Larkspur",
        Grade.DOCTOR,
        "Dermatologist. Large or stubborn plugs, and skin on isotretinoin. Speaks English and German.",
        {TUE: EARLY, WED: LATE, FRI: LATE, SAT: MORNING},
    ),
]
ROOMS = [
    ("treatment-1", "Treatment room 1", RoomKind.TREATMENT),
    ("treatment-2", "Treatment room 2", RoomKind.TREATMENT),
    ("treatment-3", "Treatment room 3", RoomKind.TREATMENT),
    ("consulting-1", "Consulting room 1", RoomKind.CONSULTING),
    ("consulting-2", "Consulting room 2", RoomKind.CONSULTING),
    ("procedure-1", "Procedure room 1", RoomKind.PROCEDURE),
    ("procedure-2", "Procedure room 2", RoomKind.PROCEDURE),
]
EQUIPMENT = [
    ("steamer-1", "Steamer 1", EquipmentKind.STEAMER),
    ("steamer-2", "Steamer 2", EquipmentKind.STEAMER),
    ("dermatoscope-1", "Dermatoscope 1", EquipmentKind.DERMATOSCOPE),
    ("dermatoscope-2", "Dermatoscope 2", EquipmentKind.DERMATOSCOPE),
    ("camera-1", "Camera 1", EquipmentKind.CAMERA),
    ("camera-2", "Camera 2", EquipmentKind.CAMERA),
]
# Sign-in, shown name, the practitioner it belongs to.
SIGN_INS = [
    ("reception", "Rosa Doorbell", ""),
    ("practitioner", "Maya Brightwater", "maya"),
    ("clinician", "Amara Windermoor", "amara"),
    ("manager", "Mina Ledgerwood", ""),
]
# Managers for all of it, clinicians for the content.
MAY_ENTER_THE_ADMIN = ("manager", "clinician")


def make_clinic() -> Location:
    """The demo's house, made whole or not at all; what is there already stays as it is."""
    with transaction.atomic():
        if not Clinic.objects.exists():
            _make_policy()
            location = _make_location()
            _make_things(location)
            _make_people(location)
        _make_sign_ins()
    return Location.objects.select_related("clinic").get(slug="linden-street")


def _make_policy() -> None:
    Clinic.objects.create(
        pk=1,
        name="Linden Skin Clinic",
        email="desk@linden.example.org",
        phone="+12125550100",
        phone_days=[MON, TUE, WED, THU, FRI, SAT],
        emergency_number="911",
        urgent_line="212 555 0111",
        late_fee=Decimal(20),
        online_from_age=13,
        is_demo=True,
    )


def _make_location() -> Location:
    location = Location.objects.create(
        clinic_id=1,
        name="Linden Street",
        slug="linden-street",
        time_zone=TIME_ZONE,
        address="12 Linden Street\nSecond floor\nNew York, NY 10001",
        directions="Take the lift to the second floor. Our door is green.",
        parking="There is a garage at 20 Linden Street. The street has meters.",
        step_free_access="Step-free from the street. The lift is 90 cm wide. All rooms have an adjustable couch.",
    )
    OpeningHours.objects.bulk_create(_hours(location, None, {day: [times] for day, times in HOUSE.items()}))
    return location


def _make_things(location: Location) -> None:
    for position, (slug, name, kind) in enumerate(ROOMS):
        Room.objects.create(slug=slug, name=name, code=kind, location=location, position=position)
    for position, (slug, name, equipment_kind) in enumerate(EQUIPMENT):
        Equipment.objects.create(slug=slug, name=name, code=equipment_kind, location=location, position=position)


def _make_people(location: Location) -> None:
    for position, (slug, name, grade, about, week) in enumerate(PEOPLE):
        practitioner = Practitioner.objects.create(slug=slug, name=name, code=grade, about=about, position=position)
        OpeningHours.objects.bulk_create(_hours(location, practitioner, week))


def _hours(
    location: Location, practitioner: Resource | None, week: dict[int, list[tuple[str, str]]]
) -> list[OpeningHours]:
    return [
        OpeningHours(
            location=location,
            practitioner=practitioner,
            weekday=weekday,
            opens_at=dt.time.fromisoformat(opens),
            closes_at=dt.time.fromisoformat(closes),
        )
        for weekday, stretches in week.items()
        for opens, closes in stretches
    ]


def _make_sign_ins() -> None:
    groups = make_groups()
    # One for all of them: everybody knows it, and it takes long to make.
    password = make_password(PASSWORD)
    for username, name, practitioner in SIGN_INS:
        if User.objects.filter(username=username).exists():
            continue
        first, _, last = name.partition(" ")
        user = User.objects.create(
            username=username,
            password=password,
            first_name=first,
            last_name=last,
            email=f"{username}@linden.example.org",
            is_staff=username in MAY_ENTER_THE_ADMIN,
        )
        user.groups.add(groups[username])
        Practitioner.objects.filter(slug=practitioner).update(user=user)
