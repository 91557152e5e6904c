"""Comparing names the way people write them: case, accents, punctuation, strengths and salts set aside."""

from __future__ import annotations

import re
import unicodedata

from rapidfuzz.distance import OSA

_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad®™"))
_APOSTROPHES = str.maketrans("", "", "'’ʼ`´")
_WORD = re.compile(r"[a-z0-9]+")
_UNIT = (
    r"(?:mg|mcg|µg|ug|g|ml|l|units?|unt|iu|meq|mmol|%|hr|hour|h|actuat|ph|dose|spray|tablet|tab|capsule|cap|patch|day)"
)
_STRENGTH = re.compile(rf"\b\d[\d.,]*\s*{_UNIT}(?:\s*/\s*[\d.]*\s*{_UNIT}(?![a-z]))?(?![a-z])")
_FORM_WORDS = """
tablet tablets tab tabs capsule capsules cap caps oral solution suspension injection injectable inhaler
spray cream gel patch powder er xr sr cr la xl ec dr ir odt release extended delayed immediate chewable
coated film enteric daily pill pills dose iv po im sc topical ophthalmic prefilled syringe vial pen
metered mucosal transdermal actuat
"""
_SALT_WORDS = """
hydrochloride hcl sodium potassium calcium magnesium maleate tartrate bitartrate succinate besylate
mesylate sulfate sulphate fumarate citrate phosphate acetate bromide hydrobromide nitrate medoxomil
cilexetil disoproxil monohydrate anhydrous trihydrate dihydrate dihydrochloride carbonate bisulfate
malate pamoate tromethamine mofetil axetil
"""
_FORMS = frozenset(_FORM_WORDS.split())
_SALTS = frozenset(_SALT_WORDS.split())


def plain(text: str) -> str:
    """Text without accents, invisible characters or trademark signs, in lower case."""
    decomposed = unicodedata.normalize("NFKD", text.translate(_INVISIBLE))
    bare = "".join(char for char in decomposed if not unicodedata.combining(char))
    return bare.casefold().strip()


def key(text: str) -> str:
    """The lookup key of a name: words of letters and digits, single spaces ("St. John's" is "st johns")."""
    return " ".join(_WORD.findall(plain(text).translate(_APOSTROPHES)))


def without_strength(text: str) -> str:
    """A lookup key with strengths, dosage forms and release words removed."""
    bare = _STRENGTH.sub(" ", plain(text))
    return " ".join(word for word in key(bare).split() if word not in _FORMS)


def without_salt(text: str) -> str:
    """A lookup key with strengths, forms and salt names removed."""
    return " ".join(word for word in without_strength(text).split() if word not in _SALTS)


def edit_distance(left: str, right: str, limit: int) -> int:
    """Insertions, deletions, substitutions and neighbour swaps between two keys; ``limit + 1`` when more."""
    return OSA.distance(left, right, score_cutoff=limit)
