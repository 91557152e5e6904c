"""What the calculations need beside people: laboratory values, rates, strengths, dose rules, kinetics, units."""

from collections.abc import Mapping
from typing import Final

from data.examples.entities import Unusable
from data.examples.pieces import Argument, Draw, Piece, numeral, written


def calcium(draw: Draw, variant: str) -> Piece:
    low, high = (1.6, 2.9) if draw.slip == "calcium" else (6.2, 13.9)
    value = draw.number("calcium", low, high, draw.rng.choice((1, 1, 1, 2)))
    return written("@" + draw.pick("", "", " mg/dL", " mg/dl", "mg/dL"), "calcium", value)


def albumin(draw: Draw, variant: str) -> Piece:
    low, high, decimals = (18, 48, 0) if draw.slip == "albumin" else (1.2, 5.2, 1)
    value = draw.number("albumin", low, high, decimals)
    return written("@" + draw.pick("", "", " g/dL", " g/dl", "g/dL"), "albumin", value)


def qt(draw: Draw, variant: str) -> Piece:
    low, high = (2900, 5600) if draw.slip == "qt_ms" else (260, 600)
    if draw.slip == "qt_ms" and draw.rng.random() < 0.5:
        low, high = 21, 60
    return written(
        "@" + draw.pick("", " ms", "ms", " msec", " milliseconds", "msec"), "qt_ms", draw.number("qt_ms", low, high)
    )


def heart_rate(draw: Draw, variant: str) -> Piece:
    low, high = (510, 999) if draw.slip == "heart_rate" else (36, 168)
    unit = draw.pick("", "", " bpm", "/min", " beats per minute", "bpm", " beats/min", " per min")
    return written("@" + unit, "heart_rate", draw.number("heart_rate", low, high))


# --- pumps ------------------------------------------------------------------

RATE_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "mcg/kg/min": (
        " mcg/kg/min", "mcg/kg/min", " µg/kg/min", " micrograms/kg/min", " mcg per kg per minute", " ug/kg/min",
        " mcg/kg/minute", " microgram/kg/min", "mcg/kg/m", " mics/kg/min",
    ),
    "mcg/kg/h": (" mcg/kg/h", " mcg/kg/hr", "mcg/kg/hr", " micrograms/kg/hour", " µg/kg/h", " mcg/kg/hour"),
    "mg/kg/h": (" mg/kg/h", " mg/kg/hr", "mg/kg/h", " mg per kg per hour", " mg/kg/hour", "mg/kg/hr"),
    "mg/kg/min": (" mg/kg/min", "mg/kg/min", " mg/kg/minute", " mg per kg per minute"),
    "units/kg/h": (" units/kg/h", " units/kg/hr", " U/kg/h", " units per kg per hour", "units/kg/hr", " units/kg/hour"),
    "mcg/min": (" mcg/min", "mcg/min", " µg/min", " micrograms per minute", " ug/min", " mcg per min", " microg/min"),
    "mcg/h": (" mcg/h", " mcg/hr", "mcg/hr", " micrograms per hour", " µg/h", " mcg/hour"),
    "mg/min": (" mg/min", "mg/min", " mg per minute", " mg/minute"),
    "mg/h": (" mg/h", " mg/hr", "mg/h", " mg per hour", "mg/hr", " mg/hour", " mg an hour"),
    "g/h": (" g/h", " g/hr", "g/hr", " grams per hour", " g/hour", " gm/hr"),
    "units/h": (" units/h", " units/hr", " U/h", " units per hour", "units/hr", " units/hour", " units an hour"),
    "units/min": (" units/min", "units/min", " units per minute", " U/min"),
    "mEq/h": (" mEq/h", " mEq/hr", "mEq/hr", " meq/hour", " mEq per hour"),
}  # fmt: skip
RATES: Final[Mapping[str, tuple[float, float, int]]] = {
    "mcg/kg/min": (0.02, 20, 1), "mcg/kg/h": (0.2, 20, 1), "mg/kg/h": (0.1, 4, 1), "mg/kg/min": (0.05, 0.5, 2),
    "units/kg/h": (6, 24, 0), "mcg/min": (2, 200, 0), "mcg/h": (10, 250, 0), "mg/min": (0.5, 4, 1), "mg/h": (1, 30, 0),
    "g/h": (1, 4, 1), "units/h": (1, 1800, 0), "units/min": (0.01, 0.1, 2), "mEq/h": (5, 40, 0),
}  # fmt: skip
PER_KG: Final = ("mcg/kg/min", "mcg/kg/min", "mcg/kg/min", "mg/kg/h", "units/kg/h", "mcg/kg/h", "mg/kg/min")
FLAT: Final = ("mcg/min", "mg/h", "units/h", "mg/min", "mcg/h", "g/h", "units/min", "mEq/h")
STRENGTHS: Final[Mapping[str, tuple[float, float, int]]] = {
    "units/mL": (1, 100, 0), "mg/mL": (0.2, 50, 1), "mcg/mL": (4, 800, 0), "mEq/mL": (0.1, 2, 1),
}  # fmt: skip
STRENGTH_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "units/mL": (" units/mL", " units/ml", "U/mL", " units per mL", " unit/ml", "units/ml"),
    "mg/mL": (" mg/mL", " mg/ml", "mg/mL", " mg per mL", "mg/ml", " mg per ml"),
    "mcg/mL": (" mcg/mL", " mcg/ml", " µg/mL", " micrograms per mL", "mcg/ml", " ug/ml"),
    "mEq/mL": (" mEq/mL", " mEq/ml", " meq/ml", "mEq/mL"),
}


