"""Values to convert: a number and its unit, the unit wanted, and the substance where it matters."""

from collections.abc import Mapping
from typing import Final

from data.examples.pieces import Argument, Draw, Piece, numeral

WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "kg": ("kg", "kilos", "kilograms", "Kg"), "g": ("g", "grams", "gm"), "mg": ("mg", "milligrams"),
    "mcg": ("mcg", "micrograms", "µg", "ug"), "ng": ("ng", "nanograms"), "lb": ("lb", "lbs", "pounds"),
    "oz": ("oz", "ounces"), "m": ("m", "metres", "meters"), "cm": ("cm", "centimetres", "centimeters", "cms"),
    "mm": ("mm", "millimetres", "millimeters"), "in": ("in", "inches"), "ft": ("ft", "feet"),
    "L": ("L", "litres", "liters"), "mL": ("mL", "ml", "mls", "millilitres"), "tsp": ("tsp", "teaspoons"),
    "tbsp": ("tbsp", "tablespoons"), "fl oz": ("fl oz", "fluid ounces"),
    "°C": ("°C", "C", "celsius", "degrees C", "deg C", "Celsius"),
    "°F": ("°F", "F", "fahrenheit", "degrees F", "deg F", "Fahrenheit"),
    "mmHg": ("mmHg", "mm Hg"), "kPa": ("kPa", "kilopascals"), "kcal": ("kcal", "calories", "kilocalories"),
    "kJ": ("kJ", "kilojoules"), "L/h": ("L/h", "L/hr"), "mL/h": ("mL/h", "ml/hr"), "mL/min": ("mL/min", "ml/min"),
    "g/L": ("g/L", "g/l"), "g/dL": ("g/dL", "g/dl"), "mg/mL": ("mg/mL", "mg/ml"), "mg/dL": ("mg/dL", "mg/dl", "mg%"),
    "mg/L": ("mg/L", "mg/l"), "mcg/mL": ("mcg/mL", "mcg/ml", "µg/mL"), "mcg/dL": ("mcg/dL", "mcg/dl", "µg/dL"),
    "mcg/L": ("mcg/L", "µg/L", "ug/L"), "ng/mL": ("ng/mL", "ng/ml"), "ng/dL": ("ng/dL", "ng/dl"),
    "pg/mL": ("pg/mL", "pg/ml"), "mmol/L": ("mmol/L", "mmol/l", "mmol", "millimoles per litre"),
    "µmol/L": ("µmol/L", "umol/L", "micromol/L", "µmol/l", "umol/l"), "nmol/L": ("nmol/L", "nmol/l", "nmol"),
    "pmol/L": ("pmol/L", "pmol/l"), "mEq/L": ("mEq/L", "meq/L", "mEq/l"), "%": ("%", "percent", "NGSP %"),
    "mmol/mol": ("mmol/mol", "mmol/mol IFCC"),
}  # fmt: skip
PLAIN: Final[tuple[tuple[str, str, float, float, int], ...]] = (
    ("lb", "kg", 5, 380, 0), ("kg", "lb", 2, 170, 1), ("g", "mg", 0.1, 5, 1), ("mg", "g", 100, 5000, 0),
    ("mg", "mcg", 0.05, 2, 2), ("mcg", "mg", 25, 1500, 0), ("ng", "mcg", 100, 5000, 0), ("oz", "g", 2, 40, 0),
    ("kg", "g", 0.6, 5, 2), ("g", "kg", 480, 4900, 0), ("g", "oz", 50, 900, 0), ("in", "cm", 18, 78, 0),
    ("cm", "in", 45, 200, 0), ("ft", "cm", 3, 6, 0), ("m", "ft", 1.2, 2, 2), ("cm", "m", 90, 199, 0),
    ("mm", "cm", 3, 300, 0), ("m", "cm", 1.2, 2, 2), ("L", "mL", 0.5, 4, 1), ("mL", "L", 250, 6000, 0),
    ("tsp", "mL", 1, 6, 0), ("tbsp", "mL", 1, 8, 0), ("mL", "tsp", 5, 45, 0), ("mL", "tbsp", 15, 90, 0),
    ("fl oz", "mL", 2, 32, 0), ("mL", "fl oz", 30, 900, 0), ("°F", "°C", 94, 106, 1), ("°C", "°F", 34, 41, 1),
    ("mmHg", "kPa", 20, 180, 0), ("kPa", "mmHg", 3, 24, 1), ("kcal", "kJ", 40, 2500, 0), ("kJ", "kcal", 200, 9000, 0),
    ("mL/h", "L/h", 25, 1500, 0), ("mL/min", "mL/h", 0.5, 20, 1), ("L/h", "mL/min", 0.5, 12, 1),
    ("mg/mL", "mcg/mL", 0.1, 5, 1), ("mcg/mL", "mg/L", 2, 60, 0), ("g/dL", "g/L", 2, 18, 1),
    ("g/L", "g/dL", 18, 170, 0),
    ("ng/mL", "mcg/L", 0.5, 900, 0), ("mg/dL", "mg/L", 0.5, 40, 1), ("mg/L", "mg/dL", 2, 300, 0),
)  # fmt: skip
CHEMICAL: Final[Mapping[str, tuple[tuple[str, str, float, float, int], ...]]] = {
    "creatinine": (("mg/dL", "µmol/L", 0.4, 9, 1), ("µmol/L", "mg/dL", 40, 800, 0)),
    "glucose": (("mg/dL", "mmol/L", 40, 600, 0), ("mmol/L", "mg/dL", 2.2, 33, 1)),
    "urea nitrogen": (("mg/dL", "mmol/L", 5, 120, 0), ("mmol/L", "mg/dL", 2, 40, 1)),
    "uric acid": (("mg/dL", "µmol/L", 2, 14, 1), ("µmol/L", "mg/dL", 130, 800, 0)),
    "bilirubin": (("mg/dL", "µmol/L", 0.3, 30, 1), ("µmol/L", "mg/dL", 5, 400, 0)),
    "cholesterol": (("mg/dL", "mmol/L", 80, 380, 0), ("mmol/L", "mg/dL", 2, 9.5, 1)),
    "triglycerides": (("mg/dL", "mmol/L", 50, 900, 0), ("mmol/L", "mg/dL", 0.5, 11, 1)),
    "calcium": (("mg/dL", "mmol/L", 6, 14, 1), ("mmol/L", "mg/dL", 1.6, 3.4, 2), ("mg/dL", "mEq/L", 6, 13, 1)),
    "magnesium": (("mg/dL", "mmol/L", 0.9, 5, 1), ("mmol/L", "mg/dL", 0.4, 2, 2), ("mEq/L", "mg/dL", 1, 4, 1)),
    "phosphorus": (("mg/dL", "mmol/L", 1, 9, 1), ("mmol/L", "mg/dL", 0.4, 3, 2)),
    "sodium": (("mmol/L", "mEq/L", 112, 165, 0), ("mEq/L", "mmol/L", 112, 165, 0)),
    "potassium": (("mmol/L", "mEq/L", 2.4, 7.5, 1), ("mEq/L", "mmol/L", 2.4, 7.5, 1)),
    "lithium": (("mmol/L", "mEq/L", 0.2, 2.6, 1), ("mEq/L", "mmol/L", 0.2, 2.6, 1)),
    "lactate": (("mg/dL", "mmol/L", 5, 90, 0), ("mmol/L", "mg/dL", 0.5, 14, 1)),
    "iron": (("mcg/dL", "µmol/L", 15, 220, 0), ("µmol/L", "mcg/dL", 3, 40, 0)),
    "cortisol": (("mcg/dL", "nmol/L", 2, 60, 0), ("nmol/L", "mcg/dL", 50, 1500, 0)),
    "25-hydroxyvitamin D": (("ng/mL", "nmol/L", 5, 110, 0), ("nmol/L", "ng/mL", 12, 250, 0)),
    "vitamin B12": (("pg/mL", "pmol/L", 90, 1500, 0), ("pmol/L", "pg/mL", 60, 1100, 0)),
    "folate": (("ng/mL", "nmol/L", 1, 24, 1), ("nmol/L", "ng/mL", 3, 50, 0)),
    "digoxin": (("ng/mL", "nmol/L", 0.3, 4, 1), ("nmol/L", "ng/mL", 0.4, 5, 1)),
    "theophylline": (("mg/L", "µmol/L", 3, 30, 0), ("µmol/L", "mg/L", 20, 160, 0)),
    "phenytoin": (("mg/L", "µmol/L", 3, 35, 0), ("µmol/L", "mg/L", 12, 140, 0)),
    "hemoglobin A1c": (("%", "mmol/mol", 4.6, 15, 1), ("mmol/mol", "%", 27, 140, 0)),
}
ANALYTE_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "creatinine": ("creatinine", "Cr", "serum creatinine", "creat", "SCr"),
    "glucose": ("glucose", "blood glucose", "blood sugar", "sugar", "BM", "BGL", "fasting glucose"),
    "urea nitrogen": ("BUN", "urea nitrogen", "blood urea nitrogen"),
    "uric acid": ("uric acid", "urate", "serum urate"),
    "bilirubin": ("bilirubin", "bili", "total bilirubin", "SBR"),
    "cholesterol": ("cholesterol", "total cholesterol", "LDL", "HDL", "chol"),
    "triglycerides": ("triglycerides", "trigs", "TG"),
    "calcium": ("calcium", "Ca", "serum calcium"),
    "magnesium": ("magnesium", "Mg", "mag"),
    "phosphorus": ("phosphate", "phosphorus", "phos", "PO4"),
    "sodium": ("sodium", "Na"),
    "potassium": ("potassium", "K"),
    "lithium": ("lithium", "lithium level"),
    "lactate": ("lactate", "lactic acid"),
    "iron": ("iron", "serum iron"),
    "cortisol": ("cortisol", "morning cortisol"),
    "25-hydroxyvitamin D": ("vitamin D", "25-OH vitamin D", "vit D", "25-hydroxyvitamin D"),
    "vitamin B12": ("B12", "vitamin B12", "vit B12"),
    "folate": ("folate", "serum folate"),
    "digoxin": ("digoxin level", "digoxin", "dig level"),
    "theophylline": ("theophylline", "theophylline level"),
    "phenytoin": ("phenytoin", "phenytoin level"),
    "hemoglobin A1c": ("A1c", "HbA1c", "hemoglobin A1c", "haemoglobin A1c"),
}


