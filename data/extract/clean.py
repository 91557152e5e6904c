"""From the text a page shows to the text an author wrote. Pure functions; no document library is known here.

Line-break hyphens are the delicate part: "hyper-" + "tension" is one word, "drug-" + "drug" keeps its hyphen. The
document itself is the dictionary: a spelling seen inside a line elsewhere settles the matter.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from data.blocks import Block

LINE_HYPHEN = "\u2060-"  # how a hyphen at the end of a text is marked until its other half is known

_TITLE_LENGTH = 100  # characters of the longest line that is kept as a possible title
_LIGATURES = str.maketrans(
    {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st", "Ĳ": "IJ", "ĳ": "ij"}
)
_SPACES = re.compile(r"[\s\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]+")
_INVISIBLE = re.compile(
    "[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\ufffe\uffff\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
)
_PRIVATE = re.compile(r"\(cid:\d+\)|/g\d{1,4}\b|[\ue000-\uf8ff\ufffd]")
_LIGATURE_GAP = re.compile(r"(?<=[ﬀﬁﬂﬃﬄ]) (?=[a-z])")
_QUOTES = str.maketrans({"‘": "'", "’": "'", "‚": "'", "‛": "'", "“": '"', "”": '"', "„": '"', "‟": '"'})
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_BEFORE_HYPHEN = re.compile(r"([^\W\d_]+)[-\u00ad\u2010]$")
_FIRST_WORD = re.compile(r"[^\W\d_]+")
_MARKED = re.compile(r"([^\W\d_]+)\u2060(?:- ?)?([^\W\d_]+)")
_LEADER = re.compile(r"(?:[.·…_] ?){4,}")  # one optional space only on one side: the other way is exponential
_CONTENTS_LINE = re.compile(r"(?:[.·…_] ?){4,}(?:\d{1,4}|[ivxlc]{1,7})\s*$")


@dataclass(frozen=True)
class Spelling:
    """How often the document writes each word, and each hyphenated compound, inside a line.

    `titles` has every short line by its letters alone, spaced as the document spaces it with the fewest gaps.
    """

    words: Counter[str]
    compounds: Counter[str]
    titles: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, lines: Iterable[str]) -> "Spelling":
        words: Counter[str] = Counter()
        compounds: Counter[str] = Counter()
        titles: dict[str, str] = {}
        broken = False
        for line in lines:
            if len(line) <= _TITLE_LENGTH and (spaced := " ".join(line.split())):
                letters = "".join(spaced.lower().split())
                if len(spaced) < len(titles.get(letters, f"{spaced} ")):
                    titles[letters] = spaced
            text = line.strip().lower()
            found = _WORD.findall(text)
            if broken and found:
                found.pop(0)  # the second half of something
            broken = text.endswith(("-", "\u00ad"))
            if broken and found:
                found.pop()  # the first half of something
            for word in found:
                words.update(word.split("-"))
                if "-" in word:
                    compounds[word] += 1
        return cls(words, compounds, titles)

    def title(self, text: str) -> str:
        """A heading whose letters were set apart ("Me t hods") as the document writes it elsewhere, in its own case."""
        if not any(len(word) == 1 and word.isalpha() and word not in "aAI" for word in text.split()):
            return text
        spaced = self.titles.get("".join(text.lower().split()), text)
        letters = iter("".join(text.split()))
        return "".join(" " if character == " " else next(letters) for character in spaced)

    def keeps_hyphen(self, first: str, second: str) -> bool:
        """Whether a hyphen between the two at a line's end belongs to the word."""
        if not second[:1].islower():
            return True  # "non-" + "Hodgkin", "IL-" + "Receptor"
        first, second = first.lower(), second.lower()
        joined, compound = self.words[first + second], self.compounds[f"{first}-{second}"]
        if joined or compound:
            return compound > joined
        if len(first) == 1:
            return True  # "x-" + "ray", "e-" + "mail"
        return min(len(first), len(second)) >= 4 and self.words[first] > 0 and self.words[second] > 0


def join_lines(lines: Sequence[str], spelling: Spelling) -> str:
    """One text from the lines of a paragraph; a hyphen at its very end is marked for whoever finds the other half."""
    text = ""
    for line in (stripped for line in lines if (stripped := line.strip())):
        text = _join(text, line, spelling) if text else line
    if text.endswith("\u00ad"):
        return text[:-1] + LINE_HYPHEN
    return text[:-1] + LINE_HYPHEN if _BEFORE_HYPHEN.search(text) else text


