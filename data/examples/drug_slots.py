"""Drugs in a request: alone, in lists of many looks, with strengths behind them, for a dose, and in passing."""

from typing import Final

from data.errors import ExamplesError
from data.examples.entities import Unusable, held_out
from data.examples.pieces import Argument, Draw, Piece, listed, written

MISSPELT: Final = 0.03
"""Share of real names that are written with a slip; the call copies them as written."""
OPIOIDS: Final = (
    "codeine", "hydrocodone", "hydromorphone", "methadone", "morphine", "oxycodone", "oxymorphone",
    "tapentadol", "tramadol",
)  # fmt: skip
STEROIDS: Final = (
    "betamethasone", "cortisone", "dexamethasone", "hydrocortisone", "methylprednisolone", "prednisolone",
    "prednisone", "triamcinolone",
)  # fmt: skip
PUMPED: Final = (
    "norepinephrine", "epinephrine", "dopamine", "dobutamine", "phenylephrine", "vasopressin", "milrinone",
    "heparin", "insulin regular", "propofol", "midazolam", "dexmedetomidine", "ketamine", "fentanyl", "morphine",
    "remifentanil", "amiodarone", "esmolol", "diltiazem", "labetalol", "nicardipine", "nitroglycerin",
    "nitroprusside", "furosemide", "lidocaine", "octreotide", "argatroban", "bivalirudin", "alteplase",
    "magnesium sulfate", "potassium chloride", "oxytocin", "naloxone", "aminophylline", "procainamide",
    "cisatracurium", "rocuronium", "isoproterenol", "clevidipine", "pantoprazole",
)  # fmt: skip
COMMON_INDICATIONS: Final = (
    "pneumonia", "otitis media", "cellulitis", "hypertension", "pain", "fever", "atrial fibrillation",
    "epilepsy", "asthma", "sepsis", "urinary tract infection", "migraine", "heart failure", "nausea",
    "type 2 diabetes", "gout", "sinusitis", "anaphylaxis", "UTI", "pyelonephritis", "strep throat", "scabies",
    "depression", "DVT", "status epilepticus", "croup", "meningitis", "neutropenic fever", "shingles", "malaria",
)  # fmt: skip

ROUTE_NAMES: Final = frozenset(
    {"iv", "im", "oral", "intravenous", "intramuscular", "subcutaneous", "rectal", "nebulised"}
)
"""Other names of indications that only say how the drug is given."""
AMOUNTS: Final = (
    0.5, 1, 1.25, 2, 2.5, 4, 5, 6.25, 7.5, 10, 12.5, 15, 20, 25, 30, 37.5, 40, 50, 60, 75, 80, 100, 120, 125, 150,
    160, 180, 200, 240, 250, 300, 320, 400, 450, 500, 600, 625, 750, 800, 850, 875, 900, 1000,
)  # fmt: skip
HOW_OFTEN: Final = (
    "", "", "", "", " daily", " od", " OD", " bd", " BD", " bid", " BID", " tds", " TDS", " tid", " qid", " qds",
    " nightly", " qhs", " at night", " nocte", " mane", " q8h", " q12h", " q6h", " every 8 hours", " prn", " PRN",
    " for BP", " for AF", " (for pain)", " for her heart", " for diabetes", " (new)", " x 7 days", " since May",
    " once a day", " twice a day", " three times a day", " weekly", " mr", " XL", " SR", " ER", " po", " PO", " IV",
    " po bid", " IV q6h", " po daily", " PO OD", " sc", " 1 tab daily", " in the morning",
)  # fmt: skip


def drug(draw: Draw, variant: str) -> Piece:
    """One drug, as people write it, now and then with a strength behind it; `bare` never has one, `dosed` always."""
    text = _drug_text(draw)
    share = {"bare": 0.0, "dosed": 1.0}.get(variant, 0.15)
    return Piece(text + _strength(draw, share), (Argument("drugs", text, 0, len(text)),))


def drugs(draw: Draw, variant: str) -> Piece:
    """Two to four drugs in a row; a variant such as `3` or `3-5` says how many, `bare` that none has a strength."""
    counts = variant if variant[:1].isdigit() else "2-4"
    low, _, high = counts.partition("-")
    separator, last = draw.rng.choice(
        (
            (", ", " and "), (", ", " and "), (", ", ", and "), (", ", ", "), (", ", ", "), (" + ", " + "),
            (" and ", " and "), (", ", " plus "), ("/", "/"), ("; ", "; "), (", ", " & "), (" & ", " & "),
            (" / ", " / "), (" ", " "), (", ", " with "), (", ", " + "), (" plus ", " plus "), (",", ","),
            ("+", "+"), (" - ", " - "), (", ", " as well as "), (" | ", " | "),
        )
    )  # fmt: skip
    plain = variant == "bare" or separator in ("/", " ", "+")
    share = 0.0 if plain else draw.rng.choice((0.0, 0.0, 0.1, 0.9))
    return listed(_several(draw, draw.rng.randint(int(low), int(high or low)), share), separator, last)


