"""What the clinic's messages say: a manager words them, sees how they read, and can have the default back."""

import dataclasses
import datetime as dt
from collections.abc import Collection
from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import HTML, Div, Layout, Submit
from csp.constants import HEADER
from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bookings import lifecycle, outbox
from bookings.desk.acting import form_page
from bookings.desk.doors import notices, user_of
from bookings.emails import samples, wordings
from bookings.emails.letters import Letter
from bookings.emails.wordings import MEANINGS, NEVER_IN_SUBJECT, WORDINGS, Text
from bookings.forms.fields import refuse_hidden_characters
from bookings.models import MailWording
from bookings.models.mail import KINDS

words_messages = permission_required("bookings.change_mailwording", raise_exception=True)
# An e-mail styles itself, as mail programs want it. Nothing else in it does anything, and nobody frames it.
AS_MAIL = "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"


@dataclasses.dataclass(frozen=True)
class Row:
    """One kind of message in the list; ``own`` is the clinic's own wording of it."""

    kind: str
    title: str
    goes: str
    own: MailWording | None
    is_worded_here: bool


@dataclasses.dataclass(frozen=True)
class Placeholder:
    name: str
    meaning: str
    sample: str
    may_be_in_subject: bool


class WordingForm(forms.Form):
    """Subject and opening. Whether they can be sent is for the verb to say."""

    subject = forms.CharField(
        label="Subject",
        help_text="It names no treatment: others may read it on a screen.",
        validators=[refuse_hidden_characters],
        error_messages={"required": "Enter a subject"},
    )
    opening = forms.CharField(
        label="Opening",
        required=False,
        help_text="Stands under the greeting and the heading. An empty line starts a new paragraph.",
        widget=forms.Textarea(attrs={"rows": 7}),
        validators=[refuse_hidden_characters],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = FormHelper()
        self.helper.form_method = "post"
        self.helper.attrs = {"novalidate": True}
        preview = '<button class="btn quiet" type="submit" formaction="{{ preview_url }}">Preview</button>'
        buttons = Div(Submit("act", "Save"), HTML(preview), css_class="acts")
        self.helper.layout = Layout("subject", "opening", buttons)

    @property
    def text(self) -> Text:
        return wordings.tidy(self.cleaned_data["subject"], self.cleaned_data["opening"])

    def refuse(self, problems: dict[str, str]) -> None:
        for field, problem in problems.items():
            self.add_error(field, problem)


@never_cache
@require_safe
@words_messages
def overview(request: HttpRequest) -> HttpResponse:
    """Every kind of message there is: when it goes, and whether the clinic words it itself."""
    own = {row.kind: row for row in MailWording.objects.select_related("changed_by")}
    rows = [Row(kind, title, _goes(kind), own.get(kind), kind in WORDINGS) for kind, title in KINDS.items()]
    context = {"rows": rows, "zone": timezone.get_current_timezone(), "desk_notices": notices(timezone.now())}
    return render(request, "desk/wordings.html", context)


@never_cache
@form_page
@words_messages
def word(request: HttpRequest, kind: str) -> HttpResponse:
    """The words of one kind. POST saves them; with ``edit`` it goes on with what was typed and saves nothing."""
    _known(kind, WORDINGS)
    now = timezone.now()
    if request.method != "POST":
        current = wordings.text_of(kind)
        return _form_shown(request, kind, WordingForm(initial=dataclasses.asdict(current)), now)
    if "edit" in request.POST:
        return _form_shown(request, kind, WordingForm(initial=request.POST.dict()), now)
    form = WordingForm(request.POST)
    if not form.is_valid():
        return _form_shown(request, kind, form, now)
    try:
        lifecycle.reword(kind, text=form.text, by=user_of(request), now=now)
    except lifecycle.NotWorded as refused:
        form.refuse(refused.problems)
        return _form_shown(request, kind, form, now)
    messages.success(request, f"Saved. “{KINDS[kind]}” says this from now on.")
    return redirect("desk:wording", kind)


@never_cache
@require_POST
@words_messages
def set_back(request: HttpRequest, kind: str) -> HttpResponse:
    """Back to the default. A second press changes nothing."""
    _known(kind, WORDINGS)
    lifecycle.reset_wording(kind, by=user_of(request), now=timezone.now())
    messages.success(request, f"“{KINDS[kind]}” says the default again.")
    return redirect("desk:wording", kind)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@words_messages
def preview(request: HttpRequest, kind: str) -> HttpResponse:
    """How a message reads, about a made-up visit; a POST shows what was typed and saves nothing."""
    now = timezone.now()
    letter = _letter(request, kind, now)
    if isinstance(letter, WordingForm):
        return _form_shown(request, kind, letter, now)
    context = {
        "kind": kind,
        "title": KINDS[kind],
        "letter": letter,
        "typed": {name: request.POST.get(name, "") for name in WordingForm.base_fields} if request.POST else None,
        "is_worded_here": kind in WORDINGS,
        "desk_notices": notices(now),
    }
    return render(request, "desk/wording_preview.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@words_messages
def preview_html(request: HttpRequest, kind: str) -> HttpResponse:
    """The same in HTML, as a mail program gets it."""
    now = timezone.now()
    letter = _letter(request, kind, now)
    if isinstance(letter, WordingForm):
        return _form_shown(request, kind, letter, now)
    return HttpResponse(letter.message.html, headers={HEADER: AS_MAIL})


def _letter(request: HttpRequest, kind: str, now: dt.datetime) -> Letter | WordingForm:
    """The sample of ``kind`` as it is worded, or as it was typed; the form, if that cannot be sent."""
    if request.method != "POST":
        _known(kind, {*WORDINGS, outbox.STAFF_NOTICE})
        return samples.preview(kind, now=now)
    _known(kind, WORDINGS)
    form = WordingForm(request.POST)
    if form.is_valid():
        form.refuse(wordings.problems(kind, form.text))
    return samples.preview(kind, form.text, now=now) if form.is_valid() else form


def _form_shown(request: HttpRequest, kind: str, form: WordingForm, now: dt.datetime) -> HttpResponse:
    known = samples.values(kind, now=now)
    context = {
        "kind": kind,
        "title": KINDS[kind],
        "goes": _goes(kind),
        "form": form,
        "has_errors": form.is_bound,
        "default": WORDINGS[kind],
        "own": MailWording.objects.filter(kind=kind).select_related("changed_by").first(),
        "placeholders": [
            Placeholder(name, MEANINGS[name], sample, name not in NEVER_IN_SUBJECT) for name, sample in known.items()
        ],
        "zone": timezone.get_current_timezone(),
        "desk_notices": notices(now),
    }
    return render(request, "desk/wording.html", context, status=422 if form.is_bound else 200)


def _goes(kind: str) -> str:
    return WORDINGS[kind].goes if kind in WORDINGS else "To the clinic, when a visit is booked, moved or cancelled."


def _known(kind: str, kinds: Collection[str]) -> None:
    if kind not in kinds:
        raise Http404("no such message")