def _join(left: str, right: str, spelling: Spelling) -> str:
    before, after = _BEFORE_HYPHEN.search(left), _FIRST_WORD.match(right)
    if before and after:
        if left.endswith("\u00ad") or not spelling.keeps_hyphen(before[1], after[0]):
            return left[:-1] + right
        return left + right
    if re.search(r"\w[-–/]$", left) and re.match(r"\w", right):
        return left + right  # "1999–" + "2004", "mg/" + "kg", "CYP3A4-" + "mediated"
    return f"{left} {right}"


def mend_marked(text: str, spelling: Spelling) -> str:
    """Settle the hyphens `join_lines` marked, where a later stage has put the halves together, and drop the marks."""

    def settle(match: re.Match[str]) -> str:
        first, second = match[1], match[2]
        return f"{first}-{second}" if spelling.keeps_hyphen(first, second) else first + second

    return _MARKED.sub(settle, text).replace("\u2060", "")


def clean_text(text: str, *, ascii_quotes: bool = True) -> str:
    """Ligatures spelled out, invisible and unmappable characters gone, white space single, dot leaders cut."""
    text = _LIGATURE_GAP.sub("", text).translate(_LIGATURES)
    text = text.replace("⁄", "/").replace("\u2010", "-").replace("\u2011", "-")
    text = _PRIVATE.sub(" ", _INVISIBLE.sub("", text))
    if ascii_quotes:
        text = text.translate(_QUOTES)
    return _SPACES.sub(" ", text).strip()


def clean_code(text: str) -> str:
    """Code keeps its lines and its white space; only characters nobody can see go."""
    return _INVISIBLE.sub("", text).strip("\n")


def is_contents_line(text: str) -> bool:
    """A title, dot leaders and a page number: a line of a table of contents."""
    return _CONTENTS_LINE.search(text[-200:]) is not None


def table_rows(rows: Sequence[Sequence[str]]) -> list[str]:
    """A table as sentences of cells: 'header: value; header: value', one text for each row below the header.

    A table of one row, or one whose header is blank, is written as its cells.
    """
    cleaned = [[_SPACES.sub(" ", cell).strip() for cell in row] for row in rows]
    cleaned = [row for row in cleaned if any(row)]
    if not cleaned:
        return []
    header, *body = cleaned
    if not body or sum(bool(cell) for cell in header) < 2:
        return ["; ".join(_distinct(row)) for row in cleaned]
    texts = []
    for row in body:
        pairs = zip(header, row, strict=False)
        parts = [f"{name}: {value}" if name and name != value else value for name, value in pairs if value]
        parts += [value for value in row[len(header) :] if value]
        texts.append("; ".join(_distinct(parts)))
    return texts


def _distinct(cells: Iterable[str]) -> Iterator[str]:
    """Cells without blanks and without the immediate repeats that a spanning cell leaves behind."""
    previous = ""
    for cell in cells:
        if cell and cell != previous:
            yield cell
        previous = cell


def clean_blocks(
    blocks: Iterable[Block],
    spelling: Spelling,
    *,
    ascii_quotes: bool = True,
    drop_duplicates: bool = True,
    keep_contents: bool = False,
) -> Iterator[Block]:
    """Clean every block's text and drop what is not text: blanks, contents lines, paragraphs seen before."""
    seen: set[str] = set()
    for block in blocks:
        tidy = clean_code if block.kind == "code" else lambda text: clean_text(text, ascii_quotes=ascii_quotes)
        text = tidy(mend_marked(block.text, spelling))
        if block.kind != "code":
            if is_contents_line(text) and not keep_contents:
                continue
            text = _SPACES.sub(" ", _LEADER.sub(" ", text)).strip()
        if not any(character.isalnum() for character in text):
            continue
        if drop_duplicates and block.kind == "paragraph" and len(text) >= 60:
            if text in seen:
                continue
            seen.add(text)
        headings = tuple(
            heading
            for heading in (
                clean_text(mend_marked(part, spelling), ascii_quotes=ascii_quotes) for part in block.headings
            )
            if heading
        )
        yield replace(block, text=text, headings=headings)
