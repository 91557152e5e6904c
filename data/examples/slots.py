"""What fills a pattern's slots: the words, and the arguments those words give to a call.

A piece is text plus arguments; each argument that must be copied says where in the text it stands. Numbers
are written exactly as JSON spells them, so a call never holds a digit that the request does not.
"""

import json
import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from data.errors import ExamplesError
from data.examples.entities import Pool, Unusable, nonce_word
from tools import RegimenDrug


@dataclass(frozen=True)
class Argument:
    """One argument a piece gives: its key (a list's key repeats), its value, and where the value stands in
    the piece, if it does.
    """

    key: str
    value: Any
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True)
class Piece:
    """Words for a slot, and the arguments they give."""

    text: str
    arguments: tuple[Argument, ...] = ()


@dataclass
class Draw:
    """The state of one request while its slots are filled: what is already chosen must agree with what comes
    next.
    """

    rng: random.Random
    pool: Pool
    operations: tuple[str, ...]
    chosen: dict[str, Any] = field(default_factory=dict)

    def regimen(self) -> RegimenDrug | None:
        """The regimen that drug, indication, age and weight agree on; None for a made-up drug."""
        if "regimen" not in self.chosen:
            self.chosen["regimen"] = self.pool.regimen(self.rng)
        found: RegimenDrug | None = self.chosen["regimen"]
        return found

    def pick(self, *texts: str) -> str:
        return self.rng.choice(texts)


Sampler = Callable[[Draw, str], Piece]


def fill(draw: Draw, name: str, variant: str) -> Piece:
    """The piece for a slot; `ExamplesError` for a slot nobody samples."""
    if name not in SLOTS:
        raise ExamplesError(f"no slot named {name!r}; have {', '.join(sorted(SLOTS))}")
    return SLOTS[name][1](draw, variant)


def keys_of(name: str) -> tuple[str, ...]:
    """The argument keys a slot gives."""
    return SLOTS[name][0] if name in SLOTS else ()


def written(template: str, key: str, value: Any, *unit: Argument) -> Piece:
    """A piece from a template with one `@`, where the value is written as JSON spells it (strings without
    quotes).
    """
    spelled = value if isinstance(value, str) else json.dumps(value)
    start = template.index("@")
    return Piece(template.replace("@", spelled, 1), (Argument(key, value, start, start + len(spelled)), *unit))


# --- drugs ------------------------------------------------------------------


def drug(draw: Draw, variant: str) -> Piece:
    """One drug, as people write it, sometimes with a strength behind it; `bare` never has one."""
    text = _drug_text(draw)
    strength = "" if variant == "bare" else _strength(draw, 0.12)
    return Piece(text + strength, (Argument("drugs", text, 0, len(text)),))


def drugs(draw: Draw, variant: str) -> Piece:
    """Two to four drugs in a row; a variant such as `3` or `3-4` says how many."""
    low, _, high = (variant or "2-4").partition("-")
    count = draw.rng.randint(int(low), int(high or low))
    separator, last = draw.rng.choice(
        (
            (", ", " and "),
            (", ", ", and "),
            (", ", ", "),
            (" + ", " + "),
            (" and ", " and "),
            (", ", " plus "),
            ("/", "/"),
            ("; ", "; "),
        )
    )
    text = ""
    arguments: list[Argument] = []
    for index in range(count):
        text += "" if index == 0 else last if index == count - 1 else separator
        piece = drug(draw, "bare" if separator == "/" else "")
        arguments += [
            Argument(a.key, a.value, _plus(a.start, len(text)), _plus(a.end, len(text))) for a in piece.arguments
        ]
        text += piece.text
    return Piece(text, tuple(arguments))


def dose_drug(draw: Draw, variant: str) -> Piece:
    """The drug of a dose calculation, by one of its names; made up where the draw has no regimen."""
    regimen = draw.regimen()
    if regimen is None:
        return written("@", "drug", _cased(draw, nonce_word(draw.rng, draw.pool.new_nonce)))
    names = draw.pool.names(regimen.drug)
    return written("@", "drug", _cased(draw, names[0] if draw.rng.random() < 0.7 else draw.rng.choice(names)))