def _family(unit: str) -> str:
    first = unit.split("/")[0]
    return "mass" if first in ("mcg", "mg", "g") else first


def _agreeing(draw: Draw, units: tuple[str, ...], other: str) -> str:
    """A unit of the kind that the other one, if chosen, already has."""
    chosen = draw.chosen.get(other)
    fitting = [unit for unit in units if chosen is None or _family(unit) == _family(chosen)]
    if not fitting:
        raise Unusable(f"no unit goes with {chosen}")
    return draw.rng.choice(fitting)


def dose_rate(draw: Draw, variant: str) -> Piece:
    """An infusion's dose: per kg, or `flat` for one that needs no weight."""
    unit = _agreeing(draw, FLAT if variant == "flat" else PER_KG, "concentration_unit")
    draw.chosen["dose_unit"] = unit
    low, high, decimals = RATES[unit]
    if draw.rng.random() < 0.4 and decimals:
        high, decimals = min(high, 1), 2
    value = draw.number("dose", low, high, decimals)
    return numeral(draw, "@" + draw.pick(*RATE_WORDS[unit]), "dose", value, Argument("dose_unit", unit))


def concentration(draw: Draw, variant: str) -> Piece:
    """The strength of what runs, in a unit that suits the dose."""
    units = ("units/mL", "mg/mL", "mg/mL", "mg/mL", "mcg/mL", "mEq/mL")
    unit = _agreeing(draw, units, "dose_unit")
    draw.chosen["concentration_unit"] = unit
    low, high, decimals = STRENGTHS[unit]
    value = draw.number("concentration", low, high, draw.rng.choice((0, decimals)) if low >= 1 else decimals)
    words = draw.pick(*STRENGTH_WORDS[unit])
    return numeral(draw, "@" + words, "concentration", value, Argument("concentration_unit", unit))


def pump_rate(draw: Draw, variant: str) -> Piece:
    """What a pump runs at."""
    if draw.rng.random() < 0.1:
        words = draw.pick(" mL/min", " ml/min", "mL/min", " mls per minute")
        return written("@" + words, "rate", draw.number("rate", 0.5, 9, 1), Argument("rate_unit", "mL/min"))
    words = draw.pick(" mL/h", " ml/hr", "mL/h", " mls/hr", " ml/h", "ml/hr", " mL per hour", " ml an hour", " cc/hr")
    decimals = draw.rng.choice((0, 0, 1))
    low, high = (0.5, 40) if decimals else (2, 180)
    return numeral(draw, "@" + words, "rate", draw.number("rate", low, high, decimals), Argument("rate_unit", "mL/h"))


