"""The public pages: the clinic, its services, its guidance. Nothing here changes anything but a cookie."""

from clinic.views.catalogue import home, service, services
from clinic.views.site import bad_request, csrf_failure, display, forbidden, healthz, not_found, privacy
from clinic.views.spots import answer as spot_answer
from clinic.views.spots import choose as spot
from clinic.views.topics import guidance, squeezed, topic

__all__ = [
    "bad_request",
    "csrf_failure",
    "display",
    "forbidden",
    "guidance",
    "healthz",
    "home",
    "not_found",
    "privacy",
    "service",
    "services",
    "spot",
    "spot_answer",
    "squeezed",
    "topic",
]
