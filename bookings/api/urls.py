"""For programs: what is offered, when, and what is asked; and to hold and book it with a key."""

from django.urls import path

from bookings.api import views
from bookings.api.booking import bookings
from bookings.api.holds import holds

app_name = "api"
urlpatterns = [
    path("services", views.services, name="services"),
    path("availability", views.free_starts, name="availability"),
    path("questions", views.questions, name="questions"),
    path("holds", holds, name="holds"),
    path("bookings", bookings, name="bookings"),
]