def other_drug(draw: Draw, variant: str) -> Piece:
    """A drug that is mentioned but is no argument."""
    return Piece(_cased(draw, draw.pool.drug(draw.rng)[1]) + ("" if variant == "bare" else _strength(draw, 0.3)))


def indication(draw: Draw, variant: str) -> Piece:
    """What the drug is for: an indication of its regimen, or any common one if the drug is made up."""
    regimen = draw.regimen()
    if regimen is None:
        return written("@", "indication", draw.rng.choice(COMMON_INDICATIONS))
    plain_words = [text for text in (regimen.indication, *regimen.also) if "," not in text]
    return written("@", "indication", draw.rng.choice(plain_words or [regimen.indication]))


def _drug_text(draw: Draw) -> str:
    used = draw.chosen.setdefault("drugs", [])
    for _ in range(200):
        generic, name = draw.pool.drug(draw.rng)
        if generic not in used:
            used.append(generic)
            return _cased(draw, name)
    raise ExamplesError(f"the split has no drug left beside {', '.join(used)}; the drug table is too small")


def _cased(draw: Draw, name: str) -> str:
    roll = draw.rng.random()
    return name.capitalize() if roll < 0.2 else name.upper() if roll < 0.24 else name.lower() if roll < 0.34 else name


def _strength(draw: Draw, share: float) -> str:
    if draw.rng.random() >= share:
        return ""
    amount = draw.rng.choice((2.5, 5, 10, 20, 25, 40, 50, 75, 80, 100, 200, 250, 300, 400, 500, 600, 850, 875, 1000))
    return f" {amount}" + draw.pick("", " mg", "mg", " mg daily", "mg bd", " mg nightly", " mg twice a day", "mg tds")


# --- people -----------------------------------------------------------------

WOMAN: Final = ("female", "woman", "lady", "F", "female patient")
MAN: Final = ("male", "man", "gentleman", "M", "male patient")
GIRL: Final = ("girl", "female", "baby girl")
BOY: Final = ("boy", "male", "baby boy")


def age(draw: Draw, variant: str) -> Piece:
    """An age: `72-year-old`, `72 yo`, `8 months old`; `bare` is the numeral alone, years; `noun` reads after
    "age" or "aged"; `child` is below 17 years.
    """
    value, unit = _age(draw, child=variant == "child")
    if variant == "bare":
        return (
            written("@", "age", value, Argument("age_unit", unit)) if unit == "years" else _age_noun(draw, value, unit)
        )
    if variant == "noun":
        return _age_noun(draw, value, unit)
    word = unit[:-1]
    templates = [f"@-{word}-old", f"@ {word} old", f"@ {unit} old", f"@-{word} old"]
    if unit == "years":
        templates += ["@ yo", "@yo", "@ y/o", "@-year-old", "@ yr old", "@-yr-old"]
    elif unit == "months":
        templates += ["@ mo old", "@mo", "@-month-old"]
    return written(draw.rng.choice(templates), "age", value, Argument("age_unit", unit))


def sex(draw: Draw, variant: str) -> Piece:
    """Female or male in a word."""
    return _sex(draw, draw.rng.choice(("female", "male")))


def agesex(draw: Draw, variant: str) -> Piece:
    """Age in years and sex together, in words or in a clinician's shorthand."""
    value, unit = _age(draw)
    gender = draw.rng.choice(("female", "male"))
    letter = gender[0].upper()
    word = unit[:-1]
    person = _sex(draw, gender).text
    templates = [
        f"@-{word}-old {person}",
        f"@ {word} old {person}",
        f"{person}, @ {unit}",
        f"{person} aged @ {unit}",
    ]
    if unit == "years":
        templates += [
            f"@{letter}", f"@{letter}", f"@ {letter}", f"@yo{letter}", f"@ yo {letter}", f"@ y/o {person}",
            f"{letter}@", f"{letter}/@", f"{person} of @",
            f"@ year old {person}", f"{person} (@)", f"@yo {person}",
        ]  # fmt: skip
    return written(draw.rng.choice(templates), "age", value, Argument("age_unit", unit), Argument("sex", gender))


DAYS: Final[Mapping[str, float]] = {"years": 365.25, "months": 30.4375, "weeks": 7, "days": 1}
USUAL_DAYS: Final[Mapping[str, tuple[int, int]]] = {
    "years": (731, 96 * 365),
    "months": (31, 730),
    "weeks": (8, 90),
    "days": (1, 29),
}


