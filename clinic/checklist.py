"""What is not set up yet, so that patients would find no time: places, hours, people, rooms, equipment, mail."""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.conf import settings

from clinic.models import EquipmentKind, Location, OpeningHours, Resource, RoomKind, Service
from clinic.models.resources import ResourceKind

# A location, and whose hours it has; the house's own under None.
Place = tuple[int, int | None]


@dataclass(frozen=True)
class Missing:
    """One line, and the screen on which it is put right ("" for what stands outside)."""

    title: str
    page: str = ""


def missing(today: dt.date) -> list[Missing]:
    """In the order of setting up; six queries. ``today`` is a local date: what is retired by then does not count."""
    locations = list(Location.objects.in_use(today))
    resources = list(Resource.objects.in_use(today))
    hours = _hours()
    services = list(Service.objects.in_use(today))
    return [
        *_places(locations, hours),
        *_people(resources, hours),
        *_services(services, locations, resources, hours),
        *_mail(),
    ]


def _hours() -> set[Place]:
    rows = OpeningHours.objects.order_by().values_list("location_id", "practitioner_id").distinct()
    return {(location, who) for location, who in rows}


def _places(locations: list[Location], hours: set[Place]) -> Iterator[Missing]:
    if not locations:
        yield Missing("No location yet", "clinic_location_add")
    for location in locations:
        if (location.pk, None) not in hours:
            yield Missing(f"{location.name} has no opening hours", "clinic_location_changelist")


def _people(resources: list[Resource], hours: set[Place]) -> Iterator[Missing]:
    people = [each for each in resources if each.kind == ResourceKind.PRACTITIONER]
    at_work = {who for _, who in hours}
    if not people:
        yield Missing("No practitioner yet", "clinic_practitioner_add")
    for person in people:
        if person.pk not in at_work:
            yield Missing(f"{person.name} has no working hours", "clinic_practitioner_changelist")


def _services(
    services: list[Service],
    locations: Iterable[Location],
    resources: list[Resource],
    hours: set[Place],
) -> Iterator[Missing]:
    """What a service needs where it comes closest to being offered; what several lack is said for each."""
    if not services:
        yield Missing("No service yet", "clinic_service_add")
    found: dict[Missing, None] = {}
    for service in services:
        lacks = [_lacks(service, location, resources, hours) for location in locations]
        fewest: list[Missing] = min(lacks, key=len, default=[])
        found.update(dict.fromkeys(fewest))
    yield from found


def _lacks(service: Service, location: Location, resources: list[Resource], hours: set[Place]) -> list[Missing]:
    here = {each.code for each in resources if each.location_id == location.pk}
    grades = {each.code for each in resources if (location.pk, each.pk) in hours}
    lacks = []
    if grades.isdisjoint(service.grades):
        nobody = f"Nobody who may do “{service.title}” has working hours"
        lacks.append(Missing(nobody, "clinic_practitioner_changelist"))
    if service.room_kind and service.room_kind not in here:
        kind = RoomKind(service.room_kind).label.lower()
        lacks.append(Missing(f"No {kind}, which “{service.title}” needs", "clinic_room_add"))
    lacks += [
        Missing(f"No {EquipmentKind(kind).label.lower()}, which “{service.title}” needs", "clinic_equipment_add")
        for kind in service.equipment_kinds
        if kind not in here
    ]
    return lacks


def _mail() -> Iterator[Missing]:
    if not settings.MAIL_IS_SENT:
        yield Missing("Mail is not sent: EMAIL_URL names no mail server")
