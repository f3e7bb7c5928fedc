"""All addresses. The contract names the ones that stay stable."""

from django.contrib import admin
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_not_required
from django.urls import include, path
from django.views.generic import RedirectView

from clinic import views
from clinic.admin import packs, signing

urlpatterns = [
    path("", views.home, name="home"),
    path("services/", views.services, name="services"),
    path("services/<slug:slug>/", views.service, name="service"),
    path("guidance/", views.guidance, name="guidance"),
    path("guidance/<slug:code>/", views.topic, name="topic"),
    path("spot/", views.spot, name="spot"),
    path("spot/<slug:code>/", views.spot_answer, name="spot_answer"),
    path("squeezed/", views.squeezed, name="squeezed"),
    path("privacy/", views.privacy, name="privacy"),
    path("display/", views.display, name="display"),
    path("healthz", views.healthz, name="healthz"),
    path("accounts/logout/", login_not_required(auth_views.LogoutView.as_view()), name="sign_out"),
    path("admin/sign-off/", admin.site.admin_view(signing.sign_off), name="sign_off"),
    path("admin/content-pack/", admin.site.admin_view(packs.pack), name="content_pack"),
    path("admin/content-pack/bring-in/", admin.site.admin_view(packs.bring_in), name="content_pack_bring_in"),
    path("admin/content-pack/download/", admin.site.admin_view(packs.download), name="content_pack_download"),
    # There is one page for it, which writes it down.
    path("admin/password_change/", admin.site.admin_view(RedirectView.as_view(pattern_name="password_change"))),
    path("admin/", admin.site.urls),
    path("", include("bookings.urls")),
]

handler400 = "clinic.views.bad_request"
handler403 = "clinic.views.forbidden"
handler404 = "clinic.views.not_found"