def _age(draw: Draw, child: bool = False) -> tuple[int | float, str]:
    """An age and its unit: within the regimen's limits for a dose, an adult's for the rest."""
    if "drug_dose" not in draw.operations:
        value = draw.pool.number(draw.rng, 18, 96)
        draw.chosen["age_years"] = float(value)
        return value, "years"
    regimen = draw.regimen()
    first = (regimen and regimen.age_from_days) or 0.0
    last = (regimen and regimen.age_below_days) or USUAL_DAYS["years"][1]
    if child:
        last = min(last, 17 * DAYS["years"])
    fitting = [unit for unit, (low, high) in USUAL_DAYS.items() if max(low, first) + 1.5 * DAYS[unit] < min(high, last)]
    if not fitting:
        raise Unusable("the regimen is not for children")
    unit = draw.rng.choices(fitting, [{"years": 12, "months": 3}.get(unit, 1) for unit in fitting])[0]
    low, high = max(USUAL_DAYS[unit][0], first) / DAYS[unit], min(USUAL_DAYS[unit][1], last) / DAYS[unit]
    value = draw.pool.number(draw.rng, math.ceil(low), math.ceil(high) - 1)
    draw.chosen["age_years"] = value * DAYS[unit] / 365.25
    return value, unit


def _age_noun(draw: Draw, value: int | float, unit: str) -> Piece:
    short = {
        "years": ("y", "yr", "years", "yrs"),
        "months": ("mo", "months"),
        "weeks": ("wk", "weeks"),
        "days": ("d", "days"),
    }[unit]
    return written("@" + draw.pick("", " ") + draw.pick(*short), "age", value, Argument("age_unit", unit))


def _sex(draw: Draw, gender: str) -> Piece:
    child = draw.chosen.get("age_years", 50) < 13
    words = (GIRL if child else WOMAN) if gender == "female" else (BOY if child else MAN)
    return Piece(draw.rng.choice(words), (Argument("sex", gender),))


def patient(draw: Draw, variant: str) -> Piece:
    """A patient by name, record number or id."""
    reference = draw.pool.patient(draw.rng)
    numbered = any(c.isdigit() for c in reference)
    before = (
        draw.pick("", "", "patient ", "pt ", "MRN ", "record ", "patient ID ")
        if numbered
        else draw.pick("", "", "", "patient ")
    )
    if reference.lower().startswith(("mrn", "pt")):
        before = draw.pick("", "patient ")
    return written(before + "@", "patient", reference)


# --- measures ---------------------------------------------------------------

UNIT_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "kg": (" kg", "kg", " kilos", " kilograms", " kg", "kg", " Kg"),
    "g": (" g", "g", " grams"),
    "lb": (" lb", "lb", " lbs", "lbs", " pounds"),
    "cm": (" cm", "cm", " centimeters", " cm", "cm"),
    "m": (" m", "m", " metres", " meters"),
    "in": (" in", " inches", "in", '"', " inch"),
    "mg/dL": (" mg/dL", " mg/dl", "mg/dL", "", "", "mg/dl"),
    "µmol/L": (" µmol/L", " umol/L", "µmol/L", " micromol/L", " µmol/l", "umol/l"),
}


def _measure(draw: Draw, key: str, value: int | float, unit: str) -> Piece:
    return written("@" + draw.pick(*UNIT_WORDS[unit]), key, value, Argument(f"{key}_unit", unit))


def weight(draw: Draw, variant: str) -> Piece:
    """A body weight that suits the age if one was given, and the regimen's limits."""
    years = draw.chosen.get("age_years")
    if years is None:
        years = draw.rng.uniform(0.1, 12) if "maintenance_fluids" in draw.operations else 40.0
    middle = 3.3 + 6 * years if years < 1 else 6.5 + 3 * years if years < 18 else 74.0
    low, high = (middle * 0.8, middle * 1.25) if years < 18 else (44.0, 122.0)
    regimen = draw.regimen() if "drug_dose" in draw.operations else None
    if regimen is not None:
        low, high = max(low, regimen.kg_from or low), min(high, (regimen.kg_below or high + 0.1) - 0.1)
        high = max(high, low + 1)
    unit = draw.rng.choices(("kg", "lb", "g"), (78, 20, 30 if middle < 8 else 0))[0]
    if unit == "g":
        return _measure(draw, "weight", draw.pool.number(draw.rng, low * 1000, high * 1000), "g")
    if unit == "lb":
        low, high = low * 2.205, high * 2.205
    decimals = 1 if high - low < 8 or draw.rng.random() < (0.5 if middle < 20 else 0.2) else 0
    return _measure(draw, "weight", draw.pool.number(draw.rng, low, high, decimals), unit)


