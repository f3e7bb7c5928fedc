"""Who answers for a young patient."""

import hashlib
import json

from django.conf import settings
from django.db import models
from django.db.models import Q

from bookings.models.booking import Booking


class Guardian(models.Model):
    """A parent or guardian of one visit's patient; they agree by their own link, or at the desk before treatment."""

    booking = models.OneToOneField(Booking, on_delete=models.CASCADE, related_name="guardian")
    name = models.CharField(max_length=120)
    relation = models.CharField(max_length=60, help_text="Such as mother, father or legal guardian.")
    phone = models.CharField(max_length=20, help_text="E.164, such as +12125550100.")
    email = models.EmailField()
    gets_mail = models.BooleanField(default=True, help_text="The visit's mail goes to them, not to the patient.")
    link_version = models.PositiveIntegerField(default=1, help_text="Raised to revoke the link that was mailed.")
    agreed_at = models.DateTimeField(null=True, blank=True)
    agreed_with = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Who of the staff heard it; empty: by the link.",
    )

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(name=""), name="a_guardian_has_a_name")]

    def __str__(self) -> str:
        return self.name

    @property
    def mark(self) -> str:
        """Another one once they were put right: what a page says that it showed."""
        said = json.dumps([self.name, self.relation, self.phone, self.email, self.gets_mail])
        return hashlib.sha256(said.encode()).hexdigest()
