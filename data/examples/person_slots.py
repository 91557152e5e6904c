"""People in a request: age, sex, weight, height, kidney function, and whose record it is."""

import math
from collections.abc import Mapping
from typing import Final

from data.examples.entities import Unusable
from data.examples.pieces import Argument, Draw, Piece, numeral, written

WOMAN: Final = ("female", "woman", "lady", "F", "female patient", "female pt", "fem")
MAN: Final = ("male", "man", "gentleman", "M", "male patient", "male pt", "gent")
GIRL: Final = ("girl", "female", "baby girl", "little girl", "F")
BOY: Final = ("boy", "male", "baby boy", "little boy", "M")
DAYS: Final[Mapping[str, float]] = {"years": 365.25, "months": 30.4375, "weeks": 7, "days": 1}
USUAL_DAYS: Final[Mapping[str, tuple[int, int]]] = {
    "years": (731, 96 * 365),
    "months": (31, 730),
    "weeks": (8, 90),
    "days": (1, 29),
}
CHILD_ONLY: Final = frozenset({"bedside_schwartz"})


def age(draw: Draw, variant: str) -> Piece:
    """An age: `72-year-old`, `72 yo`, `8 months old`; `bare` is the numeral alone, years; `noun` reads after
    "age" or "aged"; `child` is below 17 years.
    """
    value, unit = _age(draw, child=variant == "child")
    given = Argument("age_unit", unit)
    if variant == "bare":
        return written("@", "age", value, given) if unit == "years" else _age_noun(draw, value, unit)
    if variant == "noun":
        return _age_noun(draw, value, unit)
    word = unit[:-1]
    templates = [f"@-{word}-old", f"@ {word} old", f"@ {unit} old", f"@-{word} old"]
    if unit == "years":
        templates += ["@ yo", "@yo", "@ y/o", "@-year-old", "@ yr old", "@-yr-old", "@y/o", "@ y.o.", "@ yrs old"]
    elif unit == "months":
        templates += ["@ mo old", "@mo", "@-month-old", "@/12", "@ mth old"]
    elif unit == "weeks":
        templates += ["@ wk old", "@-week-old", "@/52"]
    return written(draw.rng.choice(templates), "age", value, given)


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
            f"@{letter}", f"@{letter}", f"@{letter}", f"@ {letter}", f"@yo{letter}", f"@ yo {letter}",
            f"@ y/o {person}", f"{letter}@", f"{letter}/@", f"{letter} @", f"{person} of @", f"@{letter.lower()}",
            f"@ year old {person}", f"{person} (@)", f"@yo {person}", f"@y {letter}", f"@ yr {person}",
            f"@yr old {person}", f"{gender}, @", f"{gender} @", f"@ {gender}", f"@/{letter}", f"@ y.o. {gender}",
        ]  # fmt: skip
    return written(draw.rng.choice(templates), "age", value, Argument("age_unit", unit), Argument("sex", gender))


def _age(draw: Draw, child: bool = False) -> tuple[int | float, str]:
    """An age and its unit: within the regimen's limits for a dose, an adult's or a child's for the rest."""
    if draw.slip == "age":
        return draw.rng.randint(131, 999), "years"
    if "drug_dose" not in draw.operations:
        low, high = (1, 17) if CHILD_ONLY & set(draw.operations) else (18, 97)
        months = low == 1 and draw.rng.random() < 0.12
        value = draw.number("age", 13, 23) if months else draw.number("age", low, high)
        draw.chosen["age_years"] = value / 12 if months else float(value)
        return value, "months" if months else "years"
    regimen = draw.regimen()
    first = (regimen and regimen.age_from_days) or 0.0
    last = (regimen and regimen.age_below_days) or USUAL_DAYS["years"][1]
    if child:
        last = min(last, 17 * DAYS["years"])
    fitting = [unit for unit, (low, high) in USUAL_DAYS.items() if max(low, first) + 1.5 * DAYS[unit] < min(high, last)]
    if not fitting:
        raise Unusable("the regimen is not for children")
    unit = draw.rng.choices(fitting, [{"years": 12, "months": 3}.get(unit, 1) for unit in fitting])[0]
    low_days, high_days = max(USUAL_DAYS[unit][0], first), min(USUAL_DAYS[unit][1], last)
    value = draw.number("age", math.ceil(low_days / DAYS[unit]), math.ceil(high_days / DAYS[unit]) - 1)
    draw.chosen["age_years"] = value * DAYS[unit] / 365.25
    return value, unit


