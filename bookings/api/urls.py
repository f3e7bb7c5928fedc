"""For programs: what is offered, and when."""

from django.urls import path

from bookings.api import views

app_name = "api"
urlpatterns = [
    path("services", views.services, name="services"),
    path("availability", views.free_starts, name="availability"),
]
