"""What is asked of a record: sections, tests, periods, numbers of entries."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

from data.examples.pieces import Argument, Draw, Piece, listed, written

SECTION_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "demographics": (
        "demographics", "demographic details", "date of birth and address", "personal details", "demographic info",
        "basic details",
    ),
    "conditions": (
        "conditions", "problem list", "diagnoses", "medical conditions", "PMH", "past medical history", "PMHx",
        "medical problems", "problems", "dx list", "comorbidities", "medical history", "diagnosis list", "hx",
    ),
    "medications": (
        "medications", "meds", "medication list", "med list", "drug chart", "prescriptions", "drug list",
        "medicines", "regular meds", "home meds", "DHx", "rx list", "tablets", "scripts", "meds list",
        "drug history",
    ),
    "allergies": (
        "allergies", "allergy list", "drug allergies", "allergy status", "allergy info", "allergy history", "ADRs",
        "sensitivities", "allergies and intolerances", "known allergies",
    ),
    "labs": (
        "labs", "lab results", "blood results", "bloods", "laboratory results", "blood work", "blood tests",
        "lab values", "lab work", "test results", "bloodwork", "path results", "lab reports",
    ),
    "vitals": ("vitals", "vital signs", "obs", "observations", "VS", "obs chart", "vital sign readings"),
    "encounters": (
        "encounters", "visits", "visit history", "appointments", "admissions", "clinic visits", "past visits",
        "hospital visits", "attendances", "encounter list",
    ),
    "immunizations": (
        "immunizations", "vaccines", "vaccinations", "vaccine history", "shots", "immunization record", "jabs",
        "vaccination record", "immunisations", "imms", "vaccination history", "immunisation status",
    ),
    "procedures": (
        "procedures", "procedure history", "operations", "surgeries", "past procedures", "surgical history", "PSH",
        "procedures done", "past surgical history", "ops",
    ),
}  # fmt: skip
LIMIT_WORDS: Final = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 10: "ten"}


def sections(draw: Draw, variant: str) -> Piece:
    """One section of a record by any of its everyday names; `many` names two to four; `dated` one whose entries
    have dates; `stated` one whose entries are active or not.
    """
    names = sorted(SECTION_WORDS)
    if variant == "dated":
        names = ["conditions", "medications", "labs", "vitals", "encounters", "immunizations", "procedures"]
    elif variant == "stated":
        names = ["conditions", "medications", "medications", "allergies", "encounters", "procedures", "conditions"]
    count = draw.rng.choice((2, 2, 2, 3, 3, 4)) if variant == "many" else 1
    chosen = list(dict.fromkeys(draw.rng.sample(names, count)))
    pieces = [Piece(draw.rng.choice(SECTION_WORDS[name]), (Argument("sections", name),)) for name in chosen]
    separator, last = draw.rng.choice(
        ((", ", " and "), (", ", " and "), (", ", ", and "), (", ", ", "), ("/", "/"), (" + ", " + "), (" & ", " & "))
    )
    return listed(pieces, separator, last)


def lab(draw: Draw, variant: str) -> Piece:
    """A laboratory test by one of its names or its LOINC code; `code` is always the code."""
    return _test(draw, "labs", only_code=variant == "code")


def labs(draw: Draw, variant: str) -> Piece:
    """Two or three laboratory tests."""
    return _tests(draw, ["labs"] * draw.rng.choice((2, 2, 3)))


def vital(draw: Draw, variant: str) -> Piece:
    """A vital sign by name."""
    return _test(draw, "vitals")


def vitals(draw: Draw, variant: str) -> Piece:
    """Two or three vital signs."""
    return _tests(draw, ["vitals"] * draw.rng.choice((2, 2, 3)))


def tests(draw: Draw, variant: str) -> Piece:
    """Laboratory tests and vital signs mixed, at least one of each."""
    kinds = draw.rng.choice(
        (["labs", "vitals"], ["vitals", "labs"], ["labs", "labs", "vitals"], ["vitals", "labs", "labs"])
    )
    return _tests(draw, kinds)


def _tests(draw: Draw, kinds: list[str]) -> Piece:
    separator, last = draw.rng.choice(
        (
            (", ", ", "),
            (" and ", " and "),
            (", ", " and "),
            (" & ", " & "),
            ("/", "/"),
            (" + ", " + "),
            (", ", " plus "),
        )
    )
    return listed([_test(draw, kind) for kind in kinds], separator, last)


def _test(draw: Draw, section: str, only_code: bool = False) -> Piece:
    used = draw.chosen.setdefault(section, [])
    names = draw.rng.choice([names for names in draw.pool.catalogue.tests[section] if names[0] not in used])
    used.append(names[0])
    roll = draw.rng.random()
    name = names[-1] if only_code or roll < 0.08 else draw.rng.choice(names[:-1])
    text = name.capitalize() if name.islower() and draw.rng.random() < 0.15 else name
    return written("@", "codes", text, Argument("sections", section))


def start_date(draw: Draw, variant: str) -> Piece:
    """The first day of a period, ISO written."""
    day = date(2005, 1, 1) + timedelta(days=draw.rng.randrange(7500))
    draw.chosen["from"] = day
    return written("@", "from", day.isoformat())


def end_date(draw: Draw, variant: str) -> Piece:
    """The last day of a period, after its first."""
    first = draw.chosen.get("from") or date(2005, 1, 1) + timedelta(days=draw.rng.randrange(6500))
    return written("@", "to", (first + timedelta(days=draw.rng.randrange(20, 1200))).isoformat())


def as_of(draw: Draw, variant: str) -> Piece:
    """The day as of which the record is read."""
    return written("@", "as_of", (date(2012, 1, 1) + timedelta(days=draw.rng.randrange(5200))).isoformat())


def limit(draw: Draw, variant: str) -> Piece:
    """How many entries, in digits or as a word."""
    number = draw.rng.choice((2, 3, 3, 4, 5, 5, 6, 7, 8, 10, 10, 12, 15, 20))
    spelled = LIMIT_WORDS.get(number, "") if draw.rng.random() < 0.4 else ""
    return Piece(spelled or str(number), (Argument("limit", number),))