def _age_noun(draw: Draw, value: int | float, unit: str) -> Piece:
    short = {
        "years": ("y", "yr", "years", "yrs", "yo"),
        "months": ("mo", "months", "mths", "m"),
        "weeks": ("wk", "weeks", "wks"),
        "days": ("d", "days"),
    }[unit]
    return written("@" + draw.pick("", " ") + draw.pick(*short), "age", value, Argument("age_unit", unit))


def _sex(draw: Draw, gender: str) -> Piece:
    child = draw.chosen.get("age_years", 50) < 13
    words = (GIRL if child else WOMAN) if gender == "female" else (BOY if child else MAN)
    return Piece(draw.rng.choice(words), (Argument("sex", gender),))


def patient(draw: Draw, variant: str) -> Piece:
    """A patient by name, record number or id; `bare` has no word before it."""
    reference = draw.pool.patient(draw.rng)
    numbered = any(c.isdigit() for c in reference) and not reference[:1].isalpha()
    before = ""
    if variant != "bare":
        before = (
            draw.pick("", "", "patient ", "pt ", "MRN ", "record ", "patient ID ", "MRN: ", "#", "hosp no ", "ID ")
            if numbered
            else draw.pick("", "", "", "", "patient ", "pt ")
        )
        if reference.lower().startswith(("mrn", "pt", "pid", "patient", "id")):
            before = draw.pick("", "", "patient ")
    return written(before + "@", "patient", reference)


# --- size -------------------------------------------------------------------

UNIT_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "kg": (" kg", "kg", " kilos", " kilograms", " kg", "kg", " Kg", "kg", "kgs", " kgs", " KG", "kilo"),
    "g": (" g", "g", " grams", " gram", " gm"),
    "lb": (" lb", "lb", " lbs", "lbs", " pounds", "#", " pound"),
    "cm": (" cm", "cm", " centimeters", " cm", "cm", " centimetres", "cms"),
    "m": (" m", "m", " metres", " meters"),
    "in": (" in", " inches", "in", '"', " inch", "''"),
    "mg/dL": (" mg/dL", " mg/dl", "mg/dL", "", "", "", "mg/dl", " mg%"),
    "µmol/L": (" µmol/L", " umol/L", "µmol/L", " micromol/L", " µmol/l", "umol/l", " umol", " µmol", " mcmol/L"),
}
SLIPS: Final[Mapping[str, tuple[tuple[str, float, float, int], ...]]] = {
    "weight": (("kg", 450, 9800, 0), ("lb", 950, 9900, 0)),
    "height": (("cm", 1.5, 1.95, 2), ("m", 150, 195, 0), ("in", 150, 195, 0)),
    "creatinine": (("mg/dL", 45, 400, 0), ("µmol/L", 0.6, 4, 1)),
}


def _measure(draw: Draw, key: str, value: int | float, unit: str) -> Piece:
    return numeral(draw, "@" + draw.pick(*UNIT_WORDS[unit]), key, value, Argument(f"{key}_unit", unit))


def _slipped(draw: Draw, key: str) -> Piece:
    """A value that cannot be right, with the unit spelled out."""
    unit, low, high, decimals = draw.rng.choice(SLIPS[key])
    words = [word for word in UNIT_WORDS[unit] if word]
    value = draw.number(key, low, high, decimals)
    return written("@" + draw.rng.choice(words), key, value, Argument(f"{key}_unit", unit))


