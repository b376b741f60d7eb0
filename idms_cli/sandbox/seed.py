"""What the site holds when it is new: members, organizations, memberships, scores, codes, activities."""

import random
import unicodedata
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta

from idms_cli.sandbox.definitions import GRADES
from idms_cli.sandbox.exchange import Json
from idms_cli.sandbox.parties import Parties
from idms_cli.sandbox.party_shape import ORGANIZATION, PERSON, merged, stamped
from idms_cli.sandbox.tables import Table
from idms_cli.sandbox.values import Scalar

FIRST_NAMES = (
    "Ada Aisha Amélie André Beatriz Björn Chloë Daniel Deirdre Diego Elif Émile Fatima François Grace Günther Hannah "
    "Inés Ivan Jürgen Kofi Leïla Liam Łukasz Mairead María Mei Miloš Nadia Noah Olu Özlem Priya Renée Ruth Seán Sofía "
    "Søren Thomas Zoë"
)
LAST_NAMES = (
    "Adams Ångström Beauséjour Brontë Byron Castañeda D'Angelo D'Souza Dvořák Fitzgerald García Gonçalves Hernández "
    "Ibáñez Jackson Kowalski L'Écuyer Lindström MacLeod Müller Muñoz N'Diaye Nguyễn Núñez O'Brien O'Neill Okafor "
    "Öztürk Park Petrović Quinn Rossi Šimić Smith-Jones Strauß Takahashi Vasquez Whitfield Young Zając"
)
WITHOUT_ACCENT = str.maketrans({"Ł": "L", "ø": "o", "ß": "ss"})
COMPANIES = (
    "Acme Engineering",
    "Brontë & Söhne GmbH",
    "Castañeda Hermanos",
    "Dublin Institute of Surveyors",
    "Eastside Clinic",
    "Fjord Consulting AS",
    "Gruppo D'Angelo",
    "Harbour Trust",
    "Île-de-France Conseil",
    "Jørgensen Labs",
    "Kraków Design Studio",
    "L'Atelier du Nord",
)
CITIES = (
    ("Perth", "WA", "6000", "AU"),
    ("São Paulo", "SP", "01310-100", "BR"),
    ("Montréal", "QC", "H2X 1Y4", "CA"),
    ("Zürich", "ZH", "8001", "CH"),
    ("Málaga", "AN", "29001", "ES"),
    ("Coeur d'Alene", "ID", "83814", "US"),
    ("Alexandria", "VA", "22314", "US"),
)
STREETS = ("High Street", "King's Road", "Rue de l'Église", "Königsallee", "Elm Avenue", "Calle Mayor")
COURSES = ("Ethics", "First aid", "Leading a chapter", "Writing grants", "Data protection", "Café chemistry")
CHAPTERS = ("North", "South", "Île-de-France", "Overseas")
CODES = {"CPD": "Continuing education", "ETH": "Ethics", "GRANT": "Grant", "VOL": "Volunteering", "CAFÉ": "Social"}
REGIONS = {"NORTH": "Northern region", "SOUTH": "Southern region", "OVERSEAS": "Overseas"}
EVERY_NTH_IS_A_COMPANY = 25