def rate_unit(draw: Draw, variant: str) -> Piece:
    """The unit in which the dose of a running pump is wanted: per kg, or `flat`."""
    unit = _agreeing(draw, FLAT if variant == "flat" else PER_KG, "concentration_unit")
    draw.chosen["dose_unit"] = unit
    return Piece(draw.pick(*RATE_WORDS[unit]).strip(), (Argument("dose_unit", unit),))


# --- doses ------------------------------------------------------------------

FREQUENCY_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "once daily": ("once daily", "daily", "od", "OD", "once a day", "qd", "QD", "every day", "1x/day", "mane"),
    "twice daily": ("twice daily", "bid", "BID", "bd", "BD", "twice a day", "2x/day", "b.i.d.", "two times a day"),
    "three times daily": (
        "three times daily", "tid", "TID", "tds", "TDS", "three times a day", "3x/day", "t.i.d.", "thrice daily",
    ),
    "four times daily": ("four times daily", "qid", "QID", "qds", "QDS", "four times a day", "4x/day"),
    "five times daily": ("five times daily", "five times a day", "5x/day"),
    "six times daily": ("six times daily", "six times a day", "6x/day"),
    "every 3 hours": ("every 3 hours", "q3h", "3 hourly", "Q3H"),
    "every 4 hours": ("every 4 hours", "q4h", "4 hourly", "4-hourly", "Q4H", "every 4 h"),
    "every 6 hours": ("every 6 hours", "q6h", "6 hourly", "6-hourly", "Q6H", "every 6 h", "q6"),
    "every 8 hours": ("every 8 hours", "q8h", "8 hourly", "8-hourly", "Q8H", "every 8 h", "q8"),
    "every 12 hours": ("every 12 hours", "q12h", "12 hourly", "12-hourly", "Q12H", "every 12 h", "q12"),
    "every 24 hours": ("every 24 hours", "q24h", "24 hourly", "Q24H", "every 24 h"),
    "every 36 hours": ("every 36 hours", "q36h", "36 hourly"),
    "every 48 hours": ("every 48 hours", "q48h", "48 hourly", "Q48H"),
    "once weekly": ("once weekly", "weekly", "once a week", "every week", "qweek"),
}  # fmt: skip
USUAL: Final = (
    *("once daily",) * 4, *("twice daily",) * 6, *("three times daily",) * 5, *("four times daily",) * 3,
    "every 4 hours", *("every 6 hours",) * 4, *("every 8 hours",) * 5, *("every 12 hours",) * 4, "every 24 hours",
    "every 3 hours", "every 36 hours", "every 48 hours", "once weekly", "five times daily", "six times daily",
)  # fmt: skip
ROUTE_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "oral": ("oral", "po", "PO", "by mouth", "orally", "per os", "p.o."),
    "intravenous": ("IV", "iv", "intravenous", "i.v.", "intravenously"),
    "intramuscular": ("IM", "im", "intramuscular", "i.m."),
    "subcutaneous": ("SC", "subcut", "subcutaneous", "s/c", "sub-cut", "SQ", "subQ"),
    "rectal": ("PR", "rectal", "rectally", "per rectum"),
    "nebulised": ("nebulised", "nebulized", "via neb", "neb"),
    "inhaled": ("inhaled", "by inhaler", "MDI"),
    "intranasal": ("intranasal", "nasal", "intranasally"),
    "sublingual": ("sublingual", "SL", "under the tongue"),
    "transdermal": ("transdermal", "patch", "topical patch"),
}