def height(draw: Draw, variant: str) -> Piece:
    """An adult's height."""
    unit = draw.rng.choices(("cm", "in", "m"), (70, 18, 12))[0]
    low, high, decimals = {"cm": (146, 199, 0), "in": (58, 78, 0), "m": (1.46, 1.99, 2)}[unit]
    return _measure(draw, "height", draw.pool.number(draw.rng, low, high, decimals), unit)


def creatinine(draw: Draw, variant: str) -> Piece:
    """A serum creatinine; without a unit it is small enough to be mg/dL only."""
    if draw.rng.random() < 0.25:
        return _measure(draw, "creatinine", draw.pool.number(draw.rng, 45, 420), "µmol/L")
    return _measure(draw, "creatinine", draw.pool.number(draw.rng, 0.5, 4.6, draw.rng.choice((1, 1, 1, 2))), "mg/dL")


def crcl(draw: Draw, variant: str) -> Piece:
    """A creatinine clearance in mL/min that the request states."""
    unit = draw.pick("", " mL/min", " ml/min", "mL/min")
    return written("@" + unit, "creatinine_clearance", draw.pool.number(draw.rng, 8, 120))


def calcium(draw: Draw, variant: str) -> Piece:
    value = draw.pool.number(draw.rng, 6.4, 12.8, 1)
    return written("@" + draw.pick("", "", " mg/dL", " mg/dl", "mg/dL"), "calcium", value)


def albumin(draw: Draw, variant: str) -> Piece:
    value = draw.pool.number(draw.rng, 1.4, 4.9, 1)
    return written("@" + draw.pick("", "", " g/dL", " g/dl", "g/dL"), "albumin", value)


def qt(draw: Draw, variant: str) -> Piece:
    return written(
        "@" + draw.pick("", " ms", "ms", " msec", " milliseconds"),
        "qt_ms",
        draw.pool.number(draw.rng, 290, 560),
    )


def heart_rate(draw: Draw, variant: str) -> Piece:
    return written(
        "@" + draw.pick("", "", " bpm", "/min", " beats per minute", "bpm"),
        "heart_rate",
        draw.pool.number(draw.rng, 42, 150),
    )


RATE_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "mcg/kg/min": (
        " mcg/kg/min",
        "mcg/kg/min",
        " µg/kg/min",
        " micrograms/kg/min",
        " mcg per kg per minute",
        " ug/kg/min",
    ),
    "mg/kg/h": (" mg/kg/h", " mg/kg/hr", "mg/kg/h", " mg per kg per hour"),
    "units/kg/h": (" units/kg/h", " units/kg/hr", " U/kg/h", " units per kg per hour"),
    "mcg/min": (" mcg/min", "mcg/min", " µg/min", " micrograms per minute"),
    "mg/h": (" mg/h", " mg/hr", "mg/h", " mg per hour"),
    "units/h": (" units/h", " units/hr", " U/h", " units per hour"),
}


def dose_rate(draw: Draw, variant: str) -> Piece:
    """An infusion's dose: `per_kg`, or `flat` for one that needs no weight."""
    flat: tuple[str, ...] = ("mcg/min", "mg/h", "units/h")
    units: tuple[str, ...] = flat if variant == "flat" else ("mcg/kg/min", "mcg/kg/min", "mg/kg/h", "units/kg/h")
    if "concentration_unit" in draw.chosen:
        in_units = draw.chosen["concentration_unit"].startswith("units")
        units = tuple(unit for unit in units if unit.startswith("units") == in_units)
    unit = draw.rng.choice(units)
    low, high, decimals = {
        "mcg/kg/min": (0.02, 20, 2 if draw.rng.random() < 0.4 else 1),
        "mg/kg/h": (0.1, 4, 2 if draw.rng.random() < 0.4 else 1),
        "units/kg/h": (6, 24, 0),
        "mcg/min": (2, 200, 0),
        "mg/h": (1, 30, 1 if draw.rng.random() < 0.4 else 0),
        "units/h": (1, 1800, 0),
    }[unit]
    if decimals == 2:
        high = 1
    draw.chosen["dose_unit"] = unit
    words = draw.pick(*RATE_WORDS[unit])
    return written("@" + words, "dose", draw.pool.number(draw.rng, low, high, decimals), Argument("dose_unit", unit))


