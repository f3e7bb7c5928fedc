"""What the patient's forms take and refuse."""

import datetime as dt

import pytest

from bookings.forms import CallMeForm, DetailsForm, QuestionsForm, suggested_email
from clinic.models import Clinic
from clinic.screening import Answer, Answered, Asked, AskedPart

TODAY = dt.date(2026, 11, 23)
VISIT = dt.date(2026, 12, 10)
GOOD = {
    "name": "Robin Example",
    "email": "robin@example.org",
    "phone": "212 555 0123",
    "date_of_birth": "1990-03-17",
    "guidance_read": "on",
    "consent": "on",
}


def filled(**said: str | None) -> DetailsForm:
    data = {name: value for name, value in {**GOOD, **said}.items() if value is not None}
    return form_of(data)


def form_of(data: dict[str, str], *, online_from_age: int = 18, asked: tuple[Asked, ...] = ()) -> DetailsForm:
    clinic = Clinic(country="US", online_from_age=online_from_age)
    return DetailsForm(data, clinic=clinic, visit_date=VISIT, today=TODAY, asked=asked)


def question(code: str, *parts: str, asks_date: bool = False, is_private: bool = False) -> Asked:
    bullets = tuple(AskedPart(part, part.capitalize(), part, asks_date, 1) for part in parts or (code.lower(),))
    return Asked(
        code=code,
        version=1,
        stage="details",
        lead=f"Is {code} true?",
        parts=bullets,
        advice="",
        applies_to=frozenset({"ALL"}),
        date_label="If yes, when?",
        may_be_ahead=False,
        is_asked_again=False,
        is_private=is_private,
        is_signed=True,
    )


def asking(*asked: Asked, **said: str | list[str]) -> QuestionsForm:
    return QuestionsForm(said, asked=asked, today=TODAY)


def boxes(day: str, month: str, year: str) -> dict[str, str | None]:
    return {
        "date_of_birth": None,
        "date_of_birth_day": day,
        "date_of_birth_month": month,
        "date_of_birth_year": year,
    }


def test_a_complete_form_is_taken() -> None:
    form = filled()

    assert form.is_valid()
    assert form.cleaned_data["date_of_birth"] == dt.date(1990, 3, 17)
    assert form.cleaned_data["for_whom"] == "me"


def test_a_wrong_date_is_marked_in_each_of_its_boxes() -> None:
    wrong = filled(**boxes("31", "2", "1990"))
    right = filled()

    assert str(wrong["date_of_birth"]).count('aria-invalid="true"') == 3
    assert "aria-invalid" not in str(right["date_of_birth"])


@pytest.mark.parametrize("month", ["3", "03", "March", "mar", "MARCH"])
def test_a_month_may_be_a_number_or_a_name(month: str) -> None:
    form = filled(**boxes("17", month, "1990"))

    assert form.is_valid()
    assert form.cleaned_data["date_of_birth"] == dt.date(1990, 3, 17)


@pytest.mark.parametrize(
    ("day", "month", "year", "error"),
    [
        ("", "", "", "Enter the date of birth"),
        ("17", "3", "", "Date of birth must include a year"),
        ("", "3", "1990", "Date of birth must include a day"),
        ("17", "", "1990", "Date of birth must include a month"),
        ("31", "2", "1990", "Enter a real date of birth, like 17 3 1990"),
        ("17", "foo", "1990", "Enter a real date of birth, like 17 3 1990"),
        ("17", "3", "90", "Enter a real date of birth, like 17 3 1990"),
        ("17", "3", "1890", "Enter a real date of birth, like 17 3 1990"),
        ("24", "11", "2026", "Date of birth must be in the past"),
        ("\u0667", "3\0", "1990", "Enter a real date of birth, like 17 3 1990"),
    ],
)
def test_a_wrong_birth_date_says_what_is_wrong(day: str, month: str, year: str, error: str) -> None:
    assert filled(**boxes(day, month, year)).errors["date_of_birth"] == [error]


def test_the_boxes_keep_what_was_typed() -> None:
    html = str(filled(**boxes("31", "Febr", "1990"))["date_of_birth"])

    assert 'value="31"' in html
    assert 'value="Febr"' in html
    assert 'autocomplete="bday-year"' in html


@pytest.mark.parametrize("typed", ["212 555 0123", "(212) 555-0123", "+1 212 555 0123", "1-212-555-0123"])
def test_a_phone_number_may_be_written_in_any_way(typed: str) -> None:
    form = filled(phone=typed)

    assert form.is_valid()
    assert form.cleaned_data["phone"] == "+12125550123"


def test_a_foreign_number_is_local_in_its_own_country() -> None:
    form = CallMeForm({"name": "Robin", "phone": "020 7946 0123"}, country="GB")

    assert form.is_valid()
    assert form.cleaned_data["phone"] == "+442079460123"


@pytest.mark.parametrize("typed", ["12", "abc", "555 0123", "212 555 0123\0", "9" * 40, "9" * 41])
def test_what_is_no_phone_number_is_refused(typed: str) -> None:
    assert list(filled(phone=typed).errors) == ["phone"]


@pytest.mark.parametrize(
    "name", ["Robin\0", "Robin \u202eelpmaxE", "Robin\x1b[2J", "r" * 121, "   ", "12345", "\u2067Robin"]
)
def test_a_name_with_hidden_characters_or_no_letters_is_refused(name: str) -> None:
    assert list(filled(name=name).errors) == ["name"]


@pytest.mark.parametrize("name", ["רובין דוגמה", "روبن", "O'Neill-Müller", "王小明"])
def test_names_of_all_scripts_are_taken(name: str) -> None:
    form = filled(name=name)

    assert form.is_valid()
    assert form.cleaned_data["name"] == name


