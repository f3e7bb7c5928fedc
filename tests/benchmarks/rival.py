"""django-appointment with the same clinic: ten people, half-hour slots, every other one of the next 30 days booked.

``python -m tests.benchmarks.rival`` fills it, ``gunicorn tests.benchmarks.rival`` serves it.
"""

import datetime as dt
import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.benchmarks.rival_settings")

from django.core.management import call_command
from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()

from appointment.models import Appointment, AppointmentRequest, Config, Service, StaffMember, WorkingHours  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.urls import include, path  # noqa: E402

urlpatterns = [path("rival/", include("appointment.urls"))]
SLOT = dt.timedelta(minutes=30)


def fill() -> None:
    """The same diary as ours; past bookings are left out, since its search reads one day at a time."""
    call_command("migrate", run_syncdb=True, verbosity=0)
    service = Service.objects.create(name="nose", duration=SLOT, price=45)
    Config.objects.create(slot_duration=30, lead_time=dt.time(9), finish_time=dt.time(17), appointment_buffer_time=0)
    client = User.objects.create(username="robin")
    for number in range(10):
        _staff(number, service, client)


def _staff(number: int, service: Service, client: User) -> None:
    user = User.objects.create(username=f"staff{number}", first_name=f"Staff {number}")
    staff = StaffMember.objects.create(
        user=user, slot_duration=30, lead_time=dt.time(9), finish_time=dt.time(17), appointment_buffer_time=0
    )
    staff.services_offered.add(service)
    for day in range(1, 6):
        WorkingHours.objects.create(staff_member=staff, day_of_week=day, start_time=dt.time(9), end_time=dt.time(17))
    today = dt.date.today()  # noqa: DTZ011 - its dates are naive
    for date in (today + dt.timedelta(days=days) for days in range(1, 31)):
        if date.weekday() < 5:
            _book_every_other(date, staff, service, client)


def _book_every_other(date: dt.date, staff: StaffMember, service: Service, client: User) -> None:
    for slot in range(0, 16, 2):
        start = dt.datetime.combine(date, dt.time(9)) + SLOT * slot
        request = AppointmentRequest.objects.create(
            date=date,
            start_time=start.time(),
            end_time=(start + SLOT).time(),
            service=service,
            staff_member=staff,
        )
        Appointment.objects.create(client=client, appointment_request=request)


if __name__ == "__main__":
    fill()
