"""The content file in the admin and from the command line."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client

from clinic import content
from clinic.admin.packs import LARGEST
from clinic.models import HistoryRule, Item, Review, Revision
from tests.admin_pages import edit, item
from tests.factories import NOW, make_policy, make_staff
from tests.online import text_of
from tests.test_content_packs import forget_everything, sign

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

PAGE, BRING_IN, DOWNLOAD = "/admin/content-pack/", "/admin/content-pack/bring-in/", "/admin/content-pack/download/"


@pytest.fixture(autouse=True)
def _clock(time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def manager() -> User:
    return make_staff("manager")


@pytest.fixture
def door(client: Client, manager: User) -> Client:
    client.force_login(manager)
    return client


@pytest.fixture
def packed(manager: User) -> str:
    """From a clinic that signed words of its own for one item, and edited another. This one has just been loaded."""
    content.load(now=NOW)
    edit(item("WHY-1"), text="Signed <elsewhere>.")
    sign(item("WHY-1"), by=manager)
    edit(item("WHY-2"), text="A draft from elsewhere.")
    text = content.export()
    forget_everything()
    content.load(now=NOW)
    return text


def upload(client: Client, text: str | bytes) -> Any:
    data = text if isinstance(text, bytes) else text.encode()
    return client.post(PAGE, {"file": SimpleUploadedFile("content.json", data)})


def test_the_whole_content_is_downloaded_as_one_file(door: Client) -> None:
    content.load(now=NOW)

    response = door.get(DOWNLOAD)

    assert response.content.decode() == content.export()
    assert response["Content-Disposition"] == 'attachment; filename="content-2026-11-23.json"'


def test_an_uploaded_file_shows_what_it_would_change_and_changes_nothing(door: Client, packed: str) -> None:
    before, old = content.export(), item("WHY-1").text

    page = upload(door, packed)

    text = text_of(page)
    assert page.status_code == 200
    assert "New version (2)" in text
    assert f"<del>{old}</del>" in text
    assert "<ins>Signed &lt;elsewhere&gt;.</ins>" in text
    assert "<strong>WHY-2</strong>, a draft until it is signed" in text
    assert content.export() == before


def test_the_second_press_brings_it_in_once(door: Client, packed: str, manager: User) -> None:
    page = upload(door, packed)

    done = door.post(BRING_IN, {"plan": page.context["plan"].digest}, follow=True)
    again = door.post(BRING_IN, {"plan": page.context["plan"].digest}, follow=True)

    assert "Brought in: 2." in text_of(done)
    assert "No file waits. Choose it again." in text_of(again)
    assert [(row.version, row.signed_version) for row in (item("WHY-1"), item("WHY-2"))] == [(2, 2), (2, None)]
    assert Review.objects.get().signed_by == manager


def test_what_changed_meanwhile_is_shown_again_first(door: Client, packed: str) -> None:
    page = upload(door, packed)
    edit(item("WHY-1"), text="Ours, a moment ago.")

    response = door.post(BRING_IN, {"plan": page.context["plan"].digest})

    assert response.status_code == 409
    assert "The content here changed meanwhile." in text_of(response)
    assert item("WHY-1").text == "Ours, a moment ago."
    door.post(BRING_IN, {"plan": response.context["plan"].digest})
    assert item("WHY-1").text == "Signed <elsewhere>."


def test_a_file_that_changes_nothing_says_so(door: Client) -> None:
    content.load(now=NOW)

    page = upload(door, content.export())

    assert "The file changes nothing here." in text_of(page)
    assert "Bring it in" not in text_of(page)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "The submitted file is empty."),
        (b"\xff\xfe", "it cannot be read as text"),
        (b"{}", "not a content file of this program"),
        (b" " * (LARGEST + 1), "The file is larger than 5 MB."),
    ],
)
def test_a_file_that_is_none_is_refused_with_a_sentence(door: Client, data: bytes, sentence: str) -> None:
    response = upload(door, data)

    assert response.status_code == 422
    assert sentence in text_of(response)


def test_a_file_that_does_not_fit_beside_what_is_here_is_refused(door: Client, packed: str) -> None:
    rows = json.loads(packed)
    rows["parts"][0]["question"] = "Q2"

    response = upload(door, json.dumps(rows))

    assert response.status_code == 422
    assert "here it belongs to Q1, in the file to Q2" in text_of(response)


def test_only_those_who_sign_take_and_bring_content(client: Client) -> None:
    client.force_login(make_staff("editor", is_superuser=False))

    assert [client.get(PAGE).status_code, client.get(DOWNLOAD).status_code, client.post(BRING_IN).status_code] == [
        403
    ] * 3


# From the command line


def test_the_commands_write_the_file_and_bring_it_in(tmp_path: Path, packed: str, manager: User, capsys: Any) -> None:
    source, copy = tmp_path / "in.json", tmp_path / "out.json"
    source.write_text(packed, encoding="utf-8")

    call_command("import_content", source, "--dry-run")
    told = capsys.readouterr().out
    untouched = item("WHY-1").version
    call_command("import_content", source, "--by", "manager")
    call_command("export_content", copy)

    assert "New version: item WHY-1\nNew version: item WHY-2 (a draft until it is signed)\n2 listed above" in told
    assert (untouched, item("WHY-1").version) == (1, 2)
    assert copy.read_bytes() == content.export().encode()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ([], "has to answer for them"),
        (["--by", "nobody"], "Nobody signs in as nobody."),
    ],
)
def test_signatures_from_a_file_need_a_person_of_this_clinic(
    tmp_path: Path, packed: str, options: list[str], sentence: str
) -> None:
    source = tmp_path / "in.json"
    source.write_text(packed, encoding="utf-8")

    with pytest.raises(CommandError, match=sentence):
        call_command("import_content", source, *options)
    assert Item.objects.get(code="WHY-1").version == 1


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="The file cannot be read"):
        call_command("import_content", tmp_path / "none.json")
    with pytest.raises(CommandError, match="The file cannot be written"):
        call_command("export_content", tmp_path / "no" / "such" / "folder.json")


def test_new_content_is_loaded_after_an_upgrade_and_what_waits_is_named(capsys: Any) -> None:
    content.load(now=NOW)
    make_policy()
    HistoryRule.objects.all().delete()
    Revision.objects.filter(kind="historyrule").delete()
    edit(item("WHY-1"), text="Our own words.")

    call_command("load_content")

    told = capsys.readouterr().out
    assert told.startswith("2 new, 0 with new words, 1 kept as edited here.\nBefore patients can book:\n")
    assert "Rules about earlier visits: 2 to sign off" in told
    assert item("WHY-1").text == "Our own words."
