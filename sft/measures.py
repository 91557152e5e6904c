"""Numbers with their units in a request, found by regular expressions: the measuring half of the extractor."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import tools

Found = dict[str, Any]
N = r"(\d+(?:,\d{3})*(?:\.\d+)?|\.\d+)"
FEMALE: Final = r"female|woman|lady|girl|fem|wom|mum|mother|wife|grandmother|daughter"
MALE: Final = r"male|man|gentleman|boy|guy|dad|father|husband|grandfather|son"
_YEARS = r"y/?o|y\.o\.?|yrs?|years?|y"
_SHORT = r"months?|mths?|mo|weeks?|wks?|days?"
AGES: Final = (
    rf"{N}\s*-?\s*({_YEARS}|{_SHORT})\s*-?\s*(?:old|of age)\b",
    rf"\b(?:aged?|age is)[:= ]*{N}\s*({_YEARS}|{_SHORT})?\b",
    rf"{N}\s*-?\s*(y/?o|y\.o\.?)",
    rf"{N}\s*(?:{_YEARS})?\s*,?\s*\(?(?:{FEMALE}|{MALE}|[MF])\b()",
    rf"\b(?:{FEMALE}|{MALE}|[MF])\s*(?:pt|patient)?\s*,?\s*(?:of|[(/])?\s*{N}(?!\s*(?:kg|kilo|lb|pound|cm|m\b|ft|[.\d]))()",
    rf"{N}\s*-?\s*({_YEARS})\b",
    rf"{N}\s*-?\s*({_SHORT})\b",
)
_CONVERTED = tools.argument_schemas()["calculate_dose"]["oneOf"][-1]["properties"]
UNITS: Final = {
    "weight": {r"kgs?|kilos?|kilograms?|kgms?": "kg", r"lbs?|pounds?|#": "lb", r"g|grams?|gm": "g"},
    "creatinine": {
        r"mg\s*(?:/|per)\s*dl|mg%": "mg/dL",
        r"(?:µ|μ|u|mc|micro)\s*mol(?:es)?(?:\s*(?:/|per)\s*l)?": "µmol/L",
    },
}
_AMOUNT = {
    r"mcg|µg|μg|ug|micrograms?|mics?": "mcg",
    r"mg|milligrams?": "mg",
    r"g|grams?": "g",
    r"units?|iu|u": "units",
    r"meq": "mEq",
}
_UNIT_WORDS = {
    r"kilos?|kilograms?|kgs": "kg", r"grams?": "g", r"milligrams?": "mg", r"micrograms?|µg|ug": "mcg",
    r"lbs|pounds?|#": "lb", r"ounces?": "oz", r"met(?:er|re)s?": "m", r"cms|centimet(?:er|re)s?": "cm",
    r"millimet(?:er|re)s?": "mm", r"inch(?:es)?": "in", r"feet|foot": "ft", r"lit(?:er|re)s?": "L",
    r"mls|millilit(?:er|re)s?": "mL", r"teaspoons?": "tsp", r"tablespoons?": "tbsp", r"fluid ounces?": "fl oz",
    r"celsius|°? ?c|centigrade": "°C", r"fahrenheit|°? ?f": "°F", r"umol/l|micromol(?:es)?(?:/l)?": "µmol/L",
    r"percent": "%",
}  # fmt: skip
_ALSO = {
    "hemoglobin A1c": ("a1c", "hba1c", "h(?:a)?emoglobin a1c", "ha?emoglobin a1c"),
    "urea nitrogen": ("bun", "urea"), "glucose": ("sugar", "bg"), "cholesterol": ("ldl", "hdl"),
    "phosphorus": ("phosphate",),
    "25-hydroxyvitamin D": ("vitamin d", "25-oh d"), "vitamin B12": ("b12",),
    "creatinine": ("cr", "creat"), "uric acid": ("urate",),
    "triglycerides": ("tgs?",), "magnesium": ("mg level",), "calcium": ("ca",), "iron": ("fe",),
}  # fmt: skip
_EACH_TIME = {
    "once daily": r"once (?:a day|daily|nightly)|daily|od|qd|every day|at night|nightly|in the morning",
    "twice daily": r"twice (?:a day|daily)|bid|bd|b\.i\.d\.?|two times a day",
    "three times daily": r"three times (?:a day|daily)|tid|tds|t\.i\.d\.?",
    "four times daily": r"four times (?:a day|daily)|qid|qds|q\.i\.d\.?",
    "once weekly": r"once (?:a week|weekly)|weekly",
}


def number(text: str) -> int | float:
    """The number as JSON would say it."""
    text = text.replace(",", "")
    return float(text) if "." in text else int(text)


def measures(text: str) -> Found:
    """Every argument of the calculations that can be read off a text, the first mention of each."""
    found: Found = {}
    readers = (_age, _sex, _weight, _height, _laboratory, _heart, _rates, _kinetics, _conversion, _frequency, _formula)
    for read in readers:
        found |= {key: value for key, value in read(text).items() if key not in found}
    return found


def _unit(words: str, units: Mapping[str, str]) -> str | None:
    return next((unit for pattern, unit in units.items() if re.fullmatch(pattern, words.strip(), re.IGNORECASE)), None)


def _any(units: Mapping[str, str]) -> str:
    return "|".join(units)


def _age(text: str) -> Found:
    for pattern in AGES:
        match = re.search(pattern, text, re.IGNORECASE)
        if match:
            first = (match[2] or "y")[0].lower()
            unit = {"m": "months", "w": "weeks", "d": "days"}.get(first, "years")
            return {"age": number(match[1]), "age_unit": unit}
    return {}


def _sex(text: str) -> Found:
    short = re.search(r"(?<![A-Za-z'])(?:\d+\s*(?:y/?o|yo|y)?\s*([MF])|([MF])\s*/?\s*\d+|([MF]))(?![A-Za-z'])", text)
    for sex, words in (("female", FEMALE), ("male", MALE)):
        if re.search(rf"\b(?:{words})\b", text, re.IGNORECASE):
            return {"sex": sex}
    if short:
        return {"sex": "female" if "F" in short[0] else "male"}
    lower = re.search(r"\b([mf])\s*/?\s*\d{1,3}\b|\b\d{1,3}\s*(?:y/?o\s*)?([mf])\b", text)
    if lower:
        return {"sex": "female" if "f" in lower[0] else "male"}
    return {"sex": "female"} if re.search(r"\b(?:she|her)\b", text, re.I) else {}


def _weight(text: str) -> Found:
    pattern = rf"(?<![\d./]){N}\s*({_any(UNITS['weight'])})(?![A-Za-z/]|\s*(?:/|per\b))"
    for match in re.finditer(pattern, text, re.IGNORECASE):
        unit = _unit(match[2], UNITS["weight"])
        if unit != "g" or re.search(r"weigh|birth|bab|infant|neonat|newborn", text, re.IGNORECASE):
            return {"weight": number(match[1]), "weight_unit": unit}
    return {}


def _height(text: str) -> Found:
    match = re.search(
        r"\b([3-7])\s*(?:ft|foot|feet|['’′])\s*,?\s*(\d{1,2})?(?:\s*(?:in\b|inch(?:es)?|[\"”″]))?", text, re.I
    )
    if match:
        inches = {"height_inches": int(match[2])} if match[2] else {}
        return {"height": int(match[1]), "height_unit": "ft-in", **inches}
    for unit, pattern in (
        ("cm", rf"(?<![\d.]){N}\s*(?:cms?|centimet(?:er|re)s?)\b"),
        ("m", r"(?<![\d.])([12](?:\.\d{1,2})?)\s*(?:m|met(?:er|re)s?)\b"),
        ("in", r"(?<![\d.])([4-8]\d(?:\.\d)?)\s*(?:in\b|inch(?:es)?\b|[\"”″])"),
    ):
        match = re.search(pattern, text, re.IGNORECASE)
        if match:
            return {"height": number(match[1]), "height_unit": unit}
    return {}


def _laboratory(text: str) -> Found:
    found: Found = {}
    near = r"\b(?:\s+(?:level|value|result))?[^\w.]{0,4}(?:is|was|of|at|now|came back|=)?[^\w.]{0,3}"
    match = re.search(
        rf"\b(?:s?cr|s?creat(?:inine)?)(?! clearance){near}{N}\s*({_any(UNITS['creatinine'])})?", text, re.I
    )
    match = match or re.search(rf"(?<![\d.]){N}\s*({_any(UNITS['creatinine'])})\b", text, re.IGNORECASE)
    if match:
        value = number(match[1])
        unit = _unit(match[2], UNITS["creatinine"]) if match[2] else "mg/dL" if value < 25 else "µmol/L"
        found |= {"creatinine": value, "creatinine_unit": unit}
    for key, words in (
        ("creatinine_clearance", r"crcl|creatinine clearance|clearance|egfr|gfr"),
        ("calcium", r"(?<!corrected )(?<!adjusted )(?:calcium|ca)"),
        ("albumin", r"albumin|alb"),
        ("target_auc", r"auc"),
    ):
        match = re.search(rf"\b(?:{words})\b[^\w.]{{0,4}}(?:is|was|of|at|target)?[^\w.]{{0,3}}{N}", text, re.IGNORECASE)
        if match:
            found[key] = number(match[1])
    return found


def _heart(text: str) -> Found:
    found: Found = {}
    qt = re.search(rf"\bqt\b(?!c)\D{{0,14}}{N}", text, re.I) or re.search(
        rf"{N}\s*(?:ms|msec|milliseconds)\b", text, re.I
    )
    rate = re.search(rf"\b(?:hr|heart rate|pulse)\b\D{{0,8}}{N}", text, re.IGNORECASE)
    rate = rate or re.search(rf"{N}\s*(?:bpm|beats|/\s*min|per min)", text, re.IGNORECASE)
    found |= {"qt_ms": number(qt[1])} if qt else {}
    return found | ({"heart_rate": number(rate[1])} if rate else {})


def _rates(text: str) -> Found:
    """Doses by time or size, concentrations, and pump rates."""
    found: Found = {}
    per = r"\s*(?:/|per|an?)\s*"
    time = r"(min(?:ute)?|h(?:r|our)?|day|d)\b"
    for given in re.finditer(rf"{N}\s*({_any(_AMOUNT)}){per}(?:(kg|m2|m²){per}?)?{time}", text, re.IGNORECASE):
        amount, size = _unit(given[2], _AMOUNT), (given[3] or "").lower().replace("m2", "m²")
        unit = {"m": "min", "h": "h", "d": "day"}[given[4][0].lower()]
        found.setdefault("dose", number(given[1]))
        found.setdefault("dose_unit", "/".join(part for part in (amount, size, unit) if part))
    match = re.search(rf"{N}\s*({_any(_AMOUNT)}){per}ml\b", text, re.IGNORECASE)
    if match:
        found |= {"concentration": number(match[1]), "concentration_unit": f"{_unit(match[2], _AMOUNT)}/mL"}
    match = re.search(rf"{N}\s*ml{per}(min|h)", text, re.IGNORECASE)
    if match:
        found |= {"rate": number(match[1]), "rate_unit": "mL/min" if match[2].lower() == "min" else "mL/h"}
    match = re.search(rf"{N}\s*({_any(_AMOUNT)}|ml){per}(kg|m2|m²)(?!\s*(?:/|per)\s*(?:min|h))", text, re.IGNORECASE)
    if match and "dose" not in found:
        amount = _unit(match[2], _AMOUNT) or "mL"
        found |= {"dose": number(match[1]), "dose_unit": f"{amount}/{match[3].lower().replace('m2', 'm²')}"}
    match = re.search(rf"{N}\s*({_any(_AMOUNT)})\b(?!\s*(?:/|per))", text, re.IGNORECASE)
    if match:
        found |= {"amount": number(match[1]), "amount_unit": _unit(match[2], _AMOUNT)}
    return found


def _kinetics(text: str) -> Found:
    """Target levels, volumes of distribution and clearances."""
    found: Found = {}
    level = rf"{N}\s*(mcg|µg|μg|ug|micrograms?|mg|ng)\s*(?:/|per)\s*(ml|l|lit(?:er|re))\b"
    units = {"mg/l": "mg/L", "mcg/ml": "mcg/mL", "ng/ml": "ng/mL", "mcg/l": "mcg/L"}
    for target in re.finditer(level, text, re.IGNORECASE):
        amount = "ng" if target[2].lower() == "ng" else _unit(target[2], _AMOUNT)
        known = units.get(f"{amount}/{'ml' if target[3].lower() == 'ml' else 'l'}")
        if known and "target_concentration" not in found:
            found |= {"target_concentration": number(target[1]), "level_unit": known}
    match = re.search(rf"{N}\s*(ml|l(?:it(?:er|re)s?)?)(\s*(?:/|per)\s*kg)?\b(?!\s*(?:/|per))", text, re.IGNORECASE)
    if match:
        unit = ("mL" if match[2].lower() == "ml" else "L") + ("/kg" if match[3] else "")
        found |= {"volume": number(match[1]), "volume_unit": unit}
    time = r"\s*(?:/|per|an?)\s*(h|min)(?:r|our|ute)?s?(\s*(?:/|per)\s*kg)?"
    match = re.search(rf"{N}\s*(m?l){time}\b", text, re.IGNORECASE)
    if match:
        unit = ("mL" if match[2].lower() == "ml" else "L") + f"/{match[3].lower()}" + ("/kg" if match[4] else "")
        found |= {"clearance": number(match[1]), "clearance_unit": unit}
    for key, words in (("bioavailability", "bioavailability|f"), ("salt_factor", "salt factor|s")):
        given = re.search(rf"\b(?:{words})\b\s*(?:is|of|=|:)?\s*{N}\s*(%|per ?cent)?", text, re.IGNORECASE)
        if given:
            found[key] = number(given[1])
            found |= {"bioavailability_unit": "%" if given[2] else "fraction"} if key == "bioavailability" else {}
    return found


def _conversion(text: str) -> Found:
    """A value with its unit, another unit, and the substance if one is named."""
    words = {**{re.escape(unit): unit for unit in _CONVERTED["from_unit"]["enum"]}, **_UNIT_WORDS}
    units = "|".join(sorted(words, key=len, reverse=True))
    match = re.search(rf"{N}\s*({units})(?![\w/]).{{0,40}}?\b(?:in|to|into|as|=)\s+({units})(?![\w/])", text, re.I)
    match = match or re.search(
        rf"{N}\s*({units})(?![\w/])[^.?!]*?\b(?:how many|what)\b[^.?!]*?({units})(?![\w/])", text, re.I
    )
    if not match:
        return {}
    from_unit, to_unit = _unit(match[2], words), _unit(match[3], words)
    found: Found = {"value": number(match[1]), "from_unit": from_unit, "to_unit": to_unit}
    for substance in _CONVERTED["analyte"]["enum"]:
        names = "|".join([re.escape(substance), *_ALSO.get(substance, ())])
        if re.search(rf"\b(?:{names})\b", text, re.IGNORECASE):
            return found | {"analyte": substance}
    return found


def _frequency(text: str) -> Found:
    match = re.search(
        r"\b(?:q|every)\s*(3|4|6|8|12|24|36|48)\s*-?\s*(?:h(?:ou)?rs?|h|hrly|hourly)\b", text, re.IGNORECASE
    )
    if match:
        return {"frequency": f"every {match[1]} hours"}
    for name, words in _EACH_TIME.items():
        if re.search(rf"(?<![\w/])(?:{words})(?!\w)", text, re.IGNORECASE):
            return {"frequency": name}
    return {}


def _formula(text: str) -> Found:
    names = {"mosteller": r"mosteller", "du_bois": r"du\s?bois", "bazett": r"bazett", "fridericia": r"fridericia"}
    return next(({"formula": n} for n, p in names.items() if re.search(p, text, re.IGNORECASE)), {})


READERS: Final[Mapping[str, Callable[[str], Found]]] = {
    "age": lambda text: _age(text) or _bare(text, "age", {"age_unit": "years"}),
    "creatinine": lambda text: _laboratory(f"creatinine {text}"),
    "heart_rate": lambda text: _bare(text, "heart_rate", {}),
    "qt_ms": lambda text: _bare(text, "qt_ms", {}),
    "calcium": lambda text: _laboratory(f"calcium {text}"),
    "albumin": lambda text: _laboratory(f"albumin {text}"),
}
"""How to read a reply to a question for one argument, where a bare number will do."""


def _bare(text: str, key: str, more: Found) -> Found:
    match = re.search(N, text)
    return {key: number(match[1]), **more} if match else {}
