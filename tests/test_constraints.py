"""What the database itself refuses, whatever the code in front of it forgets."""

import datetime as dt
import shutil
import sqlite3
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, models, transaction
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ModelState, ProjectState
from django.db.migrations.writer import MigrationWriter

from bookings.constraints import NoOverlap, is_overlap
from bookings.models import Booking, BookingState, Claim, Outcome, Patient
from clinic.models import Clinic, Resource
from tests.factories import NOW, make_location, make_policy, make_practitioner, make_service

NINE = dt.datetime(2026, 12, 7, 9, 0, tzinfo=dt.UTC)
on_sqlite = pytest.mark.skipif("connection.vendor != 'sqlite'", reason="about SQLite's own files and triggers")


def minutes(number: float) -> dt.timedelta:
    return dt.timedelta(minutes=number)


def make_booking(practitioner: Resource, **fields: Any) -> Booking:
    """A bare row, without the verbs: held, and without claims."""
    service = fields.pop("service", None) or make_service(slug=f"nose-{Booking.objects.count()}")
    defaults = {
        "service": service,
        "location": make_location(),
        "practitioner": practitioner,
        "starts_at": NINE,
        "ends_at": NINE + minutes(30),
        "service_name": service.name,
        "minutes": 30,
        "clean_up_minutes": 0,
        "price_kind": "fixed",
        "price": 45,
        "currency": "USD",
        "cut_off_minutes": 60,
        "late_fee": 0,
        "held_at": NOW,
        "expires_at": NOW + minutes(20),
    }
    return Booking.objects.create(**{**defaults, **fields})


def claim(resource: Resource, start: dt.datetime, end: dt.datetime) -> Claim:
    return Claim.objects.create(booking=make_booking(resource), resource=resource, starts_at=start, ends_at=end)


@pytest.fixture
def resource(db) -> Resource:
    make_policy()
    return make_practitioner()


@pytest.mark.parametrize(
    ("start", "end"),
    [(0, 30), (-15, 15), (15, 45), (-15, 45), (10, 20), (29, 60), (-30, 1)],
    ids=[
        "the same",
        "into its start",
        "out of its end",
        "around",
        "inside",
        "one minute at its end",
        "one at its start",
    ],
)
def test_an_overlapping_claim_is_refused_as_an_overlap(resource, start, end):
    claim(resource, NINE, NINE + minutes(30))

    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        claim(resource, NINE + minutes(start), NINE + minutes(end))

    assert is_overlap(refused.value)
    assert Claim.objects.count() == 1


def test_a_claim_around_several_is_refused(resource):
    for hour in range(3):
        claim(resource, NINE + minutes(60 * hour), NINE + minutes(60 * hour + 20))

    with pytest.raises(IntegrityError), transaction.atomic():
        claim(resource, NINE + minutes(-10), NINE + minutes(200))


@pytest.mark.parametrize(("start", "end"), [(-30, 0), (30, 60)], ids=["just before", "just after"])
def test_touching_claims_are_allowed(resource, start, end):
    claim(resource, NINE, NINE + minutes(30))

    claim(resource, NINE + minutes(start), NINE + minutes(end))

    assert Claim.objects.count() == 2


def test_another_resource_is_free_at_the_same_time(resource):
    claim(resource, NINE, NINE + minutes(30))

    claim(make_practitioner(), NINE, NINE + minutes(30))

    assert Claim.objects.count() == 2


def test_one_statement_of_many_rows_is_checked_row_by_row(resource):
    bookings = [make_booking(resource) for _ in range(2)]

    with pytest.raises(IntegrityError), transaction.atomic():
        Claim.objects.bulk_create(
            Claim(booking=booking, resource=resource, starts_at=NINE, ends_at=NINE + minutes(30))
            for booking in bookings
        )

    assert not Claim.objects.exists()


@pytest.mark.parametrize("length", [0, -30, 24 * 60 + 1], ids=["nothing", "backwards", "over a day"])
def test_a_claim_of_impossible_length_is_refused_but_not_as_an_overlap(resource, length):
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        claim(resource, NINE, NINE + minutes(length))

    assert "claims_never_overlap_length" in str(refused.value) or "range lower bound" in str(refused.value)
    assert not Claim.objects.exists()


def test_a_claim_may_last_a_whole_day(resource):
    assert claim(resource, NINE, NINE + minutes(24 * 60)).pk


