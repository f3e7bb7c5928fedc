"""House rules that a reader would otherwise have to check by hand."""

import ast
import re
import subprocess
from functools import cache
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

pytestmark = pytest.mark.one_database

ROOT = Path(__file__).resolve().parent.parent
TOP_LEVEL = {
    ".ci",
    ".dockerignore",
    ".editorconfig",
    ".env.example",
    ".gitattributes",
    ".gitignore",
    ".pre-commit-config.yaml",
    ".python-version",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Dockerfile",
    "LICENSE",
    "README.md",
    "SECURITY.md",
    "bookings",
    "clinic",
    "compose.yaml",
    "manage.py",
    "pyproject.toml",
    "requirements-dev.txt",
    "requirements.txt",
    "templates",
    "tests",
}
TEST_COMMAND = "python3 -m venv .venv && .venv/bin/pip install -r requirements-dev.txt && .venv/bin/pytest"
DEMO_COMMAND = "python3 -m venv .venv && .venv/bin/pip install -r requirements.txt && .venv/bin/python manage.py demo"
LONGEST_FUNCTION, LONGEST_FILE = 40, 420
DOORS = ("bookings/online", "bookings/desk", "bookings/api", "clinic/views")


@cache
def files(*suffixes: str) -> tuple[Path, ...]:
    """The project's own files: what git has, or would take."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    paths = sorted(ROOT / name for name in listed if not suffixes or name.endswith(suffixes))
    return tuple(path for path in paths if path.is_file())


def under(folder: str, *suffixes: str) -> list[Path]:
    return [path for path in files(*suffixes) if path.is_relative_to(ROOT / folder)]


def found(pattern: str, paths: list[Path] | tuple[Path, ...], flags: int = re.IGNORECASE) -> list[str]:
    """Where a pattern stands: "path: the words"."""
    return [
        f"{path.relative_to(ROOT)}: {match.group(0)[:80]}"
        for path in paths
        for match in re.finditer(pattern, path.read_text(), flags)
    ]


def test_only_agreed_names_stand_at_the_top_level():
    assert {path.relative_to(ROOT).parts[0] for path in files()} - TOP_LEVEL == set()


def test_no_function_is_longer_than_forty_lines():
    long = [
        f"{path.relative_to(ROOT)}: {node.name}"
        for path in files(".py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno >= LONGEST_FUNCTION
    ]

    assert long == []


def test_no_module_tells_two_stories():
    modules = [path for path in under("clinic", ".py") + under("bookings", ".py") if "migrations" not in path.parts]

    assert [path.name for path in modules if len(path.read_text().splitlines()) > LONGEST_FILE] == []


def test_pages_carry_no_inline_styles_and_no_handlers():
    pages = [path for path in under("templates", ".html", ".svg") if "email" not in path.parts]

    assert pages
    assert found(r"<[^>{}]*\sstyle\s*=", pages) == []
    assert found(r"<[a-z][^>]*\son[a-z]+\s*=", pages) == []
    assert found(r"javascript:", pages) == []


def test_every_inline_script_and_style_has_a_nonce():
    pages = [path for path in under("templates", ".html") if "email" not in path.parts]

    assert found(r"<(?:script|style)\b(?![^>]*\b(?:nonce|src)=)[^>]*>", pages) == []


def test_pages_load_nothing_from_elsewhere():
    pages = [path for path in under("templates", ".html") if "email" not in path.parts]
    styles = under("clinic/static", ".css", ".js")

    assert found(r"<(?:script|link|img|iframe|source)\b[^>]*(?:src|href)=[\"'](?:https?:)?//[^\"']*", pages) == []
    assert found(r"@import|url\(\s*[\"']?(?:https?:)?//[^)]*", styles) == []


def test_forms_that_post_carry_the_token():
    forms = [
        f"{path.relative_to(ROOT)}: {form[:60]}"
        for path in under("templates", ".html")
        for form in re.findall(r"<form\b(?:.*?)</form>", path.read_text(), re.IGNORECASE | re.DOTALL)
        if re.search(r"method=[\"']post", form, re.IGNORECASE) and not re.search(r"csrf_token|{% crispy", form)
    ]

    assert forms == []


def test_nothing_frightens_or_blames():
    told = under("templates") + under("clinic/content_data") + under("clinic", ".py") + under("bookings", ".py")

    assert found(r"never ignore|\btoxins?\b|\bshocking\b|poor hygiene|dirty skin", told) == []


def test_every_mention_of_the_danger_triangle_says_that_it_is_rare():
    # A cited article keeps its own title.
    told = [path for path in under("templates") + under("clinic/content_data", ".json") if path.stem != "sources"]
    sentence = r"[^.\"]*danger triangle[^.\"]*[.\"]?[^.\"]*"
    found_there = [said for path in told for said in re.findall(sentence, path.read_text(), re.IGNORECASE)]

    assert [said for said in found_there if "rare" not in said.lower()] == []


def test_doors_ask_for_bookings_by_word_not_by_state():
    doors = [path for path in files(".py") if any(path.is_relative_to(ROOT / door) for door in DOORS)]

    assert found(r"\bBooking\.objects[^\n]*\.(?:filter|exclude)\([^)]*\bstate(?:__\w+)?\s*=", doors) == []


def test_no_file_knows_the_machine_it_was_written_on():
    machine = "|".join(("/" + "work/", "/" + "root/", "/" + "home/\\w"))

    texts = files(".py", ".md", ".toml", ".html", ".css", ".js", ".json", ".txt", "run")

    assert found(rf"(?<![\w.]){machine}", texts) == []


def test_tests_replace_none_of_our_code():
    assert found(r"^(?:from|import) unittest(?:\.| import )mock", under("tests", ".py"), re.MULTILINE) == []


def test_every_migration_has_a_name():
    migrations = [path.stem for path in files(".py") if "migrations" in path.parts and path.stem != "__init__"]

    assert migrations
    assert [name for name in migrations if not re.fullmatch(r"\d{4}_(?!auto_)[a-z0-9_]+", name)] == []


@pytest.mark.django_db
def test_the_models_and_the_migrations_agree():
    said = StringIO()

    call_command("makemigrations", check=True, dry_run=True, stdout=said)

    assert "No changes detected" in said.getvalue()


def test_the_readme_has_both_commands():
    readme = (ROOT / "README.md").read_text()

    assert TEST_COMMAND in readme
    assert DEMO_COMMAND in readme
    assert TEST_COMMAND in (ROOT / ".ci/run").read_text()
