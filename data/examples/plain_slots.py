"""Words that give no argument: numbers, people, places, illnesses, measurements in passing."""

import json
import random
from collections.abc import Mapping
from typing import Final

from data.examples.pieces import Draw, Piece, Sampler

PHRASES: Final[Mapping[str, tuple[str, ...]]] = {
    "problem": (
        "T2DM", "type 2 diabetes", "AF", "atrial fibrillation", "CKD", "CKD 3b", "stage 4 CKD", "HFrEF",
        "heart failure", "CCF", "COPD", "asthma", "gout", "epilepsy", "depression", "HTN", "hypertension", "IHD",
        "CAD", "a previous DVT", "psoriasis", "cirrhosis", "hypothyroidism", "migraine", "RA", "BPH", "osteoporosis",
        "GORD", "HIV", "a renal transplant", "recent CABG", "an old MI", "Parkinson's", "dementia", "bipolar",
        "glaucoma", "sickle cell", "IBD", "Crohn's", "a mechanical valve", "PE last year", "schizophrenia", "MS",
        "lupus", "ESRD on HD", "OSA", "anaemia", "hep C",
    ),
    "complaint": (
        "UTI", "a UTI", "chest infection", "CAP", "cellulitis", "back pain", "insomnia", "nausea", "a sore throat",
        "a dental abscess", "thrush", "neuropathic pain", "a COPD flare", "acute gout", "anxiety", "toothache",
        "shingles", "H. pylori", "sinusitis", "a fungal nail", "low mood", "a bad cough", "knee OA", "a rash",
        "hay fever", "reflux", "palpitations", "a migraine", "C diff", "a wound infection", "hypokalaemia",
        "constipation",
    ),
    "fam": (
        "mum", "mother", "dad", "father", "husband", "wife", "nan", "grandmother", "grandad", "brother", "sister",
        "partner", "aunt", "uncle", "mother-in-law", "mom", "gran",
    ),
    "child": ("son", "daughter", "little boy", "little girl", "baby", "kid", "toddler", "grandson", "niece", "nephew"),
    "doc": (
        "GP", "cardiology", "the renal team", "the dentist", "ED", "psych", "the consultant", "the reg", "micro",
        "oncology", "neurology", "the surgeons", "ID", "the SHO", "the NP", "urology", "the pain team", "haem",
        "derm", "rheum", "PCP",
    ),
    "who": (
        "pt", "patient", "the patient", "this lady", "this gentleman", "a lady", "this pt", "an elderly man",
        "my patient", "a new admission", "a clinic patient", "a nursing home resident", "our transplant pt",
        "the pt in front of me",
    ),
    "sort": (
        "blood thinner", "statin", "antibiotic", "painkiller", "water tablet", "heart pill", "antidepressant",
        "inhaler", "blood pressure tablet", "anticoagulant", "antifungal", "steroid", "PPI", "diuretic",
        "beta blocker", "sleeping pill", "seizure med", "antiplatelet", "sugar tablet", "thyroid tablet", "chemo",
        "HIV med", "immunosuppressant", "antiemetic",
    ),
    "place": (
        "ward 4", "ED", "ICU", "the clinic", "theatre", "HDU", "resus", "the nursing home", "the surgery",
        "outpatients", "the day unit", "CCU", "the stroke unit", "NICU", "labour ward", "oncology day ward",
        "dialysis", "AMU", "PACU",
    ),
    "staff": (
        "Dr Lane", "Sister Webb", "Dr Stone", "Nurse Moss", "Dr Frost", "Dr Hale", "Mr Pike", "Dr Vance", "Prof Rook",
    ),
}  # fmt: skip


def phrase(name: str) -> Sampler:
    """A sampler of one of the lists above."""
    return lambda draw, variant: Piece(draw.rng.choice(PHRASES[name]))


def number(draw: Draw, variant: str) -> Piece:
    """A number between the two of a variant such as `36-39`; a point in either gives one decimal."""
    low, _, high = variant.partition("-")
    decimals = 1 if "." in variant else 0
    return Piece(json.dumps(plain(draw.rng, float(low), float(high), decimals)))


def plain(rng: random.Random, low: float, high: float, decimals: int) -> int | float:
    value = round(rng.uniform(low, high), decimals)
    return int(value) if value == int(value) else value


def other_person(draw: Draw, variant: str) -> Piece:
    """Somebody's age and sex in passing, where they are no argument."""
    years, letter = draw.rng.randint(19, 96), draw.pick("F", "M")
    word = {"F": "woman", "M": "man"}[letter]
    return Piece(
        draw.pick(
            f"{years}{letter}", f"{years} yo {letter}", f"{years} year old {word}", f"{years}-year-old {word}",
            f"{years}yo{letter}", f"{letter}{years}", f"{years}y {word}", f"{years} y/o {letter}",
        )
    )  # fmt: skip


def obs(draw: Draw, variant: str) -> Piece:
    """Measurements in passing, a few of them."""
    rng = draw.rng
    parts = [
        f"BP {rng.randint(92, 188)}/{rng.randint(48, 104)}",
        f"HR {rng.randint(48, 128)}",
        f"sats {rng.randint(88, 100)}%",
        f"RR {rng.randint(11, 30)}",
        f"temp {rng.randint(355, 398) / 10}",
        f"T {rng.randint(355, 398) / 10}",
        f"SpO2 {rng.randint(88, 100)}% RA",
        f"pulse {rng.randint(48, 128)} irregular",
    ]
    return Piece(draw.pick(", ", " ", "; ").join(rng.sample(parts, rng.choice((1, 2, 3, 4)))))


def blood_values(draw: Draw, variant: str) -> Piece:
    """Laboratory values in passing that no calculation takes."""
    rng = draw.rng
    parts = [
        f"Na {rng.randint(118, 151)}",
        f"K {rng.randint(26, 66) / 10}",
        f"Hb {rng.randint(68, 172)}",
        f"WCC {rng.randint(20, 240) / 10}",
        f"CRP {rng.randint(1, 310)}",
        f"INR {rng.randint(9, 48) / 10}",
        f"plt {rng.randint(22, 480)}",
        f"ALT {rng.randint(10, 260)}",
        f"A1c {rng.randint(51, 129) / 10}",
        f"Hgb {rng.randint(68, 172) / 10}",
        f"lactate {rng.randint(5, 68) / 10}",
        f"TSH {rng.randint(1, 98) / 10}",
    ]
    return Piece(draw.pick(", ", " ", "; ").join(rng.sample(parts, rng.choice((1, 2, 2, 3)))))