def concentration(draw: Draw, variant: str) -> Piece:
    """The strength of what runs, in a unit that suits the dose."""
    dose_unit = draw.chosen.get("dose_unit") or draw.rng.choice(("mcg/kg/min", "units/h"))
    unit = "units/mL" if dose_unit.startswith("units") else draw.rng.choice(("mg/mL", "mg/mL", "mcg/mL"))
    low, high, decimals = {"units/mL": (1, 100, 0), "mg/mL": (0.5, 20, 1), "mcg/mL": (4, 800, 0)}[unit]
    words = {
        "units/mL": (" units/mL", " units/ml", "U/mL", " units per mL"),
        "mg/mL": (" mg/mL", " mg/ml", "mg/mL", " mg per mL"),
        "mcg/mL": (" mcg/mL", " mcg/ml", " µg/mL", " micrograms per mL"),
    }[unit]
    draw.chosen["concentration_unit"] = unit
    value = draw.pool.number(draw.rng, low, high, decimals)
    return written("@" + draw.pick(*words), "concentration", value, Argument("concentration_unit", unit))


# --- records ----------------------------------------------------------------

SECTION_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "demographics": ("demographics", "demographic details", "date of birth and address", "personal details"),
    "conditions": ("conditions", "problem list", "diagnoses", "active problems", "medical conditions", "PMH"),
    "medications": (
        "medications",
        "meds",
        "medication list",
        "current meds",
        "med list",
        "drug chart",
        "prescriptions",
    ),
    "allergies": ("allergies", "allergy list", "drug allergies", "allergy status"),
    "labs": ("labs", "lab results", "blood results", "bloods", "laboratory results", "blood work"),
    "vitals": ("vitals", "vital signs", "obs", "observations"),
    "encounters": ("encounters", "visits", "visit history", "appointments", "admissions"),
    "immunizations": (
        "immunizations",
        "vaccines",
        "vaccinations",
        "vaccine history",
        "shots",
        "immunization record",
    ),
    "procedures": ("procedures", "procedure history", "operations", "surgeries", "past procedures"),
}


def sections(draw: Draw, variant: str) -> Piece:
    """One section of a record by any of its everyday names; `many` names two or three."""
    count = draw.rng.choice((2, 2, 3)) if variant == "many" else 1
    names = draw.rng.sample(sorted(SECTION_WORDS), count)
    words = [draw.rng.choice(SECTION_WORDS[name]) for name in names]
    joined = draw.pick(", ", ", ", "/", " + ") if count > 1 else ""
    text = draw.pick(
        *((joined.join(words),) if count == 1 else (joined.join(words), ", ".join(words[:-1]) + " and " + words[-1]))
    )
    return Piece(text, tuple(Argument("sections", name) for name in names))


def lab(draw: Draw, variant: str) -> Piece:
    """A laboratory test by one of its names or its LOINC code; `code` is always the code."""
    return _test(draw, "labs", only_code=variant == "code")


def labs(draw: Draw, variant: str) -> Piece:
    """Two or three laboratory tests."""
    joined = draw.rng.choice((", ", " and ", " & ", "/", ", "))
    text = ""
    arguments: list[Argument] = []
    for index in range(draw.rng.choice((2, 2, 3))):
        text += joined if index else ""
        piece = lab(draw, variant)
        arguments += [
            Argument(a.key, a.value, _plus(a.start, len(text)), _plus(a.end, len(text))) for a in piece.arguments
        ]
        text += piece.text
    return Piece(text, tuple(arguments))


def vital(draw: Draw, variant: str) -> Piece:
    """A vital sign by name."""
    return _test(draw, "vitals")


