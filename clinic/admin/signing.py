"""Clinical sign-off: every text and rule that waits, on one page, read first and then signed by name.

Who may sign holds ``clinic.sign_content``. A superuser holds every right, so that the manager of a clinic of one person
can sign; whoever signs types a clinician's name and registration number, and the record names the account as well.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminDateWidget
from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from clinic import content, readiness
from clinic.admin.base import user_of
from clinic.admin.reading import TAGS, Reading, readings, rows_of
from clinic.models import AuditEvent, HistoryRule, Item, Part, Question, Review, Reviewed, Rule, Wording
from clinic.models.shown import kind_of

SIGNS = "clinic.sign_content"
MODELS = {model._meta.model_name or "": model for model in content.SIGNED_MODELS}
NEXT_REVIEW_AFTER = dt.timedelta(days=365)


class SignForm(forms.Form):
    """Who signs. One name for all that stands on the page."""

    reviewer = forms.CharField(
        max_length=120, label="Name of the clinician", error_messages={"required": "Enter the clinician’s name."}
    )
    registration = forms.CharField(
        max_length=60, label="Registration number", error_messages={"required": "Enter the registration number."}
    )
    next_review_on = forms.DateField(
        label="Next review on",
        widget=AdminDateWidget,
        error_messages={"required": "Enter the day of the next review.", "invalid": "Enter a day, such as 2027-11-24."},
    )
    is_checked = forms.BooleanField(
        label="I have read every text on this page, opened each address, and it still says this.",
        error_messages={"required": "Read the texts and open the addresses first, then tick this."},
    )

    def clean_next_review_on(self) -> dt.date:
        date: dt.date = self.cleaned_data["next_review_on"]
        if date <= timezone.localdate():
            raise forms.ValidationError("Choose a day after today.")
        return date

    @property
    def signature(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in ("reviewer", "registration", "next_review_on")}


@dataclass(frozen=True)
class Group:
    """What is read together: the advice of a topic, or a question with its parts and their rules."""

    code: str
    title: str
    readings: list[Reading]

    @property
    def address(self) -> str:
        """The page for this group alone."""
        return sign_off_address(each.row for each in self.readings)


class Nothing(Exception):
    """The page was sent with everything left out."""

    def __init__(self) -> None:
        super().__init__("Nothing is left to sign. Take at least one text out of “Leave this one out”.")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(SIGNS, raise_exception=True)
def sign_off(request: HttpRequest) -> HttpResponse:
    """All that waits, or the rows that a list selected (``?item=1,2``); signing answers with what is left."""
    now, today = timezone.now(), timezone.localdate()
    user = user_of(request)
    form = SignForm(request.POST if request.method == "POST" else None, initial=_initial(user, today))
    if form.is_valid():
        try:
            count = sign(marks_of(request.POST), form.signature, by=user, now=now)
        except (content.ChangedMeanwhile, Nothing) as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"{count} signed off.")
            return redirect(_back(request))
    return _page(request, form, today)


@transaction.atomic
def sign(marks: Sequence[str], signature: dict[str, Any], *, by: User, now: dt.datetime) -> int:
    """Sign the versions that ``marks`` name; how many. Raises ChangedMeanwhile, or Nothing."""
    rows = [row for kind, versions in _by_kind(marks).items() for row in _same_versions(kind, versions)]
    if not rows:
        raise Nothing
    content.sign_all(rows, **signature, by=by, now=now)
    told = {name: str(value) for name, value in signature.items()}
    AuditEvent.objects.bulk_create(
        AuditEvent(
            at=now, by=by, act="signed", kind=kind_of(row), key=str(row.pk), detail={"version": row.version, **told}
        )
        for row in rows
    )
    return len(rows)


def marks_of(data: Any) -> list[str]:
    """The versions that stood on the page, without those to leave out. One field, however many they are."""
    left_out = set(data.getlist("leave"))
    return [mark for mark in data.get("read", "").split() if mark not in left_out]


def sign_off_address(rows: Iterable[Reviewed]) -> str:
    """The page for just these rows."""
    chosen: dict[str, list[str]] = {}
    for row in rows:
        chosen.setdefault(kind_of(row), []).append(str(row.pk))
    return f"{reverse('sign_off')}?{urlencode({kind: ','.join(ids) for kind, ids in chosen.items()})}"


def waiting(today: dt.date) -> list[Reviewed]:
    """Every text and rule without a signature under its present words, or with a review that is due again."""
    late = {(review.revision.kind, review.revision.code) for review in readiness.overdue(today)}
    rows = (row for model in MODELS.values() for row in rows_of(model))
    return [row for row in rows if not row.is_signed or (kind_of(row), row.code) in late]


def grouped(found: Sequence[Reading]) -> list[Group]:
    """In the order in which a clinician reads: guidance by topic, questions with their rules, the rest."""
    groups: dict[str, Group] = {}
    for each in sorted(found, key=_place):
        code, title = _group_of(each.row)
        groups.setdefault(code, Group(code, title, [])).readings.append(each)
    return list(groups.values())


def _page(request: HttpRequest, form: SignForm, today: dt.date) -> HttpResponse:
    rows = _asked_for(request)
    groups = grouped(readings(waiting(today) if rows is None else rows))
    found = [each for group in groups for each in group.readings]
    context = {
        **admin.site.each_context(request),
        "title": "Sign off",
        "groups": groups,
        "count": len(found),
        "read": " ".join(each.mark for each in found),
        "left_out": request.POST.getlist("leave"),
        "is_selection": rows is not None,
        "tags": TAGS,
        "today": today,
        "form": form,
        "media": form.media,
    }
    return TemplateResponse(request, "admin/sign_off.html", context, status=422 if form.is_bound else 200)


def _asked_for(request: HttpRequest) -> list[Reviewed] | None:
    """The rows that the address names; None when it names none."""
    chosen = {kind: request.GET[kind] for kind in MODELS if kind in request.GET}
    if not chosen:
        return None
    return [row for kind, ids in chosen.items() for row in rows_of(MODELS[kind]).filter(pk__in=_numbers(ids))]


def _numbers(text: str) -> list[int]:
    return [int(each) for each in text.split(",") if each.isascii() and each.isdecimal() and len(each) < 19]


def _back(request: HttpRequest) -> str:
    """To the list where the rows were chosen, else to what still waits."""
    kinds = [kind for kind in MODELS if kind in request.GET]
    return reverse(f"admin:clinic_{kinds[0]}_changelist") if len(kinds) == 1 else reverse("sign_off")


def _by_kind(marks: Iterable[str]) -> dict[str, dict[int, int]]:
    """By kind: which row had which version."""
    found: dict[str, dict[int, int]] = {}
    for mark in marks:
        kind, _, rest = mark.partition(":")
        numbers = _numbers(rest.replace(":", ","))
        if kind not in MODELS or len(numbers) != 2:
            raise content.ChangedMeanwhile
        found.setdefault(kind, {})[numbers[0]] = numbers[1]
    return found


def _same_versions(kind: str, versions: dict[int, int]) -> list[Reviewed]:
    rows = list(MODELS[kind]._default_manager.filter(pk__in=versions))
    if {row.pk: row.version for row in rows} != versions:
        raise content.ChangedMeanwhile
    return rows


def _initial(user: User, today: dt.date) -> dict[str, Any]:
    """As this account signed last; before that, the name of whoever has the right by their role, so a clinician."""
    last = Review.objects.filter(signed_by=user).first()
    return {
        "reviewer": last.reviewer if last else "" if user.is_superuser else user.get_full_name(),
        "registration": last.registration if last else "",
        "next_review_on": today + NEXT_REVIEW_AFTER,
    }


def _group_of(row: Reviewed) -> tuple[str, str]:
    match row:
        case Item():
            return row.topic.code, f"Guidance: {row.topic.title}"
        case HistoryRule():
            return "earlier-visits", "Rules about earlier visits"
        case Wording():
            return "fixed-texts", "Fixed texts"
    question = _question_of(row)
    return question.code, f"Screening: {question.code}"


def _question_of(row: Reviewed) -> Question:
    match row:
        case Rule():
            return row.part.question
        case Part():
            return row.question
    assert isinstance(row, Question), "the other kinds have groups of their own"
    return row


def _place(each: Reading) -> tuple[int, ...]:
    row = each.row
    match row:
        case Item():
            return 0, row.topic.position, row.topic_id, row.position, row.pk
        case Question():
            return 1, row.position, row.pk, 0
        case Part():
            return 1, row.question.position, row.question_id, 1, row.position, row.pk, 0
        case Rule():
            return 1, row.part.question.position, row.part.question_id, 1, row.part.position, row.part_id, 1, row.pk
        case HistoryRule():
            return 2, row.pk
    return 3, row.pk