def drug_lines(draw: Draw, variant: str) -> Piece:
    """Two to six drugs, one a line, as in a medication list."""
    low, _, high = (variant or "2-6").partition("-")
    count = draw.rng.randint(int(low), int(high or low))
    pieces = _several(draw, count, draw.rng.choice((0.0, 0.5, 1.0)))
    bullet = draw.pick("", "- ", "* ", "• ", "1", "1)")
    lines = []
    for number, piece in enumerate(pieces, 1):
        mark = f"{number}. " if bullet == "1" else f"{number}) " if bullet == "1)" else bullet
        lines.append(Piece(mark + piece.text, tuple(a.moved(len(mark)) for a in piece.arguments)))
    return listed(lines, "\n")


def food(draw: Draw, variant: str) -> Piece:
    """A food or a herb that the table knows, screened like a drug."""
    names = draw.rng.choice(draw.pool.catalogue.foods)
    return written("@", "drugs", _cased(draw, names[0] if draw.rng.random() < 0.5 else draw.rng.choice(names)))


def dose_drug(draw: Draw, variant: str) -> Piece:
    """The drug of a dose calculation, by one of its names; made up where the draw has no regimen."""
    regimen = draw.regimen()
    if regimen is None:
        return written("@", "drug", _cased(draw, draw.pool.invented(draw.rng)))
    names = draw.pool.catalogue.names(regimen.drug)
    return written("@", "drug", _cased(draw, names[0] if draw.rng.random() < 0.7 else draw.rng.choice(names)))


def indication(draw: Draw, variant: str) -> Piece:
    """What the drug is for: an indication of its regimen, or any common one if the drug is made up."""
    regimen = draw.regimen()
    if regimen is None:
        return written("@", "indication", draw.rng.choice(COMMON_INDICATIONS))
    named = (regimen.indication, *regimen.also)
    plain_words = [text for text in named if "," not in text and text.lower() not in ROUTE_NAMES]
    return written("@", "indication", draw.rng.choice(plain_words or [regimen.indication]))


def sized_drug(draw: Draw, variant: str) -> Piece:
    """The drug of a dose per kg or m²; the dose that follows is within what its label has, where it has any."""
    name = draw.pool.drug(draw.rng)[1]
    return written("@", "drug", _cased(draw, name))


def pumped_drug(draw: Draw, variant: str) -> Piece:
    """A drug that runs through a pump."""
    return written("@", "drug", _cased(draw, draw.pool.one_of(draw.rng, PUMPED)))


def opioid(draw: Draw, variant: str) -> Piece:
    """An opioid by mouth, or `patch`: fentanyl."""
    generics = ("fentanyl",) if variant == "patch" else OPIOIDS
    return written("@", "drug", _cased(draw, draw.pool.one_of(draw.rng, generics)))


def steroid(draw: Draw, variant: str) -> Piece:
    """The glucocorticoid that is given."""
    return written("@", "drug", _cased(draw, _one_steroid(draw)))


def to_steroid(draw: Draw, variant: str) -> Piece:
    """The glucocorticoid to change to, another one."""
    return written("@", "to_drug", _cased(draw, _one_steroid(draw)))


def other_drug(draw: Draw, variant: str) -> Piece:
    """A drug that is mentioned but is no argument."""
    return Piece(_drug_text(draw) + ("" if variant == "bare" else _strength(draw, 0.3)))


def _one_steroid(draw: Draw) -> str:
    used = draw.chosen.setdefault("steroids", [])
    for _ in range(20):
        name = draw.pool.one_of(draw.rng, STEROIDS)
        if name not in used:
            used.append(name)
            return name
    raise Unusable("only one glucocorticoid is left")


def _several(draw: Draw, count: int, share: float) -> list[Piece]:
    pieces = []
    for _ in range(count):
        text = _drug_text(draw)
        pieces.append(Piece(text + _strength(draw, share), (Argument("drugs", text, 0, len(text)),)))
    return pieces


def _drug_text(draw: Draw) -> str:
    """A drug that the request has not named yet, by any name; now and then with a slip of the keyboard."""
    used = draw.chosen.setdefault("drugs", [])
    for _ in range(200):
        generic, name = draw.pool.drug(draw.rng)
        if generic not in used:
            used.append(generic)
            real = generic in draw.pool.catalogue.newness
            return _cased(draw, _misspelt(draw, name) if real and draw.rng.random() < MISSPELT else name)
    raise ExamplesError(f"the split has no drug left beside {', '.join(used)}; the drug table is too small")


def _misspelt(draw: Draw, name: str) -> str:
    """A name with two letters swapped, one lost or one doubled; a short one as it is."""
    at = draw.rng.randrange(1, max(2, len(name) - 2))
    a, b = name[at : at + 1], name[at + 1 : at + 2]
    if len(name) < 6 or not (a + b).isalpha():
        return name
    slip = name[:at] + draw.rng.choice((b + a, a, a + a + b)) + name[at + 2 :]
    return name if held_out("nonce", slip) else slip


def _cased(draw: Draw, name: str) -> str:
    roll = draw.rng.random()
    if roll < 0.16:
        return name.capitalize()
    return name.upper() if roll < 0.19 else name.lower() if roll < 0.34 else name


def _strength(draw: Draw, share: float) -> str:
    """Nothing, or how much and how often the drug is taken, which is no argument of an interaction check."""
    if draw.rng.random() >= share:
        return ""
    amount = draw.rng.choice(AMOUNTS)
    unit = draw.pick("", "", " mg", " mg", "mg", "mg", "mg", " mcg", "mcg", " MG", " g" if amount < 5 else " mg")
    return f" {amount}{unit}{draw.pick(*HOW_OFTEN)}"
