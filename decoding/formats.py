"""The values of `format` that are held exactly, each as a regular expression of the text (or an intersection of a few).

Sources: RFC 3339 (date, time, date-time; year 0000 left out, a leap second only as 23:59:60 in UTC), RFC 3339
appendix A (duration), RFC 9562 (uuid), RFC 2673 (ipv4), RFC 4291 (ipv6), RFC 1123 (hostname), RFC 5321
(email), RFC 3986 (uri), RFC 3987 (iri), RFC 6570 (uri-template), RFC 6901 (json-pointer).
"""

from __future__ import annotations

from functools import lru_cache

from .alphabet import Alphabet
from .expression import Expression, both, complement, repeat
from .regex import fullmatch, search

YEAR = r"(?:000[1-9]|00[1-9]\d|0[1-9]\d\d|[1-9]\d{3})"
LEAP_YEAR = r"(?:\d\d(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)"
DATE = (
    rf"(?:{YEAR}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)"
    rf"|02-(?:0[1-9]|1\d|2[0-8]))|{LEAP_YEAR}-02-29)"
)
OFFSET = r"(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)"
TIME = rf"(?:(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?{OFFSET}|23:59:60(?:\.\d+)?(?:[Zz]|[+-]00:00))"

OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
IPV4 = rf"{OCTET}(?:\.{OCTET}){{3}}"
H16 = r"[0-9A-Fa-f]{1,4}"
LS32 = rf"(?:{H16}:{H16}|{IPV4})"
IPV6 = "(?:" + "|".join(
    [
        rf"(?:{H16}:){{6}}{LS32}",
        rf"::(?:{H16}:){{5}}{LS32}",
        rf"(?:{H16})?::(?:{H16}:){{4}}{LS32}",
        rf"(?:(?:{H16}:){{0,1}}{H16})?::(?:{H16}:){{3}}{LS32}",
        rf"(?:(?:{H16}:){{0,2}}{H16})?::(?:{H16}:){{2}}{LS32}",
        rf"(?:(?:{H16}:){{0,3}}{H16})?::{H16}:{LS32}",
        rf"(?:(?:{H16}:){{0,4}}{H16})?::{LS32}",
        rf"(?:(?:{H16}:){{0,5}}{H16})?::{H16}",
        rf"(?:(?:{H16}:){{0,6}}{H16})?::",
    ]
) + ")"  # fmt: skip

# A label may not look like an A-label ("xn--..."), whose validity needs the IDNA tables.
LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
HOSTNAME = rf"{LABEL}(?:\.{LABEL})*"
ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]"
LOCAL_PART = rf'(?:{ATEXT}+(?:\.{ATEXT}+)*|"(?:[ !#-\[\]-~]|\\[ -~])*")'
MAIL_DOMAIN = rf"(?:{HOSTNAME}|\[(?:{IPV4}|IPv6:{IPV6})\])"

PCT = r"%[0-9A-Fa-f]{2}"
UCSCHAR = "".join(
    rf"\u{{{first:X}}}-\u{{{last:X}}}"
    for first, last in (
        (0xA0, 0xD7FF),
        (0xF900, 0xFDCF),
        (0xFDF0, 0xFFEF),
        *((plane << 16, (plane << 16) + 0xFFFD) for plane in range(1, 14)),
        (0xE1000, 0xEFFFD),
    )
)
IPRIVATE = r"\u{E000}-\u{F8FF}\u{F0000}-\u{FFFFD}\u{100000}-\u{10FFFD}"


def _uri(more: str, private: str) -> tuple[str, str]:
    """(URI, URI reference) of RFC 3986; with `more` letters, and `private` ones in the query, those of RFC 3987."""
    plain = rf"[A-Za-z0-9\-._~!$&'()*+,;={more}]"
    character = rf"(?:{plain}|{PCT}|[:@])"
    authority = (
        rf"(?:(?:{plain}|{PCT}|:)*@)?"
        rf"(?:\[(?:{IPV6}|[vV][0-9A-Fa-f]+\.(?:[A-Za-z0-9\-._~!$&'()*+,;=]|:)+)\]|(?:{plain}|{PCT})*)(?::\d*)?"
    )
    query = rf"[/?{private}]" if private else "[/?]"
    after_path = rf"(?:\?(?:{character}|{query})*)?(?:#(?:{character}|[/?])*)?"
    absolute = rf"//{authority}(?:/{character}*)*|/(?:{character}+(?:/{character}*)*)?"
    uri = rf"[A-Za-z][A-Za-z0-9+.\-]*:(?:{absolute}|{character}+(?:/{character}*)*)?{after_path}"
    return uri, rf"(?:{uri}|(?:{absolute}|(?:{plain}|{PCT}|@)+(?:/{character}*)*)?{after_path})"


URI, URI_REFERENCE = _uri("", "")
IRI, IRI_REFERENCE = _uri(UCSCHAR, IPRIVATE)

VARIABLE = rf"(?:[A-Za-z0-9_]|{PCT})(?:\.?(?:[A-Za-z0-9_]|{PCT}))*(?::[1-9]\d{{0,3}}|\*)?"
URI_TEMPLATE = (
    rf"(?:[!#$&'-;=?-\[\]_a-z~{UCSCHAR}{IPRIVATE}]|{PCT}"
    rf"|\{{[+#./;?&=,!@|]?{VARIABLE}(?:,{VARIABLE})*\}})*"
)

POINTER = r"(?:/(?:[^/~]|~[01])*)*"

DURATION = (
    r"P(?:\d+W|(?:\d+Y(?:\d+M(?:\d+D)?)?|\d+M(?:\d+D)?|\d+D)(?:T(?:\d+H(?:\d+M(?:\d+S)?)?|\d+M(?:\d+S)?|\d+S))?"
    r"|T(?:\d+H(?:\d+M(?:\d+S)?)?|\d+M(?:\d+S)?|\d+S))"
)
UUID = r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"

FULL_MATCH = {
    "date": DATE,
    "time": TIME,
    "date-time": rf"{DATE}[Tt]{TIME}",
    "duration": DURATION,
    "uuid": UUID,
    "ipv4": IPV4,
    "ipv6": IPV6,
    "hostname": HOSTNAME,
    "email": rf"{LOCAL_PART}@{MAIL_DOMAIN}",
    "uri": URI,
    "uri-reference": URI_REFERENCE,
    "iri": IRI,
    "iri-reference": IRI_REFERENCE,
    "uri-template": URI_TEMPLATE,
    "json-pointer": POINTER,
    "relative-json-pointer": rf"(?:0|[1-9]\d*)(?:#|{POINTER})",
}


@lru_cache(maxsize=64)
def format_of(name: str, alphabet: Alphabet) -> Expression:
    """The texts of a format. KeyError for a format that is not held."""
    texts = fullmatch(FULL_MATCH[name], alphabet)
    if name == "hostname":
        no_a_label = complement(search(r"(?:^|\.)[A-Za-z0-9]{2}--", alphabet))
        return both(texts, repeat(alphabet.character, 1, 253), no_a_label)
    return texts