def frequency(draw: Draw, variant: str) -> Piece:
    """How often, in words or abbreviations; `sub` only what divides a day."""
    usual = tuple(f for f in USUAL if not f.endswith(("36 hours", "48 hours", "weekly"))) if variant == "sub" else USUAL
    name = draw.rng.choice(usual)
    return Piece(draw.rng.choice(FREQUENCY_WORDS[name]), (Argument("frequency", name),))


def route(draw: Draw, variant: str) -> Piece:
    """How the drug is given: as its regimen is, if it has one."""
    regimen = draw.regimen() if "drug_dose" in draw.operations else None
    name = regimen.route if regimen is not None else draw.rng.choice(("oral", "oral", "intravenous", "intramuscular"))
    return Piece(draw.rng.choice(ROUTE_WORDS[name]), (Argument("route", name),))


SIZED: Final[Mapping[str, tuple[float, float, int, tuple[str, ...]]]] = {
    "mg/kg": (0.1, 90, 0, (" mg/kg", "mg/kg", " mg per kg", " mg per kilo", " mg/kilo", " mg/Kg")),
    "mcg/kg": (1, 200, 0, (" mcg/kg", "mcg/kg", " micrograms/kg", " µg/kg", " ug/kg", " mcg per kg")),
    "g/kg": (0.25, 2, 2, (" g/kg", "g/kg", " grams per kg", " gm/kg")),
    "units/kg": (5, 150, 0, (" units/kg", " U/kg", "units/kg", " units per kg", " IU/kg")),
    "mEq/kg": (0.5, 3, 1, (" mEq/kg", " meq/kg", "mEq/kg")),
    "mL/kg": (2, 30, 0, (" mL/kg", " ml/kg", "mL/kg", "mls/kg", " ml per kg")),
    "mg/m²": (10, 1000, 0, (" mg/m²", " mg/m2", "mg/m2", " mg per m2", " mg per square metre", " mg/sqm")),
    "mcg/m²": (100, 900, 0, (" mcg/m²", " mcg/m2", " micrograms/m2")),
    "g/m²": (1, 12, 1, (" g/m²", " g/m2", "g/m2", " gm/m2")),
    "units/m²": (1000, 25000, 0, (" units/m²", " units/m2", " U/m2", " IU/m2")),
    "mg/kg/day": (2, 100, 0, (" mg/kg/day", "mg/kg/day", " mg/kg/d", " mg per kg per day", " mg/kg a day")),
    "mcg/kg/day": (2, 15, 0, (" mcg/kg/day", "mcg/kg/day", " micrograms/kg/day", " mcg/kg/d")),
    "units/kg/day": (0.2, 1.2, 1, (" units/kg/day", " U/kg/day", " units per kg per day", " units/kg/d")),
    "mEq/kg/day": (1, 4, 1, (" mEq/kg/day", " meq/kg/day", " mEq/kg/d")),
    "mL/kg/day": (60, 180, 0, (" mL/kg/day", " ml/kg/day", " mls/kg/day", " ml/kg/d")),
    "mg/m²/day": (10, 300, 0, (" mg/m²/day", " mg/m2/day", " mg/m2/d", " mg per m2 per day")),
}
PER_DOSE: Final = ("mg/kg",) * 6 + ("mcg/kg",) * 2 + ("units/kg",) * 2 + ("g/kg", "mEq/kg", "mL/kg")
PER_DAY: Final = ("mg/kg/day",) * 6 + ("mcg/kg/day", "units/kg/day", "mEq/kg/day", "mL/kg/day")
PER_AREA: Final = ("mg/m²",) * 5 + ("mcg/m²", "g/m²", "units/m²")


def sized_dose(draw: Draw, variant: str) -> Piece:
    """A dose per kg; `day` for one per kg and day, `area` per m², `area-day`."""
    kinds = {"day": PER_DAY, "area": PER_AREA, "area-day": ("mg/m²/day",)}.get(variant, PER_DOSE)
    unit = draw.rng.choice(kinds)
    low, high, decimals, words = SIZED[unit]
    if decimals == 0 and low < 20 and draw.rng.random() < 0.35:
        low, high, decimals = low, min(high, 12), 1
    elif low < 1 and decimals == 0:
        low = 1
    draw.chosen["sized_unit"] = unit.split("/")[0]
    value = draw.number("dose", low, high, decimals)
    return numeral(draw, "@" + draw.rng.choice(words), "dose", value, Argument("dose_unit", unit))


