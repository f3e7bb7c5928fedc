"""All addresses. The contract names the ones that stay stable."""

from django.contrib import admin
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_not_required
from django.urls import include, path

from clinic import views

urlpatterns = [
    path("", views.home, name="home"),
    path("services/", views.services, name="services"),
    path("services/<slug:slug>/", views.service, name="service"),
    path("guidance/", views.guidance, name="guidance"),
    path("guidance/<slug:code>/", views.topic, name="topic"),
    path("squeezed/", views.squeezed, name="squeezed"),
    path("privacy/", views.privacy, name="privacy"),
    path("display/", views.display, name="display"),
    path("healthz", views.healthz, name="healthz"),
    path("accounts/logout/", login_not_required(auth_views.LogoutView.as_view()), name="sign_out"),
    path("admin/", admin.site.urls),
    path("", include("bookings.urls")),
]

handler400 = "clinic.views.bad_request"
handler403 = "clinic.views.forbidden"
handler404 = "clinic.views.not_found"
