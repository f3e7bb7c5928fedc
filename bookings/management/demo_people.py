"""Patients who do not exist. Surnames are visibly made up, addresses lie under example.org, phones are fictional."""

import datetime as dt
from typing import NamedTuple

FIRST_NAMES = """
    Ada Alex Amir Ana Ben Bo Carla Chidi Dana Demi Eli Emre Esi Faye Femi Gael Gita Hana Hugo Ida Imani Iris Jae Jo
    Juno Kai Kofi Lena Leo Lior Luz Mara Max Mei Milo Nia Noor Omar Otis Pia Quinn Ravi Rhea Robin Rosa Sam Sana
    Sol Suki Tariq Tess Theo Uma Vera Wren Yara Yusuf Zane Zoe
"""
LAST_NAMES = """
    Acornby Barleywick Cloudberry Dapplewood Elderbrook Fernsby Gladewater Hazelnook Ivystone Juniperson Kettlebrook
    Larchmont Mosswell Nettleford Oatfield Pebblesworth Quillfeather Rowanvale Sandpiperson Thistledown Umberleaf
    Violetcroft Willowmere Yarrowby Zinniafield
"""
FIRST, LAST = FIRST_NAMES.split(), LAST_NAMES.split()
DIFFERENT = len(FIRST) * len(LAST)
# Each has a hundred numbers that nobody owns.
AREA_CODES = (212, 315, 332, 347, 516, 518, 585, 607, 631, 646, 680, 716, 718, 838, 845, 914, 917, 929, 934)
REASONS = (
    "I have a cold.",
    "My work times changed.",
    "I would like to wait a few weeks.",
    "My skin is sore after a day in the sun.",
    "",
)
WISHES = (
    "I am nervous about needles.",
    "Please tell me before each step.",
    "A quiet room, please.",
    "I use a walking stick.",
    "I react to some plasters.",
)
CALL_BACKS = ("Is the numbing cream safe while breastfeeding?", "I cannot find a time after 5pm.")


class Person(NamedTuple):
    """What someone would type into the form."""

    name: str
    email: str
    phone: str
    date_of_birth: dt.date


def person(number: int) -> Person:
    """The same person for the same number; others have another name and, among 1,900 in a row, another phone."""
    first, last, again = FIRST[number % len(FIRST)], LAST[number % len(LAST)], number // DIFFERENT
    if again:
        last = f"{last}-{LAST[(number + 1 + again % (len(LAST) - 1)) % len(LAST)]}"
    return Person(
        name=f"{first} {last}",
        email=f"{first}.{last}@example.org".lower(),
        phone=f"+1{AREA_CODES[number // 100 % len(AREA_CODES)]}555{100 + number % 100:04}",
        date_of_birth=dt.date(1958 + number * 7 % 48, 1 + number % 12, 1 + number % 28),
    )
