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
# Managers set the clinic up in the admin, so the manager is a superuser and needs no list.
ROLES = {
    "reception": {"view_booking", "change_booking", "view_patient", "view_task", "change_task", "view_outgoingemail"},
    "practitioner": {"view_booking", "change_booking", "view_patient", "view_answers"},
    "clinician": {
        "view_booking",
        "change_booking",
        "decide_reviews",
        "view_answers",
        "view_patient",
        "view_task",
        "change_task",
        "view_outgoingemail",
        *CONTENT,
    },
    "manager": {"view_booking", "change_booking", "view_patient", "view_task", "change_task", "view_outgoingemail"},
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