def fill(tables: Mapping[str, Table], parties: Parties, *, members: int, seed: int, now: datetime) -> None:
    """Put `members` contacts and what belongs to them into empty tables. The same arguments give the same site."""
    dice = random.Random(seed)  # noqa: S311  made-up people, not secrets
    today = now.replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0)
    for number in range(1, members + 1):
        if number % EVERY_NTH_IS_A_COMPANY == 0:
            _store(parties, _company(dice, number // EVERY_NTH_IS_A_COMPANY), dice, today)
        else:
            member = _store(parties, _person(dice), dice, today)
            _add_membership(tables, member, dice, today)
            _add_scores(tables, member, dice, today)
            _add_activities(tables, member, dice, today)
    for code, description in CODES.items():
        _add(tables["ABC_Codes"], {"Code": code, "Description": description})
    for code, description in REGIONS.items():
        _add(tables["GenTable"], {"TableName": "REGION", "Code": code, "Description": description})


def _store(parties: Parties, sent: Json, dice: random.Random, today: datetime) -> str:
    party_id = parties.new_id()
    party = merged(sent, {}, keep=False)
    party |= {"Id": party_id, "PartyId": party_id, "UniformId": str(uuid.UUID(int=dice.getrandbits(128), version=4))}
    items = party["AlternateIds"]["$values"]
    for item in items:
        item["Id"] = f"M{int(party_id):06}"
    created = (today - timedelta(days=dice.randint(30, 2000))).isoformat()
    parties.put(stamped(party, user="MANAGER", now=created))
    return party_id


def _person(dice: random.Random) -> Json:
    first, last = dice.choice(FIRST_NAMES.split()), dice.choice(LAST_NAMES.split())
    email = f"{_ascii(first)}.{_ascii(last)}{dice.randint(1, 999)}@example.org"
    return {
        "$type": PERSON,
        "PersonName": {
            "NamePrefix": dice.choice(("", "", "Ms.", "Mr.", "Dr.")),
            "FirstName": first,
            "LastName": last,
            "InformalName": first if dice.random() < 0.7 else first[:3],
        },
        "PrimaryOrganization": {"Name": dice.choice(COMPANIES), "Title": dice.choice(("", "Director", "Engineer"))},
        "BirthDate": f"{dice.randint(1940, 2005)}-{dice.randint(1, 12):02}-{dice.randint(1, 28):02}",
        "Gender": {"Code": dice.choice(("F", "M", ""))},
        "Status": {"PartyStatusId": "A" if dice.random() < 0.95 else "I"},
        "Emails": [
            {"Address": email, "EmailType": "_Primary", "IsPrimary": True},
            *([{"Address": f"x.{email}", "EmailType": "Work"}] if dice.random() < 0.2 else []),
        ],
        "Phones": [{"Number": f"+1 555 01{dice.randint(0, 99):02}", "PhoneType": "Mobile", "IsPrimary": True}],
        "Addresses": [_address(dice)] if dice.random() < 0.8 else [],
        "Salutations": [{"SalutationMethod": "Informal", "Text": f"Dear {first}"}],
        "AlternateIds": [{"Id": "", "IdType": "MajorKey"}],
        "CommunicationTypePreferences": [{"CommunicationTypeId": "NEWS", "OptInFlag": dice.random() < 0.6}],
        "AdditionalAttributes": [
            {"Name": "CustomerTypeCode", "Value": dice.choice(("REG", "REG", "REG", "STU", "RET", "NM"))},
            {"Name": "JoinDate", "Value": f"{dice.randint(1995, 2025)}-{dice.randint(1, 12):02}-01"},
            {"Name": "PaidThruDate"},
            {"Name": "Chapter", "Value": dice.choice(CHAPTERS)},
        ],
    }


def _company(dice: random.Random, number: int) -> Json:
    name = COMPANIES[(number - 1) % len(COMPANIES)]
    return {
        "$type": ORGANIZATION,
        "OrganizationName": name,
        "Emails": [{"Address": f"office@{_ascii(name)}.example", "EmailType": "_Primary", "IsPrimary": True}],
        "Addresses": [_address(dice)],
        "AlternateIds": [{"Id": "", "IdType": "MajorKey"}],
        "AdditionalAttributes": [{"Name": "CustomerTypeCode", "Value": "ORG"}],
    }


def _address(dice: random.Random) -> Json:
    city, state, postcode, country = dice.choice(CITIES)
    return {
        "AddressPurpose": "Address",
        "Address": {
            "AddressLines": [f"{dice.randint(1, 200)} {dice.choice(STREETS)}", ""],
            "CityName": city,
            "CountrySubEntityCode": state,
            "PostalCode": postcode,
            "CountryCode": country,
        },
    }


def _add_membership(tables: Mapping[str, Table], member: str, dice: random.Random, today: datetime) -> None:
    paid_thru = today + timedelta(days=dice.randint(-400, 400))
    lapsed = paid_thru < today - timedelta(days=90)
    standing = "LAPSED" if lapsed else "GRACE" if paid_thru < today else "GOOD"
    row: dict[str, Scalar] = {
        "ID": member,
        "Standing": standing,
        "PaidThru": paid_thru.isoformat(),
        "Newsletter": dice.random() < 0.5,
    }
    _add(tables["ABC_Membership"], row | ({"LapsedOn": paid_thru.isoformat()} if lapsed else {}))


def _add_scores(tables: Mapping[str, Table], member: str, dice: random.Random, today: datetime) -> None:
    for course in dice.sample(COURSES, dice.choice((0, 0, 1, 2))):
        row: dict[str, Scalar] = {
            "ID": member,
            "Course": course,
            "Grade": dice.choice(tuple(GRADES)),
            "Hours": dice.randint(2, 40) / 2,
            "Score": dice.randint(35, 100),
            "TakenOn": (today - timedelta(days=dice.randint(1, 700))).isoformat(),
        }
        _add(tables["ABC_Scores"], row)


def _add_activities(tables: Mapping[str, Table], member: str, dice: random.Random, today: datetime) -> None:
    for kind in dice.sample(("EDUC", "CALL", "DONATION", "NOTE"), dice.choice((0, 1, 1, 2))):
        age = dice.choice((0, 1, 10, 100, 400))
        row: dict[str, Scalar] = {
            "PartyId": member,
            "ACTIVITY_TYPE": kind,
            "TRANSACTION_DATE": (today - timedelta(days=age)).isoformat(),
            "DESCRIPTION": dice.choice(COURSES) if kind == "EDUC" else f"{kind.title()} by the office",
        }
        row |= {"QUANTITY": dice.randint(2, 20) / 2} if kind == "EDUC" else {}
        row |= {"AMOUNT": float(dice.randint(5, 500))} if kind == "DONATION" else {}
        _add(tables["Activity"], row)


def _add(table: Table, values: Mapping[str, Scalar]) -> None:
    row = {**table.empty_row(), **values}
    table.number(row)
    table.put(row)


def _ascii(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.translate(WITHOUT_ACCENT)).encode("ascii", "ignore").decode()
    return "".join(letter for letter in plain if letter.isalnum()).lower()
