"""What the clinic is and says: places, people, rooms, services, hours, guidance, screening, policy."""

from clinic.models.audit import AuditEvent
from clinic.models.guidance import Item, Moment, Source, Topic, Wording
from clinic.models.hours import Absence, OpeningHours
from clinic.models.places import Clinic, Location
from clinic.models.resources import Equipment, EquipmentKind, Grade, Practitioner, Resource, Room, RoomKind
from clinic.models.review import Review, Reviewed, Revision
from clinic.models.screening import History, HistoryRule, Part, Question, Rule, Stage, Undated, Verdict
from clinic.models.services import PriceKind, Service

__all__ = [
    "Absence",
    "AuditEvent",
    "Clinic",
    "Equipment",
    "EquipmentKind",
    "Grade",
    "History",
    "HistoryRule",
    "Item",
    "Location",
    "Moment",
    "OpeningHours",
    "Part",
    "Practitioner",
    "PriceKind",
    "Question",
    "Resource",
    "Review",
    "Reviewed",
    "Revision",
    "Room",
    "RoomKind",
    "Rule",
    "Service",
    "Source",
    "Stage",
    "Topic",
    "Undated",
    "Verdict",
    "Wording",
]
