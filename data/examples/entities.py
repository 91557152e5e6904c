"""Who and what the requests are about, and which of it a split may use.

Every drug, patient, numeral and pattern has a hash; the hash, not a list, decides whether it is kept from
training. So a name that is held out stays held out whatever the seed, the size of the data or the order of
the rows.
"""

import hashlib
import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from data.examples.names import FAMILY, GIVEN
from data.tokenizer import N_BPE, load_tokenizer

if TYPE_CHECKING:
    import tools

SHARES: Final[Mapping[str, float]] = {
    "drug": 0.12,
    "nonce": 0.05,
    "patient": 0.12,
    "number": 0.12,
    "pattern": 0.10,
}


class Unusable(Exception):
    """These choices make no sound request; other ones will."""


def held_out(kind: str, key: str) -> bool:
    """Whether an entity never occurs in training. `kind` is one of `SHARES`."""
    digest = hashlib.sha256(f"{kind}:{key.lower()}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < SHARES[kind] * 2**64


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """What the tools know, as names to ask about.

    drugs: generic name first, then brands and other names; patients: name, record number and id of
    each; tests: everyday names and LOINC codes of each, by section of the record.
    """

    drugs: tuple[tuple[str, ...], ...]
    regimens: "tuple[tools.RegimenDrug, ...]"
    patients: tuple[tuple[str, ...], ...]
    tests: Mapping[str, tuple[tuple[str, ...], ...]]

    @classmethod
    @cache
    def of_tools(cls) -> "Catalogue":
        """The catalogue of the installed tools."""
        import tools

        tests: dict[str, list[tuple[str, ...]]] = {"labs": [], "vitals": []}
        for test in tools.lab_names():
            tests[test.section].append((test.name, test.name, *test.aliases, *test.loinc[:1]))
        return cls(
            drugs=tuple((drug.generic, *drug.brands, *drug.aliases) for drug in tools.drug_names()),
            regimens=tuple(tools.regimen_drugs()),
            patients=tuple((patient.name, patient.mrn, patient.id) for patient in tools.patients()),
            tests=MappingProxyType({section: tuple(found) for section, found in tests.items()}),
        )


@dataclass(frozen=True, kw_only=True)
class Pool:
    """The entities one split draws from; True fields: the split uses only what training never saw."""

    catalogue: Catalogue
    nonce_share: float
    new_drug: bool = False
    new_nonce: bool = False
    new_patient: bool = False
    new_number: bool = False

    def drug(self, rng: random.Random) -> tuple[str, str]:
        """A drug and one of its names, as the table writes it: real, or made of random tokens."""
        if self._invents(rng):
            word = nonce_word(rng, self.new_nonce)
            return word, word
        names = rng.choice(self._drugs())
        return names[0], names[0] if rng.random() < 0.55 else rng.choice(names)

    def regimen(self, rng: random.Random) -> "tools.RegimenDrug | None":
        """A regimen of the dose table, or None where the drug shall be a made-up one."""
        if self._invents(rng):
            return None
        usable = [r for r in self.catalogue.regimens if held_out("drug", r.drug) == self.new_drug]
        return rng.choice(usable) if usable else None

    def names(self, generic: str) -> tuple[str, ...]:
        """All names of a drug."""
        return next((names for names in self.catalogue.drugs if names[0] == generic), (generic,))

    def _invents(self, rng: random.Random) -> bool:
        return self.new_nonce or (not self.new_drug and rng.random() < self.nonce_share)

    def _drugs(self) -> tuple[tuple[str, ...], ...]:
        return _partition(self.catalogue.drugs)[self.new_drug]

    def patient(self, rng: random.Random) -> str:
        """A patient's name, record number or id; two in three belong to nobody."""
        if rng.random() < 0.35:
            candidates = [
                names for names in self.catalogue.patients if held_out("patient", names[0]) == self.new_patient
            ]
            if candidates:
                return rng.choice(rng.choice(candidates))
        while True:
            reference = _made_up_patient(rng)
            if held_out("patient", reference) == self.new_patient:
                return reference

    def number(self, rng: random.Random, low: float, high: float, decimals: int = 0) -> int | float:
        """A number between low and high whose numeral this split may use."""
        for _ in range(1000):
            value = plain_number(rng.uniform(low, high), decimals) if decimals else rng.randint(int(low), int(high))
            if held_out("number", json.dumps(value)) == self.new_number:
                return value
        raise Unusable(f"every numeral between {low} and {high} is kept for another split")


def plain_number(value: float, decimals: int) -> int | float:
    """Rounded, and an int where nothing is left after the point, so that JSON spells it as people do."""
    rounded = round(value, decimals)
    return int(rounded) if rounded == int(rounded) else rounded


def nonce_word(rng: random.Random, new: bool) -> str:
    """A name that exists nowhere: two to four random alphabetic tokens run together.

    A model learns to copy only tokens it has seen copied, so every alphabetic token must be able to occur in
    a name.
    """
    while True:
        word = "".join(rng.choice(alphabetic_tokens()) for _ in range(rng.choice((2, 2, 3, 3, 4))))
        if 5 <= len(word) <= 16 and held_out("nonce", word) == new:
            return word


@cache
def alphabetic_tokens() -> tuple[str, ...]:
    """The distinct ASCII-letter tokens of two to seven letters, in lower case and without their leading
    space.
    """
    texts = (token.decode("latin-1").strip() for token in load_tokenizer().token_bytes()[:N_BPE])
    words = {text.lower() for text in texts if text.isascii() and text.isalpha() and 2 <= len(text) <= 7}
    return tuple(sorted(words))


@cache
def _partition(
    drugs: tuple[tuple[str, ...], ...],
) -> tuple[tuple[tuple[str, ...], ...], tuple[tuple[str, ...], ...]]:
    """Drugs for training, and drugs kept from it with all their names."""
    kept = tuple(names for names in drugs if not held_out("drug", names[0]))
    return kept, tuple(names for names in drugs if held_out("drug", names[0]))


def _made_up_patient(rng: random.Random) -> str:
    digits = "".join(rng.choice("0123456789") for _ in range(8))
    given, family = rng.choice(GIVEN), rng.choice(FAMILY)
    form = rng.randrange(14)
    if form < 5:
        return f"{given} {family}"
    if form == 5:
        return f"{given} {rng.choice(GIVEN)} {family}"
    if form == 6:
        return f"{family}, {given}"
    if form == 7:
        return f"{given} {nonce_word(rng, False).capitalize()}"
    if form == 8:
        return digits[: rng.randint(4, 8)]
    if form == 9:
        return f"MRN-{digits[: rng.randint(4, 7)]}"
    if form == 10:
        return f"P{digits[: rng.randint(3, 6)]}"
    if form == 11:
        letters = "".join(rng.choice("ABCDEFGHKLMNPRSTX") for _ in range(2))
        return f"{letters}-{digits[: rng.randint(3, 5)]}"
    if form == 12:
        return f"pt-{digits[: rng.randint(3, 5)]}"
    return f"{digits[:2]}-{digits[2:4]}-{digits[4:8]}"
