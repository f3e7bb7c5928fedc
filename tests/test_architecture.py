"""Who may import whom: a module imports only from lower floors, never sideways, never up.

Imports inside functions and under ``TYPE_CHECKING`` count. A row that is a package is one unit: inside it imports are
free, but without circles. A new module is added here.
"""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

pytestmark = pytest.mark.one_database

ROOT = Path(__file__).resolve().parent.parent
FLOORS: dict[int, list[str]] = {
    0: ["clinic.intervals", "clinic.words", "clinic.settings", "clinic.checks", "clinic.logs"],
    1: ["clinic.models"],
    2: [
        "clinic.content",
        "clinic.guidance",
        "clinic.screening",
        "clinic.opening",
        "clinic.readiness",
        "clinic.checklist",
        "clinic.audit",
        "clinic.second_factor",
    ],
    3: [
        "clinic.admin",
        "clinic.views",
        "clinic.context",
        "clinic.templatetags",
        "clinic.zones",
        "clinic.admin_site",
        "clinic.absences",
        "clinic.public_holidays",
    ],
    4: [
        "bookings.ages",
        "bookings.constraints",
        "bookings.links",
        "bookings.ical",
        "bookings.mime",
        "bookings.delivery",
    ],
    5: ["bookings.models"],
    6: [
        "bookings.availability",
        "bookings.eligibility",
        "bookings.outbox",
        "bookings.limits",
        "bookings.integrity",
        "bookings.displaced",
        "bookings.rechecking",
    ],
    7: ["bookings.claims", "bookings.emails", "bookings.rehoming"],
    8: ["bookings.lifecycle"],
    9: ["bookings.followup"],
    10: ["bookings.forms", "bookings.access"],
    11: ["bookings.online", "bookings.desk", "bookings.api", "bookings.admin", "bookings.management"],
    12: ["bookings.urls", "bookings.apps", "bookings.templatetags", "clinic.apps"],
    13: ["clinic.urls", "clinic.wsgi"],
}
FLOOR = {unit: floor for floor, units in FLOORS.items() for unit in units}
APPS = ("clinic", "bookings")


def modules(root: Path) -> dict[str, Path]:
    """Every module of both apps by its dotted name; migrations are history and stand outside."""
    found = {}
    for app in APPS:
        for path in sorted((root / app).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            if "migrations" not in parts:
                found[".".join(parts).removesuffix(".__init__")] = path
    return found


def imports(path: Path, known: dict[str, Path]) -> Iterator[str]:
    """Our own modules that a file names in an import, wherever in the file it stands."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            inside = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if name in known else node.module or "" for name in inside]
        else:
            continue
        yield from (name for name in names if name.partition(".")[0] in APPS)


def unit_of(module: str) -> str:
    """The row of the table that a module belongs to; empty when it has none."""
    parts = module.split(".")
    return next((".".join(parts[:n]) for n in range(len(parts), 0, -1) if ".".join(parts[:n]) in FLOOR), "")


def broken_rules(root: Path) -> list[str]:
    """What stands where it must not, one line each."""
    known = modules(root)
    problems = []
    for module, path in known.items():
        unit = unit_of(module)
        if not unit:
            if module not in APPS or path.read_text().strip():
                problems.append(f"{module} has no floor")
            continue
        problems += [
            f"{module} imports {name}"
            for name in imports(path, known)
            if unit_of(name) != unit and FLOOR.get(unit_of(name), 99) >= FLOOR[unit]
        ]
    return problems + circles(known)


def circles(known: dict[str, Path]) -> list[str]:
    graph = {module: {name for name in imports(path, known) if name != module} for module, path in known.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return ["circle: " + " → ".join(error.args[1])]
    return []


def test_every_module_imports_only_from_lower_floors():
    assert broken_rules(ROOT) == []


def test_the_clinic_never_imports_the_bookings():
    known = modules(ROOT)
    clinic = {module: path for module, path in known.items() if module.startswith("clinic.")}

    assert [
        module for module, path in clinic.items() if any(n.startswith("bookings") for n in imports(path, known))
    ] == []


@pytest.mark.parametrize(
    ("module", "text", "problem"),
    [
        ("clinic/words.py", "from clinic.models import Clinic", "clinic.words imports clinic.models"),
        ("clinic/words.py", "def f():\n    from clinic import models", "clinic.words imports clinic.models"),
        (
            "clinic/words.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import bookings.claims",
            "clinic.words imports bookings.claims",
        ),
        (
            "bookings/emails/letters.py",
            "from bookings import claims",
            "bookings.emails.letters imports bookings.claims",
        ),
        ("bookings/helpers.py", "", "bookings.helpers has no floor"),
        ("bookings/__init__.py", "from bookings.claims import lock", "bookings has no floor"),
        (
            "clinic/models/places.py",
            "from clinic.models import places_too",
            "circle: clinic.models.places → clinic.models.places_too → clinic.models.places",
        ),
    ],
)
def test_a_broken_rule_is_found(tmp_path, module, text, problem):
    """The check above is worth nothing unless it can fail."""
    files = {
        "clinic/models/__init__.py": "",
        "clinic/models/places_too.py": "from clinic.models import places",
        "clinic/models/places.py": "",
        "bookings/claims.py": "",
        module: text,
    }
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)

    assert problem in broken_rules(tmp_path)