def weight(draw: Draw, variant: str) -> Piece:
    """A body weight that suits the age if one was given, and the regimen's limits."""
    if draw.slip == "weight":
        return _slipped(draw, "weight")
    years = draw.chosen.get("age_years")
    if years is None:
        small = "maintenance_fluids" in draw.operations or variant == "child"
        years = draw.rng.uniform(0.1, 12) if small else 40.0
        draw.chosen["age_years"] = years
    middle = 3.3 + 6 * years if years < 1 else 6.5 + 3 * years if years < 18 else 74.0
    low, high = (middle * 0.8, middle * 1.25) if years < 18 else (39.0, 168.0)
    if years >= 18 and draw.rng.random() < 0.7:
        low, high = 46.0, 112.0
    regimen = draw.regimen() if "drug_dose" in draw.operations else None
    if regimen is not None:
        low, high = max(low, regimen.kg_from or low), min(high, (regimen.kg_below or high + 0.1) - 0.1)
        high = max(high, low + 1)
    unit = draw.rng.choices(("kg", "lb", "g"), (78, 20, 30 if middle < 8 else 0))[0]
    if unit == "g":
        return _measure(draw, "weight", draw.number("weight", low * 1000, high * 1000), "g")
    if unit == "lb":
        low, high = low * 2.205, high * 2.205
    decimals = 1 if high - low < 8 or draw.rng.random() < (0.5 if middle < 20 else 0.2) else 0
    return _measure(draw, "weight", draw.number("weight", low, high, decimals), unit)


FEET: Final = (
    "@'#", "@'#\"", "@' #\"", "@ ft # in", "@ ft #", "@ foot #", "@ feet # inches", "@ ft. # in.", "@'#''", "@’#”",
    "@ foot # inches", "@ ft # inches",
)  # fmt: skip


def height(draw: Draw, variant: str) -> Piece:
    """A height that suits the age, in one number or in feet and inches."""
    if draw.slip == "height":
        return _slipped(draw, "height")
    years = draw.chosen.get("age_years", 40.0)
    adult = years >= 16
    unit = draw.rng.choices(("cm", "in", "m", "ft-in"), (58, 12, 12, 18) if adult else (80, 12, 8, 0))[0]
    if unit == "ft-in":
        feet = draw.rng.choice((4, 5, 5, 5, 5, 6))
        inches = draw.rng.randint({4: 9, 5: 0, 6: 0}[feet], {4: 11, 5: 11, 6: 6}[feet])
        return _feet(draw, feet, inches)
    middle = 170.0 if adult else 75 + 6.2 * years
    low, high = (143.0, 201.0) if adult else (middle * 0.93, middle * 1.07)
    scale, decimals = {"cm": (1.0, 0), "in": (2.54, 0), "m": (100.0, 2)}[unit]
    if unit != "m" and draw.rng.random() < 0.12:
        decimals = 1
    return _measure(draw, "height", draw.number("height", low / scale, high / scale, decimals), unit)


def _feet(draw: Draw, feet: int, inches: int) -> Piece:
    unit = Argument("height_unit", "ft-in")
    if inches == 0 and draw.rng.random() < 0.6:
        return written(draw.pick("@ ft", "@ feet", "@'", "@ foot", "@ft"), "height", feet, unit)
    before, _, after = draw.pick(*FEET).partition("#")
    piece = written(before, "height", feet)
    start = len(piece.text)
    spelled = str(inches)
    return Piece(
        piece.text + spelled + after,
        (*piece.arguments, unit, Argument("height_inches", inches, start, start + len(spelled))),
    )


def creatinine(draw: Draw, variant: str) -> Piece:
    """A serum creatinine; a value without a unit can be read in one unit only."""
    if draw.slip == "creatinine":
        return _slipped(draw, "creatinine")
    child = CHILD_ONLY & set(draw.operations)
    if draw.rng.random() < 0.28:
        value = draw.number("creatinine", 22 if child else 45, 150 if child else 620)
        if value >= 40 and draw.rng.random() < 0.2:
            return written("@", "creatinine", value, Argument("creatinine_unit", "µmol/L"))
        return _measure(draw, "creatinine", value, "µmol/L")
    decimals = draw.rng.choice((1, 1, 1, 2))
    low, high = (0.2, 1.9) if child else (0.5, draw.rng.choice((2.2, 4.6, 9.5)))
    return _measure(draw, "creatinine", draw.number("creatinine", low, high, decimals), "mg/dL")


def crcl(draw: Draw, variant: str) -> Piece:
    """A creatinine clearance in mL/min that the request states."""
    unit = draw.pick("", "", " mL/min", " ml/min", "mL/min", "ml/min", " mls/min", " mL per min")
    decimals = 1 if draw.rng.random() < 0.15 else 0
    return written("@" + unit, "creatinine_clearance", draw.number("creatinine_clearance", 6, 132, decimals))
