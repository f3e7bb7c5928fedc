"""Who of the staff may do what: the groups every clinic starts with."""

from django.contrib.auth.models import Group, Permission
from django.db.models import QuerySet

# In the admin a clinician reads, edits and signs what patients are told and asked, and nothing else.
CONTENT = {
    *(
        f"{act}_{kind}"
        for act in ("view", "change")
        for kind in ("topic", "item", "wording", "source", "question", "part", "rule", "historyrule")
    ),
    "add_source",
    "view_review",
    "view_revision",
    "sign_content",
}
AWAY = {"view_absence", "add_absence", "change_absence"}
# Whoever runs the day: everybody's visits, the phone, the tasks and the mail.
DAY = {
    "view_booking",
    "change_booking",
    "add_booking",
    "view_every_visit",
    "view_patient",
    "change_patient",
    "view_task",
    "change_task",
    "view_outgoingemail",
    "add_payment",
    *AWAY,
}
# What a manager sets up in the admin. Nothing that visits point at is deleted, and signing stays with clinicians.
SET_UP = {
    *(
        f"{act}_{kind}"
        for act in ("view", "add", "change")
        for kind in (
            "location",
            "openinghours",
            "absence",
            "practitioner",
            "room",
            "equipment",
            "service",
            "user",
            "group",
        )
    ),
    *("delete_openinghours", "delete_absence", "delete_group"),
    *("view_clinic", "change_clinic", "view_apikey", "change_apikey", "view_auditevent"),
}
ROLES = {
    "reception": DAY,
    # Their own day, and the answers and the tasks of their own patients.
    "practitioner": {"view_booking", "change_booking", "view_patient", "view_answers", "view_task", "add_payment"},
    "clinician": DAY - AWAY | {"decide_reviews", "view_answers"} | CONTENT,
    "manager": DAY
    | SET_UP
    | CONTENT - {"sign_content"}
    | {"change_payment", "change_mailwording", "view_reports", "view_log"},
}


def make_groups() -> dict[str, Group]:
    """The groups by name. One that exists keeps the permissions a clinic gave it."""
    groups = {}
    for name, codenames in ROLES.items():
        group, is_new = Group.objects.get_or_create(name=name)
        if is_new:
            group.permissions.set(_permissions(codenames))
        groups[name] = group
    return groups


def grant_what_is_missing() -> dict[str, list[str]]:
    """Give each standard role the rights it lacks, and take none away; returns what was given, by role."""
    given = {}
    for name, codenames in ROLES.items():
        group = Group.objects.get_or_create(name=name)[0]
        held = group.permissions.values_list("pk", flat=True)
        lacking = list(_permissions(codenames).exclude(pk__in=held).order_by("codename"))
        group.permissions.add(*lacking)
        given[name] = [permission.codename for permission in lacking]
    return given


def _permissions(codenames: set[str]) -> QuerySet[Permission]:
    ours = Permission.objects.filter(content_type__app_label__in=["auth", "bookings", "clinic"])
    return ours.filter(codename__in=codenames)
