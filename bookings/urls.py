"""Three doors: patients (book, visit), staff (desk), programs (api)."""

from django.urls import include, path

from bookings.desk.demo_bar import demo_role
from bookings.desk.health import readyz
from bookings.desk.password import change_password
from bookings.desk.second_factor import code, new_codes, turn_off, two_factor
from bookings.desk.sign_in import sign_in
from bookings.online.urls import booking_urls, guardian_urls, visit_urls

urlpatterns = [
    path("book/", include((booking_urls, "booking"))),
    path("visit/", include((visit_urls, "visit"))),
    path("guardian/", include((guardian_urls, "guardian"))),
    path("accounts/login/", sign_in, name="sign_in"),
    path("accounts/login/code/", code, name="sign_in_code"),
    path("accounts/password/", change_password, name="password_change"),
    path("accounts/two-factor/", two_factor, name="two_factor"),
    path("accounts/two-factor/codes/", new_codes, name="two_factor_codes"),
    path("accounts/two-factor/off/", turn_off, name="two_factor_off"),
    path("desk/", include("bookings.desk.urls")),
    path("api/v1/", include("bookings.api.urls")),
    path("readyz", readyz, name="readyz"),
    path("demo/role/", demo_role, name="demo_role"),
]