@pytest.mark.parametrize(
    "change",
    [{"starts_at": NINE + minutes(29)}, {"ends_at": NINE + minutes(90)}, {"resource": "the other"}],
    ids=["an earlier start", "a later end", "another resource"],
)
def test_an_update_into_an_overlap_is_refused(resource, change):
    other = make_practitioner()
    claim(resource, NINE, NINE + minutes(30))
    claim(resource, NINE + minutes(60), NINE + minutes(90))
    moving = claim(other if "resource" in change else resource, NINE + minutes(31), NINE + minutes(60))
    if "resource" in change:
        Claim.objects.filter(pk=moving.pk).update(starts_at=NINE, ends_at=NINE + minutes(30))
        change = {"resource": resource}

    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        Claim.objects.filter(pk=moving.pk).update(**change)

    assert is_overlap(refused.value)


def test_an_update_that_overlaps_only_itself_is_allowed(resource):
    moving = claim(resource, NINE, NINE + minutes(30))

    changed = Claim.objects.filter(pk=moving.pk).update(starts_at=NINE + minutes(15), ends_at=NINE + minutes(45))

    assert changed == 1


def test_another_broken_rule_is_not_called_an_overlap(resource):
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        make_booking(resource, ends_at=NINE)

    assert not is_overlap(refused.value)


def test_a_form_hears_of_the_overlap_before_the_database_does(resource):
    claim(resource, NINE, NINE + minutes(30))
    late = Claim(
        booking=make_booking(resource), resource=resource, starts_at=NINE + minutes(15), ends_at=NINE + minutes(45)
    )

    with pytest.raises(ValidationError, match="already taken"):
        late.full_clean()


def test_a_form_may_save_the_claim_it_opened(resource):
    claim(resource, NINE, NINE + minutes(30)).full_clean()


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"ends_at": NINE}, "booking_ends_after_it_starts"),
        ({"state": "dreamt", "expires_at": None, "patient": "someone"}, "booking_state_is_known"),
        ({"expires_at": None}, "only_holds_expire"),
        ({"state": BookingState.CONFIRMED, "expires_at": None}, "only_holds_have_no_patient"),
        ({"state": BookingState.CANCELLED, "expires_at": None, "patient": "someone"}, "cancelled_has_a_time"),
        ({"cancelled_at": NOW}, "cancelled_has_a_time"),
        ({"reply_by": NOW}, "only_reviews_have_a_clock"),
        ({"state": BookingState.PENDING, "expires_at": None, "patient": "someone"}, "only_reviews_have_a_clock"),
        ({"outcome": Outcome.TREATED}, "only_closed_visits_have_an_outcome"),
        (
            {"state": BookingState.COMPLETED, "expires_at": None, "patient": "someone"},
            "only_closed_visits_have_an_outcome",
        ),
    ],
)
def test_a_booking_that_cannot_be_is_refused(resource, fields, rule):
    if "patient" in fields:
        fields = {**fields, "patient": Patient.objects.create(name="Robin Example", created_at=NOW)}

    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        make_booking(resource, **fields)


def test_a_booked_visit_with_an_expiry_is_refused(resource):
    patient = Patient.objects.create(name="Robin Example", created_at=NOW)

    with pytest.raises(IntegrityError, match="only_holds_expire"), transaction.atomic():
        make_booking(resource, state=BookingState.CONFIRMED, patient=patient)


@pytest.mark.django_db
def test_a_patient_without_a_name_is_refused():
    with pytest.raises(IntegrityError, match="a_patient_has_a_name"), transaction.atomic():
        Patient.objects.create(name="", created_at=NOW)


@pytest.mark.django_db
def test_there_is_only_one_clinic():
    make_policy()

    with pytest.raises(IntegrityError, match="one_clinic_per_database"), transaction.atomic():
        Clinic.objects.create(pk=2, name="Second", email="second@example.org")


def no_overlap() -> NoOverlap:
    return next(rule for rule in Claim._meta.constraints if isinstance(rule, NoOverlap))


def test_the_constraint_comes_back_whole_from_its_own_description():
    rule = no_overlap()
    path, positional, named = rule.deconstruct()

    again = NoOverlap(*positional, **named)

    assert path == "bookings.constraints.NoOverlap"
    assert again == rule
    assert hash(again) == hash(rule)
    assert again != NoOverlap(**{**named, "longest": dt.timedelta(hours=1)})
    assert rule.clone() == rule


