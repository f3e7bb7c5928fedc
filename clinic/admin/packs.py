"""The content as one file, out of this clinic and in: first a look at what would change, then the change."""

import zlib
from base64 import b64decode, b64encode
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.decorators import permission_required
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from clinic import content
from clinic.admin.base import user_of
from clinic.admin.reading import label, said
from clinic.admin.signing import SIGNS
from clinic.content import Act, Change, Pack, Plan
from clinic.models import Reviewed

LARGEST = 5 * 1024 * 1024
# Where an uploaded file waits for the second press, in the session of who uploaded it.
WAITS = "content_pack"
NO_LONGER_SO = "The content here changed meanwhile. Look again at what the file would change."


class PackForm(forms.Form):
    """Cleaned to the pack; ``text`` is what the file holds."""

    file = forms.FileField(label="Content file", help_text="As this program, or export_content, wrote it.")
    text = ""

    def clean_file(self) -> Pack:
        file: UploadedFile = self.cleaned_data["file"]
        if (file.size or 0) > LARGEST:
            raise forms.ValidationError("The file is larger than 5 MB.")
        try:
            self.text = file.read().decode("utf-8")
            return content.read(self.text)
        except UnicodeDecodeError as error:
            raise forms.ValidationError("This is not a content file: it cannot be read as text.") from error
        except content.BadPack as refusal:
            raise forms.ValidationError(str(refusal)) from refusal


@never_cache
@require_safe
@permission_required(SIGNS, raise_exception=True)
def download(request: HttpRequest) -> HttpResponse:
    """All of it, as one file."""
    answer = HttpResponse(content.export(), content_type="application/json; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="content-{timezone.localdate().isoformat()}.json"'
    return answer


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(SIGNS, raise_exception=True)
def pack(request: HttpRequest) -> HttpResponse:
    """Upload a file and see what it would change; nothing changes yet."""
    form = PackForm(request.POST, request.FILES) if request.method == "POST" else PackForm()
    if not form.is_bound:
        return _page(request, form)
    try:
        planned = content.plan(form.cleaned_data["file"]) if form.is_valid() else None
    except content.BadPack as refusal:
        form.add_error("file", str(refusal))
        planned = None
    if planned is None:
        return _page(request, form, status=422)
    request.session[WAITS] = b64encode(zlib.compress(form.text.encode())).decode()
    return _page(request, PackForm(), planned=planned)


@never_cache
@require_http_methods(["POST"])
@permission_required(SIGNS, raise_exception=True)
def bring_in(request: HttpRequest) -> HttpResponse:
    """Change what the page before said, and nothing else."""
    waiting = request.session.get(WAITS)
    if waiting is None:
        messages.warning(request, "No file waits. Choose it again.")
        return redirect("content_pack")
    found = content.read(zlib.decompress(b64decode(waiting)).decode())
    planned = content.plan(found)
    if planned.digest != request.POST.get("plan"):
        return _page(request, PackForm(), planned=planned, refusal=NO_LONGER_SO, status=409)
    content.bring_in(found, by=user_of(request), now=timezone.now())
    del request.session[WAITS]
    messages.success(request, f"Brought in: {len([each for each in planned.changes if each.act is not Act.KEEP])}.")
    return redirect("content_pack")


def _page(
    request: HttpRequest, form: PackForm, *, planned: Plan | None = None, refusal: str = "", status: int = 200
) -> HttpResponse:
    context = {
        **admin.site.each_context(request),
        "title": "Content as one file",
        "form": form,
        "plan": planned,
        "groups": _groups(planned) if planned else [],
        "refusal": refusal,
    }
    return TemplateResponse(request, "admin/content_pack.html", context, status=status)


def _groups(planned: Plan) -> list[tuple[str, list[tuple[Change, list[tuple[str, str, str]]]]]]:
    """By what happens; each change with its lines in words."""
    return [
        (act.value, [(change, _lines(change)) for change in planned.changes if change.act is act])
        for act in Act
        if any(change.act is act for change in planned.changes)
    ]


def _lines(change: Change) -> list[tuple[str, str, str]]:
    row: Any = change.packed.row
    if not isinstance(row, Reviewed):
        return [(name.replace("_", " "), _plain(old), _plain(new)) for name, old, new in change.lines]
    return [
        (label(row, name), said(row, name, old), said(row, name, new))
        if name in row.REVIEWED_FIELDS
        else (name.replace("_", " "), _plain(old), _plain(new))
        for name, old, new in change.lines
    ]


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)
    return "" if value is None else str(value)
