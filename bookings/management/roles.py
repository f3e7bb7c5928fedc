"""Who of the staff may do what: the groups every clinic starts with."""

from django.contrib.auth.models import Group, Permission

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
# Managers set the clinic up in the admin: a superuser may do that without a list.
ROLES = {
    "reception": DAY,
    # Their own day, and the answers of their own patients.
    "practitioner": {"view_booking", "change_booking", "view_patient", "view_answers", "add_payment"},
    "clinician": DAY - AWAY | {"decide_reviews", "view_answers"} | CONTENT,
    "manager": DAY | {"change_payment", "change_practitioner", "change_mailwording", "view_reports", "view_log"},
}


def make_groups() -> dict[str, Group]:
    """The groups by name. One that exists keeps the permissions a clinic gave it."""
    groups = {}
    for name, codenames in ROLES.items():
        group, is_new = Group.objects.get_or_create(name=name)
        if is_new:
            ours = Permission.objects.filter(content_type__app_label__in=["bookings", "clinic"])
            permissions = ours.filter(codename__in=codenames)
            group.permissions.set(permissions)
        groups[name] = group
    return groups
