"""Programs that book: their keys, and what each of their requests led to."""

import datetime as dt
import hashlib
import re
import secrets

from django.db import models
from django.utils.crypto import constant_time_compare

from bookings.models.booking import Booking

# The part before the dot is shown to people; the part after it is the secret.
KEY = re.compile(r"[0-9a-f]{8}\.[-_A-Za-z0-9]{43}")


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def make(self, name: str, *, now: dt.datetime) -> tuple["ApiKey", str]:
        """A new key, and the words of it, which nobody can read again."""
        prefix = secrets.token_hex(4)
        words = f"{prefix}.{secrets.token_urlsafe(32)}"
        return self.create(name=name, prefix=prefix, digest=digest_of(words), created_at=now), words

    def of(self, words: str) -> "ApiKey | None":
        """The key with these words, revoked or not."""
        if not KEY.fullmatch(words):
            return None
        digest = digest_of(words)
        alike = self.filter(prefix=words.partition(".")[0])
        return next((key for key in alike if constant_time_compare(key.digest, digest)), None)

    def live(self) -> "ApiKeyQuerySet":
        return self.filter(revoked_at=None)


class ApiKey(models.Model):
    """Lets one program book. Only a hash of the key is kept; ``prefix`` is shown so that people can tell keys apart."""

    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=8)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def is_revoked(self) -> bool:
        return self.revoked_at is not None

    def revoke(self, *, now: dt.datetime) -> bool:
        """From now on it opens nothing; whether it did until now. What it booked stands."""
        return bool(ApiKey.objects.live().filter(pk=self.pk).update(revoked_at=now))


class IdempotencyKeyQuerySet(models.QuerySet["IdempotencyKey"]):
    def forget_before(self, instant: dt.datetime) -> int:
        """Delete what was asked before ``instant``; returns how many. From then on the same request is a new one."""
        return self.filter(made_at__lt=instant).delete()[0]


class IdempotencyKey(models.Model):
    """The answer a program got, so that the same request again gets the same answer and books nothing twice.

    Written in the transaction of the act itself, so it has a status as soon as anybody else sees it. ``body`` never
    tells of health: such an answer is left out, and found again from the answers in the repeated request.
    """

    api_key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="requests")
    key = models.CharField(max_length=80)
    fingerprint = models.CharField(max_length=64, help_text="Of address and body: one key stands for one request.")
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    body = models.JSONField(null=True, blank=True)
    booking = models.ForeignKey(Booking, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    made_at = models.DateTimeField()

    objects = IdempotencyKeyQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["api_key", "key"], name="one_request_per_key")]
        indexes = [models.Index(fields=["made_at"], name="idempotency_by_age")]

    def __str__(self) -> str:
        return self.key


def digest_of(words: str) -> str:
    """The words are 256 random bits: nobody guesses them, so a plain hash hides them."""
    return hashlib.sha256(words.encode()).hexdigest()
