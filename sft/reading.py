"""What a text says, as far as a judge must know: its numbers and words, what it asks for, whether it is an answer.

Written apart from `decoding.request`, which cuts the spans that grounded decoding may copy, so that one can judge the
other.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from data.conversation import Conversation

_DATE = re.compile(r"(?<!\d)\d{4}-\d\d-\d\d(?!\d)")
_NUMBER = re.compile(r"\d{1,3}(?:,\d{3})+(?![\d,])(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+")
_COMMA = re.compile(r"(?<![\d.,])(\d+),(\d{1,2})(?![\d,.])")
_BEFORE = re.compile(r"(?:\d\s*[A-Za-zµ°'’²/]+|(?<![A-Za-z0-9])[FMfmqQxX×])$")
"""What may stand right before a number inside a word: a unit ("5ft7"), a sex ("F72"), "q" or "x" ("q6h", "x3")."""
_ONES = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_WORDS: Final = {word: i for i, word in enumerate(_ONES) if i > 1} | {w: 10 * i for i, w in enumerate(_TENS, 2)}
_WORD_NUMBER = re.compile(rf"\b({'|'.join(_WORDS)})(?:[- ]({'|'.join(_ONES[1:10])}))?\b", re.IGNORECASE)

ITEMS: Final = {
    "drug": r"\b(?:drugs?|medicines?|medications?)\b",
    "age": r"\bage\b|\bhow old\b|\bdate of birth\b",
    "sex": r"\bsex\b|\bgender\b|\bmale or female\b|\bfemale or male\b|\bman or (?:a )?woman\b",
    "weight": r"\bweigh",
    "height": r"\bheight\b|\bhow tall\b",
    "creatinine": r"\bcreatinine\b(?! clearance)",
    "creatinine_clearance": r"\bcreatinine clearance\b|\bcrcl\b|\bkidney function\b",
    "dose": r"\bdos(?:e|age)\b(?! rate in)",
    "dose_unit": r"\bunit (?:you want )?(?:of |for )?the dose\b",
    "concentration": r"(?<!target )\bconcentration\b|\bstrength\b",
    "target_concentration": r"\btarget (?:concentration|level)\b",
    "target_auc": r"\bAUC\b",
    "volume": r"\bvolume\b",
    "clearance": r"(?<!creatinine )\bclearance\b",
    "rate": r"\brate of the (?:pump|infusion)\b|\b(?:pump|infusion) rate\b",
    "calcium": r"\bcalcium\b",
    "albumin": r"\balbumin\b",
    "qt_ms": r"\bqt\b",
    "heart_rate": r"\bheart rate\b|\bpulse\b",
    "patient": r"\b(?:which|what) patient\b|\bwhose\b"
    r"|\bpatient['’]s (?:full )?(?:name|id|mrn)\b|\bmrn\b|\brecord number\b"
    r"|\bname of the patient\b|(?:,|\b(?:give|tell|send|need|for|and|about)(?: me)?) the patient\b(?!['’])",
    "sections": r"\bparts?\b[^.?!]*\brecord\b|\b(?:which|what) (?:part|section)|\bsections?\b",
    "indication": r"\bindication\b|\bwhat is it for\b|\bbeing treated\b",
    "route": r"\broute\b",
    "frequency": r"\bhow often\b|\bfrequency\b",
    "analyte": r"\bsubstance\b|\banalyte\b",
    "from_unit": r"\bunit it is in\b|\bin (?:which|what) unit is\b",
}
"""How a question names an argument."""
_WITH_TO = {
    "to_drug": r"\b(?:steroid|drug) to (?:change|convert|switch) to\b|\bto which (?:steroid|drug)\b",
    "to_unit": r"\bunit to convert (?:it )?to\b|\b(?:in)?to (?:which|what) unit\b",
    "value": r"\bvalue to convert\b|\b(?:which|what) value (?:should I|do you want to) convert\b",
}
"""The same for arguments whose usual words look like a purpose."""


def _compiled(patterns: Mapping[str, str]) -> dict[str, re.Pattern[str]]:
    return {name: re.compile(pattern, re.IGNORECASE) for name, pattern in patterns.items()}


_PLAIN_ITEMS, _TO_ITEMS = _compiled(ITEMS), _compiled(_WITH_TO)
_PURPOSE = re.compile(
    r"\b(?:to|I can(?:not| not|['’]t)?) (?!(?:give|tell|know|have)\b)\w+\b[^.?!,:]*?"
    r"(?=[,:.?!]|\bI (?:still )?need\b|\bwithout\b|$)",
    re.IGNORECASE,
)
"""Why something is asked for ("to calculate the creatinine clearance"), which is not what is asked for."""
_ASKING = re.compile(
    r"\?|\b(?:need|give|provide|specify|missing|let me know|please (?:state|tell|add|send))\b", re.IGNORECASE
)
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]")
_MARKER = re.compile(
    r"[<\[]\s*/?\s*\|?\s*(?:tool[_ ]?(?:calls?|response)|function|assistant|user|system|end|endoftext)\b", re.IGNORECASE
)
_JSON = re.compile(r"\{\s*[\"'“‘]?[\w-]+[\"'”’]?\s*:|\[\s*\{|```")
_REPEAT = re.compile(r"\b(\w+(?:\W+\w+){0,3}?)(?:\W+\1\b){2}", re.IGNORECASE)


def said(conversation: Conversation) -> str:
    """What an argument may be taken from: the words of the user and of the tools."""
    return "\n".join(message.content for message in conversation.messages if message.role in ("user", "tool"))


def numbers_in(text: str) -> set[Decimal]:
    """The numbers of a text, as digits ("1,200", ".5", "1,7") or words ("twenty-five"); parts of dates are none.

    Digits that continue a word ("B22") are no number, but "5ft7", "F72" and "q6h" hold 7, 72 and 6.
    """
    text = _DATE.sub(" ", text)
    return {*_digits(text), *(Decimal(f"{m[1]}.{m[2]}") for m in _COMMA.finditer(text)), *_spelled(text)}


def _digits(text: str) -> Iterator[Decimal]:
    for match in _NUMBER.finditer(text):
        before = text[: match.start()]
        if before[-1:].isalnum() and not _BEFORE.search(before[-24:]):
            continue
        value = Decimal(match[0].replace(",", ""))
        yield value
        if re.search(r"(?<![\w.,)\]])[-−–]$", before):
            yield -value


def _spelled(text: str) -> Iterator[Decimal]:
    for match in _WORD_NUMBER.finditer(text):
        tens = _WORDS[match[1].lower()]
        yield Decimal(tens)
        if match[2] and tens >= 20:
            yield Decimal(tens + _ONES.index(match[2].lower()))


def occurs(value: Any, text: str, numbers: Collection[Decimal]) -> bool:
    """Whether a string or a number stands in a text: whole words, whatever their case; numbers by value."""
    if isinstance(value, bool) or value is None:
        return False
    if isinstance(value, (int, float)):
        try:
            return Decimal(str(value)) in numbers
        except (InvalidOperation, ValueError):  # ValueError: an integer of thousands of digits
            return False
    words = str(value).strip()
    whole = rf"(?<!\w)(?<!\d[.,]){re.escape(words)}(?!\w)(?![.,]\d)"  # "7" is no word of "1.7"
    return bool(words) and re.search(whole, text, re.IGNORECASE) is not None


def items_asked(text: str, own: Collection[str] = ()) -> frozenset[str]:
    """The arguments that a text asks for: those its questions and its "I need" name, by their usual words.

    own: names of arguments beside those of the built-in tools, which are asked for by these names.
    """
    return items_named(" ".join(filter(_ASKING.search, re.split(r"(?<=[.?!])\s+", text))), own)


def items_named(text: str, own: Collection[str] = ()) -> frozenset[str]:
    """The arguments that a text speaks of, purposes aside."""
    found, plain = set(), text
    for name, pattern in _TO_ITEMS.items():
        plain, count = pattern.subn("it", plain)
        found |= {name} if count else set()
    plain = _PURPOSE.sub(" ", plain)
    found |= {name for name, pattern in _PLAIN_ITEMS.items() if pattern.search(plain)}
    spaced = plain.replace("_", " ")
    found |= {n for n in own if re.search(rf"\b{re.escape(n.replace('_', ' '))}\b", spaced, re.IGNORECASE)}
    return frozenset(found)


def not_an_answer(text: str, tool_names: Collection[str]) -> str:
    """Why a text is no answer in words, or "". Sense is not judged; what merely avoids being a call is refused."""
    plain = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).strip()
    if not plain:
        return "nothing was said"
    if "\N{REPLACEMENT CHARACTER}" in plain:
        return "bytes that are not UTF-8"
    if not re.search(r"[^\W\d_]{2}", plain):
        return "no word in the answer"
    if _MARKER.search(plain):
        return "a marker spelled out in words"
    if plain[0] in "{[" or _JSON.search(plain):
        return "JSON or code in words"
    if any(re.search(rf"\b{re.escape(name)}\b\W*[(\[{{:=]", plain) for name in tool_names):
        return "a call in words"
    repeat = _REPEAT.search(plain)
    if repeat:
        return f"the same words over and over: {repeat[1]!r}"
    return ""