AMOUNT_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "mg": (" mg", "mg", " milligrams", " MG"),
    "mcg": (" mcg", "mcg", " micrograms", " µg", " ug"),
    "g": (" g", "g", " grams", " gm"),
    "units": (" units", "units", " U", " IU"),
    "mEq": (" mEq", " meq", "mEq"),
    "mL": (" mL", " ml", "ml", " mls"),
}


def max_dose(draw: Draw, variant: str) -> Piece:
    """The most that the prescriber allows for one dose."""
    unit = draw.chosen.get("sized_unit") or "mg"
    unit, low, high = {
        "mg": draw.rng.choice((("mg", 40, 2000), ("mg", 40, 2000), ("g", 1, 4))),
        "mcg": ("mcg", 50, 1000), "g": ("g", 10, 100), "units": ("units", 1000, 10000), "mEq": ("mEq", 10, 60),
        "mL": ("mL", 250, 1000),
    }[unit]  # fmt: skip
    value = draw.number("max_dose", low, high)
    if value > 60 and draw.rng.random() < 0.8:
        step = 10 if value < 200 else 50
        value = value // step * step
    words = draw.rng.choice(AMOUNT_WORDS[unit])
    return numeral(draw, "@" + words, "max_dose", value, Argument("max_dose_unit", unit))


def target_auc(draw: Draw, variant: str) -> Piece:
    decimals = draw.rng.choice((0, 0, 1))
    return written("@", "target_auc", draw.number("target_auc", 2, 7, decimals))


def opioid_dose(draw: Draw, variant: str) -> Piece:
    """One dose of an opioid in mg; `patch`: the rate of a fentanyl patch."""
    if variant == "patch":
        words = draw.pick(" mcg/h", " mcg/hr", "mcg/hr", " micrograms per hour", " µg/h", " mcg/hour", " mics/hr")
        value = draw.rng.choice((12, 25, 37.5, 50, 62.5, 75, 87.5, 100, draw.number("dose", 12, 150)))
        return written("@" + words, "dose", value, Argument("dose_unit", "mcg/h"))
    value = draw.rng.choice((2.5, 5, 7.5, 10, 15, 20, 30, 40, 50, 60, 80, 100, draw.number("dose", 2, 120)))
    return written("@" + draw.pick(" mg", "mg", " mg", " milligrams"), "dose", value, Argument("dose_unit", "mg"))


def steroid_dose(draw: Draw, variant: str) -> Piece:
    unit = draw.rng.choice(("mg",) * 9 + ("g",)) if variant != "mg" else "mg"
    value = draw.number("dose", 1, 1) if unit == "g" else draw.number("dose", 0.5, 125, draw.rng.choice((0, 0, 0, 1)))
    return written("@" + draw.rng.choice(AMOUNT_WORDS[unit]), "dose", value or 1, Argument("dose_unit", unit))


# --- kinetics ---------------------------------------------------------------

LEVELS: Final[Mapping[str, tuple[float, float, int, tuple[str, ...]]]] = {
    "mg/L": (2, 60, 0, (" mg/L", "mg/L", " mg/l", " mg per litre", " mg/liter")),
    "mcg/mL": (2, 60, 1, (" mcg/mL", "mcg/mL", " mcg/ml", " µg/mL", " ug/ml")),
    "ng/mL": (0.5, 400, 1, (" ng/mL", "ng/mL", " ng/ml")),
    "mcg/L": (1, 400, 0, (" mcg/L", " µg/L", " ug/L", " micrograms/L")),
}


def target_level(draw: Draw, variant: str) -> Piece:
    """The concentration to reach."""
    unit, value = _level(draw)
    given = Argument("concentration_unit", unit)
    return written("@" + draw.rng.choice(LEVELS[unit][3]), "target_concentration", value, given)