def _test(draw: Draw, section: str, only_code: bool = False) -> Piece:
    used = draw.chosen.setdefault(section, [])
    names = draw.rng.choice([names for names in draw.pool.catalogue.tests[section] if names[0] not in used])
    used.append(names[0])
    name = names[-1] if only_code else draw.rng.choice(names)
    text = name.capitalize() if name.islower() and draw.rng.random() < 0.15 else name
    return written("@", "codes", text, Argument("sections", section))


def start_date(draw: Draw, variant: str) -> Piece:
    """The first day of a period, ISO written."""
    day = date(2005, 1, 1) + timedelta(days=draw.rng.randrange(7000))
    draw.chosen["from"] = day
    return written("@", "from", day.isoformat())


def end_date(draw: Draw, variant: str) -> Piece:
    """The last day of a period, after its first."""
    first = draw.chosen.get("from") or date(2005, 1, 1) + timedelta(days=draw.rng.randrange(6500))
    return written("@", "to", (first + timedelta(days=draw.rng.randrange(20, 1200))).isoformat())


def limit(draw: Draw, variant: str) -> Piece:
    """How many entries."""
    return written("@", "limit", draw.rng.choice((2, 3, 4, 5, 6, 8, 10, 12, 15, 20)))


# --- words that give no argument --------------------------------------------


def number(draw: Draw, variant: str) -> Piece:
    """A number between the two of a variant such as `36-39`; a point in either gives one decimal."""
    low, _, high = variant.partition("-")
    decimals = 1 if "." in variant else 0
    return Piece(json.dumps(plain(draw.rng, float(low), float(high), decimals)))


def plain(rng: random.Random, low: float, high: float, decimals: int) -> int | float:
    value = round(rng.uniform(low, high), decimals)
    return int(value) if value == int(value) else value


def other_patient(draw: Draw, variant: str) -> Piece:
    """A patient who is mentioned but is no argument."""
    return Piece(patient(draw, variant).text)


def lab_word(draw: Draw, variant: str) -> Piece:
    """A test that is mentioned but is no argument, because something else is missing."""
    return Piece(_test(draw, "labs").text)


def _plus(position: int | None, offset: int) -> int | None:
    return None if position is None else position + offset


COMMON_INDICATIONS: Final = (
    "pneumonia", "otitis media", "cellulitis", "hypertension", "pain", "fever", "atrial fibrillation",
    "epilepsy", "asthma", "sepsis",
    "urinary tract infection", "migraine", "heart failure", "nausea", "type 2 diabetes", "gout",
    "sinusitis", "anaphylaxis",
)  # fmt: skip
SLOTS: Final[Mapping[str, tuple[tuple[str, ...], Sampler]]] = {
    "drug": (("drugs",), drug),
    "drug2": (("drugs",), drug),
    "drug3": (("drugs",), drug),
    "drug4": (("drugs",), drug),
    "drugs": (("drugs",), drugs),
    "dose_drug": (("drug",), dose_drug),
    "other_drug": ((), other_drug),
    "indication": (("indication",), indication),
    "age": (("age", "age_unit"), age),
    "sex": (("sex",), sex),
    "agesex": (("age", "age_unit", "sex"), agesex),
    "patient": (("patient",), patient),
    "weight": (("weight", "weight_unit"), weight),
    "height": (("height", "height_unit"), height),
    "creatinine": (("creatinine", "creatinine_unit"), creatinine),
    "crcl": (("creatinine_clearance",), crcl),
    "calcium": (("calcium",), calcium),
    "albumin": (("albumin",), albumin),
    "qt": (("qt_ms",), qt),
    "heart_rate": (("heart_rate",), heart_rate),
    "dose_rate": (("dose", "dose_unit"), dose_rate),
    "concentration": (("concentration", "concentration_unit"), concentration),
    "sections": (("sections",), sections),
    "lab": (("codes", "sections"), lab),
    "labs": (("codes", "sections"), labs),
    "vital": (("codes", "sections"), vital),
    "from": (("from",), start_date),
    "to": (("to",), end_date),
    "limit": (("limit",), limit),
    "number": ((), number),
    "other_patient": ((), other_patient),
    "lab_word": ((), lab_word),
}