def amount(draw: Draw, variant: str) -> Piece:
    """A value with its unit: of plain units, or `lab` where the substance is what decides."""
    start, _, low, high, decimals = _conversion(draw, variant)
    value = draw.number("value", low, high, decimals)
    word = _word(draw, start)
    gap = "" if word == "%" else draw.pick(" ", " ", "")
    return numeral(draw, "@" + gap + word, "value", value, Argument("from_unit", start))


def to_unit(draw: Draw, variant: str) -> Piece:
    """The unit to convert to."""
    end = _conversion(draw, variant)[1]
    return Piece(_word(draw, end), (Argument("to_unit", end),))


def from_unit(draw: Draw, variant: str) -> Piece:
    """The unit alone, where the value stands elsewhere."""
    start = _conversion(draw, variant)[0]
    return Piece(_word(draw, start), (Argument("from_unit", start),))


def value(draw: Draw, variant: str) -> Piece:
    """The value alone, where the unit stands elsewhere."""
    _, _, low, high, decimals = _conversion(draw, variant)
    return numeral(draw, "@", "value", draw.number("value", low, high, decimals))


def analyte(draw: Draw, variant: str) -> Piece:
    """The substance."""
    _conversion(draw, "lab")
    name = draw.chosen["analyte"]
    return Piece(draw.rng.choice(ANALYTE_WORDS[name]), (Argument("analyte", name),))


def _conversion(draw: Draw, variant: str) -> tuple[str, str, float, float, int]:
    if "conversion" not in draw.chosen:
        if variant == "lab":
            draw.chosen["analyte"] = draw.rng.choice(list(CHEMICAL))
            draw.chosen["conversion"] = draw.rng.choice(CHEMICAL[draw.chosen["analyte"]])
        else:
            draw.chosen["conversion"] = draw.rng.choice(PLAIN)
    found: tuple[str, str, float, float, int] = draw.chosen["conversion"]
    return found


def _word(draw: Draw, unit: str) -> str:
    words = WORDS[unit]
    return words[0] if draw.rng.random() < 0.5 else draw.rng.choice(words)
