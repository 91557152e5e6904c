"""Who and what the requests are about, and which of it a split may use.

Every drug, name ending, patient, id format, numeral, range and pattern has a hash; the hash, not a list, decides
whether it is kept from training. So a name that is held out stays held out whatever the seed, the size of the
data or the order of the rows.
"""

import hashlib
import json
import math
import random
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal

from data.examples.names import FAMILY, GIVEN
from data.examples.nonce import nonce_word

if TYPE_CHECKING:
    import tools

SHARES: Final[Mapping[str, float]] = {
    "drug": 0.08,
    "stem": 0.10,
    "nonce": 0.05,
    "patient": 0.10,
    "format": 0.20,
    "number": 0.05,
    "range": 0.05,
    "pattern": 0.07,
    "tool": 0.25,
}
ENDING: Final = 4
"""Letters of a generic name's ending that count as its stem, where at least `ALIKE` drugs share them."""
ALIKE: Final = 4
Newness = Literal["known", "new_drug", "new_stem"]


class Unusable(Exception):
    """These choices make no sound request; other ones will."""


@lru_cache(maxsize=1 << 16)
def held_out(kind: str, key: str) -> bool:
    """Whether an entity never occurs in training. `kind` is one of `SHARES`."""
    digest = hashlib.sha256(f"{kind}:{key.lower()}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < SHARES[kind] * 2**64


def held_out_number(key: str, value: float) -> bool:
    """Whether a number is kept from training: its numeral everywhere, or its range for this argument.

    Ranges are 5 percent wide: weights of 70.1 to 73.7, say. Numerals of one or two digits are kept by range only,
    for there are too few of them: each would be a token that no argument ever holds.
    """
    spelled = json.dumps(value)
    if len(spelled) > 2 and held_out("number", spelled):
        return True
    return value > 0 and held_out("range", f"{key}:{math.floor(math.log(value) * 20)}")


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """What the tools know, as names to ask about.

    drugs: generic name first, then brands and other names that are no tests; kinds: drug, combination, food or
    herbal, by generic name; patients: name, record number and id of each, with birth dates; tests: everyday names
    and LOINC codes of each, by section of the record.
    """

    drugs: tuple[tuple[str, ...], ...]
    kinds: Mapping[str, str]
    regimens: "tuple[tools.RegimenDrug, ...]"
    patients: tuple[tuple[str, ...], ...]
    births: Mapping[str, str]
    tests: Mapping[str, tuple[tuple[str, ...], ...]]

    @classmethod
    @cache
    def of_tools(cls) -> "Catalogue":
        """The catalogue of the installed tools."""
        import tools
        from tools.dosing.units import SUBSTANCES

        tests: dict[str, list[tuple[str, ...]]] = {"labs": [], "vitals": []}
        for test in tools.lab_names():
            tests[test.section].append((test.name, test.name, *test.aliases, *test.loinc[:1]))
        known, drugs = tools.patients(), tools.drug_names()
        # "calcium" is a name of calcium carbonate, but more often a test.
        measured = {name.lower() for found in tests.values() for names in found for name in names} | set(SUBSTANCES)
        return cls(
            drugs=tuple(
                (drug.generic, *(n for n in (*drug.brands, *drug.aliases) if n.lower() not in measured))
                for drug in drugs
            ),
            kinds=MappingProxyType({drug.generic: drug.kind for drug in drugs}),
            regimens=tuple(tools.regimen_drugs()),
            patients=tuple((patient.name, patient.mrn, patient.id) for patient in known),
            births=MappingProxyType({patient.name: patient.birth_date for patient in known}),
            tests=MappingProxyType({section: tuple(found) for section, found in tests.items()}),
        )

    @cached_property
    def endings(self) -> frozenset[str]:
        """The name endings that several single drugs share."""
        found = Counter(_ending(names[0]) for names in self.drugs if self.kinds[names[0]] == "drug")
        return frozenset(ending for ending, count in found.items() if count >= ALIKE)

    @cached_property
    def newness(self) -> Mapping[str, Newness]:
        """Which splits may use each drug, by generic name. A combination is as new as its newest part."""
        found: dict[str, Newness] = {}
        for names in sorted(self.drugs, key=lambda names: self.kinds[names[0]] == "combination"):
            generic = names[0]
            parts = [found[part] for part in generic.split("-") if part in found]
            if self.kinds[generic] == "combination" and parts:
                found[generic] = max(parts, key=("known", "new_drug", "new_stem").index)
            elif _ending(generic) in self.endings and held_out("stem", _ending(generic)):
                found[generic] = "new_stem"
            else:
                found[generic] = "new_drug" if held_out("drug", generic) else "known"
        return MappingProxyType(found)

    @cached_property
    def by_newness(self) -> Mapping[Newness, tuple[tuple[str, ...], ...]]:
        """The drugs of each of them, with all their names; foods and herbs aside."""
        kinds: tuple[Newness, ...] = ("known", "new_drug", "new_stem")
        return {
            kind: tuple(n for n in self.drugs if self.newness[n[0]] == kind and self.kinds[n[0]] not in FOOD)
            for kind in kinds
        }

    @cached_property
    def foods(self) -> tuple[tuple[str, ...], ...]:
        """Foods and herbs with their other names."""
        return tuple(names for names in self.drugs if self.kinds[names[0]] in FOOD)

    def names(self, generic: str) -> tuple[str, ...]:
        """All names of a drug."""
        return self._by_generic.get(generic, (generic,))

    @cached_property
    def all_names(self) -> frozenset[str]:
        """Every name of every drug, in lower case."""
        return frozenset(name.lower() for names in self.drugs for name in names)

    def knows(self, name: str) -> bool:
        """Whether a drug bears this name."""
        return name.lower() in self.all_names

    def held_names(self, text: str) -> Iterator[str]:
        """The generic names of held-out drugs that a text mentions by any of their names."""
        words = [match[0] for match in _WORD.finditer(text.lower())]
        for at, word in enumerate(words):
            for rest, generic in self._held_words.get(word, ()):
                if words[at + 1 : at + 1 + len(rest)] == list(rest):
                    yield generic

    @cached_property
    def _by_generic(self) -> Mapping[str, tuple[str, ...]]:
        return {names[0]: names for names in self.drugs}

    @cached_property
    def _held_words(self) -> Mapping[str, tuple[tuple[tuple[str, ...], str], ...]]:
        """First word of each held-out name -> its other words and the drug."""
        found: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        for names in self.drugs:
            for name in names if self.newness[names[0]] != "known" else ():
                first, *rest = [match[0] for match in _WORD.finditer(name.lower())]
                if len(first) > 3 or rest:
                    found.setdefault(first, []).append((tuple(rest), names[0]))
        return {word: tuple(entries) for word, entries in found.items()}


FOOD: Final = frozenset({"food", "herbal"})
_WORD: Final = re.compile(r"[\w-]+")


def _ending(generic: str) -> str:
    """The last letters of a drug's name, `""` of a short one."""
    word = generic.split()[-1].lower()
    return word[-ENDING:] if len(word) >= ENDING + 2 else ""


@dataclass(frozen=True, kw_only=True)
class Pool:
    """The entities one split draws from; True fields: the split uses only what training never saw."""

    catalogue: Catalogue
    nonce_share: float
    drugs: Newness = "known"
    new_nonce: bool = False
    new_patient: bool = False
    new_number: bool = False

    def drug(self, rng: random.Random) -> tuple[str, str]:
        """A drug and one of its names, as the table writes it: real, or made up."""
        if self.invents(rng):
            word = self.invented(rng)
            return word, word
        names = rng.choice(self.catalogue.by_newness[self.drugs])
        return names[0], names[0] if rng.random() < 0.55 else rng.choice(names)

    def one_of(self, rng: random.Random, generics: tuple[str, ...]) -> str:
        """A name of one of these drugs that the split may use; now and then a made-up one.

        Raises `Unusable` where it may use none.
        """
        if self.invents(rng, 0.3):
            return self.invented(rng)
        usable = [name for name in generics if self.catalogue.newness.get(name) == self.drugs]
        if not usable:
            raise Unusable("the split has none of these drugs")
        names = self.catalogue.names(rng.choice(usable))
        return names[0] if rng.random() < 0.6 else rng.choice(names)

    def regimen(self, rng: random.Random) -> "tools.RegimenDrug | None":
        """A regimen of the dose table, or None where the drug shall be a made-up one."""
        if self.invents(rng):
            return None
        usable = [r for r in self.catalogue.regimens if self.catalogue.newness.get(r.drug) == self.drugs]
        return rng.choice(usable) if usable else None

    def invents(self, rng: random.Random, share: float = 1.0) -> bool:
        """Whether the next drug shall be a made-up one; `share` makes that rarer than usual."""
        return self.new_nonce or (self.drugs == "known" and rng.random() < self.nonce_share * share)

    def invented(self, rng: random.Random) -> str:
        """A drug's name that exists nowhere."""
        return nonce_word(rng, lambda w: held_out("nonce", w) == self.new_nonce and not self.catalogue.knows(w))

    def patient(self, rng: random.Random) -> str:
        """A patient's name, record number or id; two in three belong to nobody."""
        if rng.random() < 0.35:
            candidates = [
                names for names in self.catalogue.patients if held_out("patient", names[0]) == self.new_patient
            ]
            if candidates:
                names = rng.choice(candidates)
                name = rng.choice((names[0], *names))
                return _with_birth(rng, name, self.catalogue.births[name]) if name == names[0] else name
        return made_up_patient(rng, self.new_patient)

    def number(self, rng: random.Random, key: str, low: float, high: float, decimals: int = 0) -> int | float:
        """A number for an argument, between low and high. In the split of new numbers one that training never
        saw there, if the range has any; in every other split one that is not kept.

        Raises `Unusable` if every number of the range is kept.
        """
        for _ in range(200):
            value = plain_number(rng.uniform(low, high), decimals) if decimals else rng.randint(int(low), int(high))
            if held_out_number(key, value) == self.new_number:
                return value
        if self.new_number:
            return value
        raise Unusable(f"every number between {low} and {high} is kept for another split")


def plain_number(value: float, decimals: int) -> int | float:
    """Rounded, and an int where nothing is left after the point, so that JSON spells it as people do."""
    rounded = round(value, decimals)
    return int(rounded) if rounded == int(rounded) else rounded


# --- patients ---------------------------------------------------------------

NUMBER_FORMATS: Final = (
    "dddd", "ddddddd", "dddddddd", "MRN-ddddd", "Pdddd", "PTdddddd", "LL-dddd", "pt-dddd", "dd-dd-dddd",
    "ddd ddd dddd", "Hddddddd", "LLdddd", "0dddddd", "ddd-ddd", "Ldddddd", "dddd/dd", "pid-dddd", "SYN-dddd",
    "case-ddd", "dddddddddd", "LLL-ddd-dd", "Lddd-Ldd", "ddLdddd", "patient-ddd", "ID-dddddd", "dd.ddd.ddd",
    "EHR-dddddd", "LLLdddd", "hosp-ddddd", "dddL", "WARD-dd-ddd", "dddd-dddd",
)  # fmt: skip
"""Formats of record numbers: d is a digit, L a letter."""
TITLES: Final = ("Mr", "Mrs", "Ms", "Miss", "Dr", "Mr.", "Mrs.", "Prof")


def made_up_patient(rng: random.Random, new: bool) -> str:
    """Somebody who does not exist. New patients have names, or an id format, that training never saw."""
    if rng.random() < 0.42:
        while True:
            shape = rng.choice(NUMBER_FORMATS)
            reference = "".join(_letter(rng, c) for c in shape)
            if held_out("format", shape) == new or (new and held_out("patient", reference) and rng.random() < 0.2):
                return reference
    while True:
        given, family = rng.choice(GIVEN), rng.choice(FAMILY)
        if rng.random() < 0.2:
            family = nonce_word(rng, lambda word: held_out("patient", word) == new).capitalize()
        elif held_out("patient", given) != new or held_out("patient", family) != new:
            continue
        return _styled_name(rng, given, family, new)


def _styled_name(rng: random.Random, given: str, family: str, new: bool) -> str:
    form = rng.randrange(16)
    if form < 6:
        return f"{given} {family}"
    if form == 6:
        return f"{family}, {given}"
    if form == 7:
        return f"{given[0]} {family}"
    if form == 8:
        return f"{given[0]}. {family}"
    if form < 12:
        return f"{rng.choice(TITLES)} {family}"
    if form == 12:
        return f"{family} {given}"
    second = rng.choice([name for name in GIVEN if held_out("patient", name) == new])
    if form == 13:
        return f"{given} {second} {family}"
    if form == 14:
        other = rng.choice([name for name in FAMILY if held_out("patient", name) == new])
        return f"{given} {family}-{other}"
    birth = f"{rng.randint(1930, 2019)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
    return _with_birth(rng, f"{given} {family}", birth, 1.0)


def _with_birth(rng: random.Random, name: str, birth: str, share: float = 0.15) -> str:
    """A name, now and then with the birth date behind it, which tells namesakes apart."""
    if rng.random() >= share:
        return name
    year, month, day = birth.split("-")
    written = rng.choice((birth, birth, f"{day}/{month}/{year}", f"{int(day)} {MONTHS[int(month) - 1]} {year}"))
    return rng.choice((f"{name} {written}", f"{name}, {written}", f"{name} (DOB {written})", f"{name} DOB {written}"))


MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _letter(rng: random.Random, c: str) -> str:
    return rng.choice("0123456789") if c == "d" else rng.choice("ABCDEFGHJKLMNPRSTVWXZ") if c == "L" else c
