"""What the head of every page at the desk asks for."""

from django import template
from django.contrib.auth.models import User
from django.utils import timezone

from bookings.desk import counted

register = template.Library()


@register.simple_tag
def visits_to_move(user: User) -> int:
    """How many visits this person sees that have to move, known for a minute."""
    return counted.to_move(user, now=timezone.now())