@pytest.mark.django_db
def test_no_migration_is_asked_for_twice():
    written = MigrationLoader(None).project_state()
    now = ProjectState.from_apps(Claim._meta.apps)

    changes = MigrationAutodetector(written, now).changes(graph=MigrationLoader(None).graph)

    assert changes == {}


def test_a_migration_can_name_the_constraint():
    text, imports = MigrationWriter.serialize(no_overlap())

    assert text.startswith("bookings.constraints.NoOverlap(")
    assert "import bookings.constraints" in imports


class Stretch(models.Model):
    """A table of this test's own, to be rebuilt."""

    owner = models.IntegerField()
    begins = models.DateTimeField()
    ends = models.DateTimeField()
    note = models.CharField(max_length=10, default="")

    class Meta:
        app_label = "stretches"
        constraints = [
            NoOverlap(
                resource="owner", start="begins", end="ends", longest=minutes(600), name="stretches_never_overlap"
            )
        ]


def add_stretch(start: int, end: int) -> Stretch:
    return Stretch.objects.create(owner=1, begins=NINE + minutes(start), ends=NINE + minutes(end))


@pytest.fixture
def stretches(transactional_db):
    with connection.schema_editor() as editor:
        editor.create_model(Stretch)
    yield
    with connection.schema_editor() as editor:
        editor.delete_model(Stretch)


def test_the_rule_outlives_a_changed_column(stretches):
    """SQLite changes a column by building the table anew: the triggers must come along."""
    add_stretch(0, 30)
    longer = models.CharField(max_length=90, default="")
    longer.set_attributes_from_name("note")
    longer.model = Stretch

    with connection.schema_editor() as editor:
        editor.alter_field(Stretch, Stretch._meta.get_field("note"), longer, strict=True)

    with pytest.raises(IntegrityError) as refused:
        add_stretch(15, 45)
    assert is_overlap(refused.value)
    assert add_stretch(30, 45).pk


def test_the_rule_can_be_removed_and_added_again(stretches):
    rule = Stretch._meta.constraints[0]
    bare = ModelState.from_model(Stretch)
    bare.options["constraints"] = []
    without = ProjectState(models={("stretches", "stretch"): bare}).apps.get_model("stretches", "Stretch")

    with connection.schema_editor() as editor:
        editor.remove_constraint(Stretch, rule) if connection.vendor == "postgresql" else editor._remake_table(without)
    both = [add_stretch(0, 30), add_stretch(0, 30)]
    both[1].delete()
    with connection.schema_editor() as editor:
        editor.add_constraint(Stretch, rule)

    with pytest.raises(IntegrityError) as refused:
        add_stretch(15, 45)
    assert is_overlap(refused.value)


@on_sqlite
@pytest.mark.skipif(not shutil.which("sqlite3"), reason="the sqlite3 program is not installed")
def test_the_bare_sqlite3_program_dumps_and_restores_a_database_that_still_refuses(transactional_db, tmp_path):
    make_policy()
    claim(make_practitioner(), NINE, NINE + minutes(30))
    stored = Path(connection.settings_dict["NAME"])
    restored = tmp_path / "restored.sqlite3"

    dump = subprocess.run(["sqlite3", stored, ".dump"], check=True, capture_output=True, text=True).stdout
    subprocess.run(["sqlite3", restored], input=dump, check=True, capture_output=True, text=True)

    inserted = _insert_again(restored)
    assert inserted.returncode != 0
    assert "claims_never_overlap" in inserted.stderr
    counted = sqlite3.connect(restored)
    assert counted.execute("SELECT count(*) FROM bookings_claim").fetchone() == (1,)
    assert counted.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    counted.close()


def _insert_again(database: Path) -> subprocess.CompletedProcess[str]:
    """The stored claim once more, by the bare program, for a booking that does not have it yet."""
    again = (
        "INSERT INTO bookings_claim (booking_id, resource_id, starts_at, ends_at) "
        "SELECT booking_id + 1000, resource_id, starts_at, ends_at FROM bookings_claim;"
    )
    return subprocess.run(["sqlite3", database, again], check=False, capture_output=True, text=True)
