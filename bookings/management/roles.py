"""Who of the staff may do what: the groups every clinic starts with."""

from django.contrib.auth.models import Group, Permission

# Managers set the clinic up in the admin, so the manager is a superuser and needs no list.
ROLES = {
    "reception": {"view_booking", "change_booking", "view_patient", "view_task", "change_task", "view_outgoingemail"},
    "practitioner": {"view_booking", "view_patient"},
    "clinician": {"view_booking", "change_booking", "view_patient", "view_task", "change_task", "view_outgoingemail"},
    "manager": {"view_booking", "change_booking", "view_patient", "view_task", "change_task", "view_outgoingemail"},
}


def make_groups() -> dict[str, Group]:
    """The groups by name. One that exists keeps the permissions a clinic gave it."""
    groups = {}
    for name, codenames in ROLES.items():
        group, is_new = Group.objects.get_or_create(name=name)
        if is_new:
            permissions = Permission.objects.filter(content_type__app_label="bookings", codename__in=codenames)
            group.permissions.set(permissions)
        groups[name] = group
    return groups
