from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in

from bookings.desk import last_use


class BookingsConfig(AppConfig):
    name = "bookings"
    verbose_name = "Bookings"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        user_logged_in.connect(last_use.start, dispatch_uid="bookings.desk.last_use")
