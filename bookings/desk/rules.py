"""The rules screen: what each rule says, how many answers it sends where, and a place to try answers out.

For those who decide on reviews, and for managers. It counts answers and names nobody.
"""

import dataclasses
import datetime as dt
from collections import Counter
from collections.abc import Iterable
from typing import Any

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from bookings.desk import trying
from bookings.desk.doors import notices
from bookings.models import ScreeningRun
from clinic.models import Grade, HistoryRule, Review, Reviewed, Rule, Undated, Verdict
from clinic.models.shown import Shown, kind_of, shown

COUNTED = dt.timedelta(days=90)
# Clinicians have it by their role, and a superuser by being one.
sees_rules = permission_required("bookings.decide_reviews", raise_exception=True)


@dataclasses.dataclass(frozen=True)
class Share:
    """Some of so many, also in percent."""

    some: int
    all: int

    @property
    def percent(self) -> int:
        return round(100 * self.some / self.all) if self.all else 0


@dataclasses.dataclass(frozen=True)
class Line:
    """One rule as patients meet it. ``waits`` says that an edit is not signed yet."""

    code: str
    question: str
    part: str
    verdict: str
    days: str
    for_whom: str
    evidence: str
    version: int
    signed_by: str
    waits: bool
    share: Share


@dataclasses.dataclass(frozen=True)
class Counted:
    """Rounds of answers of some weeks: all of them, by verdict, by answered question, and by rule that was set off."""

    rounds: int
    verdicts: Counter[str]
    answered: Counter[str]
    set_off: Counter[str]

    @property
    def totals(self) -> list[tuple[str, Share]]:
        return [(verdict.label, Share(self.verdicts[verdict], self.rounds)) for verdict in Verdict]


@never_cache
@require_safe
@sees_rules
def rules(request: HttpRequest) -> HttpResponse:
    """Every rule, with the share of the last 90 days' answers that set it off."""
    now = timezone.now()
    counted = count(since=now - COUNTED)
    signatures = _signatures()
    context = {
        "lines": lines(counted, signatures),
        "history": history_lines(counted, signatures),
        "counted": counted,
        "days": COUNTED.days,
        "desk_notices": notices(now),
    }
    return render(request, "desk/rules.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@sees_rules
def try_out(request: HttpRequest) -> HttpResponse:
    """The address says for which visit; answers come by POST, are judged, and are kept nowhere."""
    now = timezone.now()
    asked_for = trying.visit_form(request.GET, now)
    visit = trying.visit_of(asked_for)
    form = trying.form_for(visit, request.POST if request.method == "POST" else None) if visit else None
    result = trying.result(visit, form) if visit and form and form.is_valid() else None
    has_errors = form is not None and bool(form.errors)
    context = {
        "asked_for": asked_for,
        "visit": visit,
        "form": form,
        "has_errors": has_errors,
        "result": result,
        "desk_notices": notices(now),
    }
    return render(request, "desk/rules_try.html", context, status=422 if has_errors else 200)


def count(*, since: dt.datetime) -> Counted:
    """From the answers that are still kept, in one query."""
    counted = Counted(0, Counter(), Counter(), Counter())
    rounds = 0
    kept = ScreeningRun.objects.filter(made_at__gte=since, deleted_at=None).order_by()
    for answers, findings, verdict in kept.values_list("answers", "findings", "verdict").iterator():
        rounds += 1
        counted.verdicts[verdict] += 1
        counted.answered.update(answers.keys())
        counted.set_off.update({found["rule"] for found in findings})
    return dataclasses.replace(counted, rounds=rounds)


def lines(counted: Counted, signatures: dict[tuple[str, str, int], Review]) -> list[Line]:
    """In the order in which patients are asked."""
    rows = list(Rule.objects.select_related("part__question"))
    return [
        Line(
            question=row.part.question.code,
            part=row.part.text,
            evidence=row.part.question.evidence_kind,
            verdict=Verdict(version.fields["verdict"]).label,
            days=_days(version.fields),
            for_whom=_for_whom(version.fields),
            share=Share(counted.set_off[row.code], counted.answered[row.part.question.code]),
            **_standing(row, version, signatures),
        )
        for row, version in zip(rows, shown(rows), strict=True)
    ]


def history_lines(counted: Counted, signatures: dict[tuple[str, str, int], Review]) -> list[Line]:
    """Rules about earlier visits; whom they are asked is not written down, so they count among all rounds."""
    rows = list(HistoryRule.objects.all())
    return [
        Line(
            question="Earlier visits",
            part=version.fields["advice"],
            evidence=", ".join(version.fields["evidence"]),
            verdict=row.get_kind_display(),
            days=str(version.fields["days"]),
            for_whom=_for_whom(version.fields),
            share=Share(counted.set_off[row.code], counted.rounds),
            **_standing(row, version, signatures),
        )
        for row, version in zip(rows, shown(rows), strict=True)
    ]


def _standing(row: Reviewed, version: Shown, signatures: dict[tuple[str, str, int], Review]) -> dict[str, Any]:
    review = signatures.get((kind_of(row), row.code, version.version))
    return {
        "code": row.code,
        "version": version.version,
        "signed_by": review.reviewer if review else "",
        "waits": not row.is_signed,
    }


def _signatures() -> dict[tuple[str, str, int], Review]:
    kinds = [kind_of(row) for row in (Rule(), HistoryRule())]
    reviews: Iterable[Review] = Review.objects.filter(revision__kind__in=kinds).select_related("revision")
    return {(each.revision.kind, each.revision.code, each.revision.version): each for each in reviews}


def _days(fields: dict[str, Any]) -> str:
    if fields["days"] is None:
        return ""
    undated = f", without a date: {Undated(fields['undated']).label.lower()}"
    return f"{fields['days']}{', and healed' if fields['must_be_healed'] else ''}{undated}"


def _for_whom(fields: dict[str, Any]) -> str:
    """Which services, and with whom; "" for everybody who is asked."""
    grades = [str(Grade(code).label) for code in fields.get("grades", [])]
    return ", ".join([*fields["applies_to"], *grades])