def current_level(draw: Draw, variant: str) -> Piece:
    """The concentration now, below the target and in its unit."""
    unit, target = _level(draw)
    if target < 3:
        raise Unusable("no room below the target")
    value = draw.number("current_concentration", 1, target - 1, draw.rng.choice((0, 1)))
    return written("@" + draw.rng.choice(LEVELS[unit][3]), "current_concentration", value)


def _level(draw: Draw) -> tuple[str, int | float]:
    """The unit and number of the target, drawn once."""
    if "level" not in draw.chosen:
        unit = draw.rng.choice(("mg/L", "mg/L", "mg/L", "mcg/mL", "mcg/mL", "ng/mL", "mcg/L"))
        low, high, decimals, _ = LEVELS[unit]
        decimals = draw.rng.choice((0, decimals)) if low >= 1 else decimals
        draw.chosen["level"] = (unit, draw.number("target_concentration", low, high, decimals))
    found: tuple[str, int | float] = draw.chosen["level"]
    return found


def volume(draw: Draw, variant: str) -> Piece:
    """A volume of distribution: per kg, or `flat` for one of the whole body."""
    unit = "L" if variant == "flat" else draw.rng.choice(("L/kg", "L/kg", "L/kg", "mL/kg"))
    low, high, decimals = {"L": (8, 600, 0), "L/kg": (0.1, 9, 2), "mL/kg": (100, 900, 0)}[unit]
    if unit == "L/kg" and draw.rng.random() < 0.4:
        low, decimals = 0.2, 1
    words = {
        "L": (" L", "L", " litres", " liters", " l"),
        "L/kg": (" L/kg", "L/kg", " l/kg", " litres per kg", " L per kg"),
        "mL/kg": (" mL/kg", " ml/kg", "mL/kg"),
    }[unit]
    value = draw.number("volume", low, high, decimals)
    return numeral(draw, "@" + draw.rng.choice(words), "volume", value, Argument("volume_unit", unit))


def clearance(draw: Draw, variant: str) -> Piece:
    """A clearance: of the whole body, or `per_kg`."""
    unit = draw.rng.choice(("L/h/kg", "mL/min/kg", "mL/h/kg") if variant == "per_kg" else ("L/h", "L/h", "mL/min"))
    low, high, decimals, words = {
        "L/h": (0.5, 40, 1, (" L/h", " L/hr", "L/h", " litres per hour", " l/hr", " L/hour")),
        "mL/min": (10, 300, 0, (" mL/min", " ml/min", "mL/min", " mls/min")),
        "L/h/kg": (0.02, 0.9, 2, (" L/h/kg", " L/hr/kg", " L/kg/h", " l/kg/hr")),
        "mL/min/kg": (0.3, 12, 1, (" mL/min/kg", " ml/min/kg", " mL/kg/min")),
        "mL/h/kg": (10, 90, 0, (" mL/h/kg", " ml/hr/kg", " mL/kg/h", " ml/kg/hr")),
    }[unit]
    value = draw.number("clearance", low, high, decimals)
    return numeral(draw, "@" + draw.rng.choice(words), "clearance", value, Argument("clearance_unit", unit))


def bioavailability(draw: Draw, variant: str) -> Piece:
    """A bioavailability, in percent or as a fraction."""
    if draw.rng.random() < 0.6:
        given = Argument("bioavailability_unit", "%")
        value = draw.number("bioavailability", 20, 98)
        return written("@" + draw.pick("%", " %", " percent", " per cent"), "bioavailability", value, given)
    given = Argument("bioavailability_unit", "fraction")
    return written("@", "bioavailability", draw.number("bioavailability", 0.2, 0.98, draw.rng.choice((1, 2))), given)


def salt_factor(draw: Draw, variant: str) -> Piece:
    return written("@", "salt_factor", draw.number("salt_factor", 0.5, 0.98, 2))