def test_a_name_becomes_one_line() -> None:
    assert filled(name="Robin\r\n  Example").is_valid()
    assert filled(name="  Robin   Example ").is_valid()


@pytest.mark.parametrize("email", ["robin", "robin@", "a@b\0.org", "x" * 250 + "@example.org", "a@b.org\nBcc: c@d.org"])
def test_what_is_no_address_is_refused(email: str) -> None:
    assert list(filled(email=email).errors) == ["email"]


@pytest.mark.parametrize(
    ("email", "suggestion"),
    [
        ("robin@gmial.com", "robin@gmail.com"),
        ("robin@hotmial.com", "robin@hotmail.com"),
        ("robin@gmail.com", ""),
        ("robin@GMAIL.com", ""),
        ("robin@my-own-house.org", ""),
    ],
)
def test_a_likely_typo_is_asked_about(email: str, suggestion: str) -> None:
    assert suggested_email(email) == suggestion


def test_both_ticks_are_needed() -> None:
    assert list(filled(guidance_read=None, consent=None).errors) == ["guidance_read", "consent"]


def test_a_question_is_asked_only_while_it_is_open() -> None:
    asking = form_of(GOOD, asked=(question("Q4"),))

    assert asking.errors["q4"] == ["Select yes, no or not sure: q4"]
    assert "q4" not in filled().fields


TICKS = question("Q5", "retinoid", "acid", asks_date=True)


@pytest.mark.parametrize(
    ("said", "answered"),
    [
        ({"q5": "no"}, Answered(Answer.NO)),
        ({"q5": "unsure"}, Answered(Answer.UNSURE)),
        ({"q5": "yes"}, Answered(Answer.YES)),
        ({"q5_parts": ["acid"]}, Answered(Answer.YES, frozenset({"acid"}))),
        ({"q5_parts": ["acid"], "q5": "unsure"}, Answered(Answer.UNSURE, frozenset({"acid"}))),
        (
            {"q5_parts": ["acid"], "q5_date": "2026-11-20"},
            Answered(Answer.YES, frozenset({"acid"}), dt.date(2026, 11, 20)),
        ),
        ({"q5": "no", "q5_date": "2026-11-20"}, Answered(Answer.NO)),
    ],
)
def test_a_tick_list_is_read_as_the_contract_names_it(said: dict[str, str], answered: Answered) -> None:
    form = asking(TICKS, **said)

    assert form.is_valid()
    assert form.answers == {"Q5": answered}


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({}, "Tick what is true, or “None of these”: retinoid, acid"),
        ({"q5": "no", "q5_parts": ["acid"]}, "You ticked something and “None of these”. Untick one"),
        ({"q5_parts": ["laser"]}, "Tick boxes from the list"),
        ({"q5": "perhaps"}, "Tick boxes from the list"),
    ],
)
def test_a_tick_list_says_what_is_wrong(said: dict[str, str], error: str) -> None:
    form = asking(TICKS, **said)

    assert form.errors["q5"] == [error]


def test_a_date_after_today_is_refused() -> None:
    form = asking(question("Q3", asks_date=True), q3="yes", q3_date="2026-11-24")

    assert form.errors["q3_date"] == ["The date for q3 must not be later than today"]


GUARDIAN = {
    "guardian_name": "Sam Example",
    "guardian_relation": "mother",
    "guardian_phone": "212 555 0124",
    "guardian_email": "sam@example.org",
}
YOUNG = {**GOOD, "date_of_birth": "2010-03-17", "for_whom": "child"}


def test_a_minor_needs_a_guardian() -> None:
    form = form_of(YOUNG, online_from_age=13)

    assert form.errors["guardian_name"] == ["Enter the full name of the parent or guardian"]
    assert set(form.errors) == set(GUARDIAN)


def test_a_named_guardian_gets_the_mail_unless_the_patient_should() -> None:
    parents = form_of({**YOUNG, **GUARDIAN}, online_from_age=13)
    own = form_of({**YOUNG, **GUARDIAN, "mail_to": "patient"}, online_from_age=13)

    assert parents.is_valid()
    assert parents.guardian == {
        "name": "Sam Example",
        "relation": "mother",
        "phone": "+12125550124",
        "email": "sam@example.org",
        "gets_mail": True,
    }
    assert own.is_valid()
    assert own.guardian is not None
    assert own.guardian["gets_mail"] is False


def test_what_is_private_is_not_kept_of_a_minor_and_is_asked_of_everybody_else() -> None:
    private = question("Q11", is_private=True)
    minor = form_of({**YOUNG, **GUARDIAN, "q11": "yes"}, online_from_age=13, asked=(private,))
    adult = form_of(GOOD, online_from_age=13, asked=(private,))

    assert minor.is_valid()
    assert minor.answers == {}
    assert adult.errors["q11"] == ["Select yes, no or not sure: q11"]


def test_below_the_age_limit_no_guardian_is_asked_for() -> None:
    """They book by phone: the page says so."""
    form = form_of({**YOUNG, "date_of_birth": "2012-03-17"}, online_from_age=16)

    assert "guardian_name" not in form.errors


@pytest.mark.parametrize("field", ["name", "wishes"])
def test_a_hidden_character_is_named_once(field: str) -> None:
    form = filled(**{field: "Robin\0Example"})

    assert form.errors[field] == ["Remove the hidden characters and type this again"]


def test_refusals_are_in_our_own_words() -> None:
    form = filled(name="x" * 200, for_whom="nobody")

    assert form.errors["name"] == ["Use 120 characters or fewer"]
    assert form.errors["for_whom"] == ["Select who the visit is for"]
