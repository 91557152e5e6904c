"""What a request holds that an argument may be grounded in: its word-aligned spans and its numbers.

A word is a run of letters, digits and underscores, with apostrophes inside ("John's") and with points, commas
or colons between digits ("1.7"). A span goes from the start of a word to the end of a word at most MAX_WORDS
later, exactly as written; it may also take a closing bracket, `%`, `+` or `°` that stands right behind its
last word, and may leave out the possessive that ends its last word. A number is a run of digits that does not
continue a word: "22" in "22kg" but not in "B22", save for the sex in front of an age, "F72". Grouped thousands
lose their commas, leading zeros go, a minus counts at the beginning of a word, and the parts of a date
("2024-01-31") are not numbers.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from .expression import EMPTY, NOTHING, Expression, choice, contains, literal, rule, seq
from .layout import QUOTE, Layout
from .strings import is_plain, length_bounds

if TYPE_CHECKING:
    from .json_schema import Goal, Lowering
    from .schema_node import Atoms

MAX_WORDS = 10
WORD = re.compile(r"\w+(?:(?:(?<=\d)[.,:](?=\d)|['’](?=\w))\w+)*")
CLOSING = re.compile(r"[)\]%+°]+")
DATE = re.compile(r"(?<!\d)\d{4}-\d\d-\d\d(?!\d)")
NUMBER = re.compile(
    r"((?<![^\s(\[{=:,;<>])[-−])?(?:(?<![\w.])|(?<=(?<!\w)[FMfm]))"
    r"(\d{1,3}(?:,\d{3})+(?!\d)|\d+|(?=\.\d))(\.\d+)?"
)
ARRAY_END = literal(b"]")
_serials = itertools.count()


class Request:
    """One request text, cut into words once. `missing` collects the pointers of grounded fields that nothing fits."""

    def __init__(self, text: str, layout: Layout) -> None:
        self.text = text.encode("utf-8", "replace").decode()
        self.layout = layout
        self.serial = next(_serials)
        self.missing: dict[str, None] = {}
        self.starts: list[int] = []  # of each word
        self.ends: list[tuple[int, int]] = []  # (offset, word), ascending: where a span may end
        self.first_end: list[int] = []  # per word: its place in `ends`
        self.folded: list[str] = []
        for number, match in enumerate(WORD.finditer(self.text)):
            self.starts.append(match.start())
            self.folded.append(match[0].casefold())
            self.first_end.append(len(self.ends))
            if match[0].endswith(("'s", "’s")):
                self.ends.append((match.end() - 2, number))
            self.ends.append((match.end(), number))
            closing = CLOSING.match(self.text, match.end())
            if closing:
                self.ends.append((closing.end(), number))
        self.numbers = list(dict.fromkeys(_spelled(match) for match in NUMBER.finditer(DATE.sub(" ", self.text))))
        self._places: dict[str, list[int]] = {}  # folded word -> where it stands
        for number, word in enumerate(self.folded):
            self._places.setdefault(word, []).append(number)
        self._spelled = layout.dumps(self.text)[1:-1].encode()
        lengths = (
            [len(layout.dumps(c)[1:-1].encode()) for c in self.text] if len(self._spelled) > len(self.text) else None
        )
        self._offsets = None if lengths is None else [0, *itertools.accumulate(lengths)]
        self._spans: dict[object, _Spans] = {}

    # ---- numbers

    def number(self, atoms: Atoms, values: Expression) -> Expression:
        """The numbers of the request that `values` accepts."""
        found = choice(*(literal(n.encode()) for n in self.numbers if contains(values, n.encode())))
        return self._note(atoms, found)

    def _note(self, atoms: Atoms, found: Expression) -> Expression:
        if found is NOTHING:
            self.missing[atoms.places("x-from")[0][0].pointer] = None
        return found

    # ---- one span

    def string(self, atoms: Atoms, content: Callable[[], Expression]) -> Expression:
        """A quoted span that the string keywords of `atoms` accept."""
        spans = self.spans(atoms, content)
        if not spans.any:
            return self._note(atoms, NOTHING)
        return seq(QUOTE, rule(("spans", self.serial, spans.number), spans.lower, live=True), QUOTE)

    def spans(self, atoms: Atoms, content: Callable[[], Expression]) -> _Spans:
        """The spans that the string keywords of `atoms` accept, cut once for all fields with the same keywords."""
        low, high = length_bounds(atoms)
        texts = None if is_plain(atoms) else content()
        key = (low, high, texts)
        found = self._spans.get(key)
        if found is None:
            found = self._spans[key] = _Spans(self, len(self._spans), low, high, texts)
        return found

    def spelled(self, start: int, end: int) -> bytes:
        """A piece of the text as the serialiser writes it inside quotes."""
        if self._offsets is None:
            return self._spelled[start:end]
        return self._spelled[self._offsets[start] : self._offsets[end]]

    def piece(self, start: int, end: int) -> Expression:
        """A piece of the text in every spelling of the layout."""
        if self.layout.escapes == "canonical":
            return literal(self.spelled(start, end))
        return self.layout.alphabet.text(self.text[start:end])

    def first_word(self, word: int) -> Expression:
        """A word without what closes behind it."""
        return self.piece(self.starts[word], self.ends[self.first_end[word]][0])

    def between(self, k: int) -> Expression:
        """From end k to the next end."""
        return self.piece(self.ends[k][0], self.ends[k + 1][0])

    def occurrences(self, first: int, last: int) -> frozenset[int]:
        """The words of every place where the wording of these words stands, whatever its case."""
        words, n = self.folded, last + 1 - first
        wording = words[first : last + 1]
        places = [i for i in self._places[wording[0]] if words[i : i + n] == wording]
        return frozenset(j for i in places for j in range(i, i + n))

    # ---- different spans

    def distinct(self, lowering: Lowering, items: Goal, low: int, high: int | None, atoms: Atoms) -> Expression:
        """The rest of an array, after its bracket, whose items are spans that share no word, nor a wording."""
        place = atoms.places("x-distinct")[0][0]
        bundles = lowering.conjunctions(items)
        if len(bundles) != 1 or bundles[0].types() != {"string"} or not bundles[0].values("x-from"):
            raise place.refuse("x-distinct", 'items must be one string schema marked x-from: "conversation"')
        string = bundles[0]
        spans = self.spans(string, lambda: lowering.string_content(string))
        if low > 0 and not spans.any:
            return self._note(string, NOTHING)
        return _Distinct(self, spans, low, high, tuple(n.serial for n in atoms.nodes)).rest(0, frozenset())


class _Spans:
    """The spans of one request that fit length bounds and perhaps a language, looked for word by word when asked."""

    def __init__(self, request: Request, number: int, low: int, high: int | None, texts: Expression | None) -> None:
        self.request, self.number = request, number
        self.low, self.high, self.texts = low, high, texts
        self._fits: dict[int, frozenset[int]] = {}
        self.any = any(self.fits(word) for word in range(len(request.starts)))

    def fits(self, word: int) -> frozenset[int]:
        """Where (places in `Request.ends`) a span that begins at a word may end."""
        found = self._fits.get(word)
        if found is None:
            found = self._fits[word] = frozenset(self._look(word))
        return found

    def _look(self, word: int) -> Iterator[int]:
        r, start = self.request, self.request.starts[word]
        for k in range(r.first_end[word], len(r.ends)):
            offset, last = r.ends[k]
            if last - word >= MAX_WORDS or (self.high is not None and offset - start > self.high):
                break
            if offset - start >= self.low and (self.texts is None or contains(self.texts, r.spelled(start, offset))):
                yield k

    def lower(self) -> Expression:
        """Any of the spans."""
        r = self.request
        words = [word for word in range(len(r.starts)) if self.fits(word)]
        return choice(*(seq(r.first_word(word), self._more(word, r.first_end[word])) for word in words))

    def _more(self, word: int, k: int) -> Expression:
        """What may follow, inside the span that began at `word`, once its text up to end k has been written."""
        fits = self.fits(word)
        if k == max(fits):
            return EMPTY

        def expand() -> Expression:
            more = seq(self.request.between(k), self._more(word, k + 1))
            return choice(EMPTY, more) if k in fits else more

        return rule(("span", self.request.serial, self.number, word, k), expand, nullable=k in fits, live=True)


class _Distinct:
    """Arrays of spans that share no word. State: items so far (as far as the bounds care), words used so far."""

    def __init__(self, request: Request, spans: _Spans, low: int, high: int | None, identity: tuple[int, ...]) -> None:
        self.request, self.spans, self.low, self.high, self.identity = request, spans, low, high, identity

    def rest(self, count: int, used: frozenset[int]) -> Expression:
        """What follows when so many items have been written."""
        count = min(count, self.low) if self.high is None else count
        key = ("distinct", self.request.serial, self.identity, count, used)
        sure = count >= self.low or (count == 0 and self.low == 1 and self.spans.any)
        return rule(key, lambda: self._expand(count, used), live=True if sure else None)

    def _expand(self, count: int, used: frozenset[int]) -> Expression:
        r = self.request
        parts = [ARRAY_END] if count >= self.low else []
        if self.high is None or count < self.high:
            before = seq(r.layout.comma, QUOTE) if count else QUOTE
            words = [word for word in range(len(r.starts)) if word not in used and self.spans.fits(word)]
            spans = [seq(r.first_word(word), self._more(count, used, word, r.first_end[word])) for word in words]
            parts.append(seq(before, choice(*spans)))
        return choice(*parts)

    def _more(self, count: int, used: frozenset[int], word: int, k: int) -> Expression:
        """What follows once the span from `word` has been written up to end k."""
        r, fits = self.request, self.spans.fits(word)

        def expand() -> Expression:
            parts = []
            if k in fits:
                taken = used | r.occurrences(word, r.ends[k][1])
                parts.append(seq(QUOTE, self.rest(count + 1, taken)))
            if k < max(fits) and r.ends[k + 1][1] not in used:
                parts.append(seq(r.between(k), self._more(count, used, word, k + 1)))
            return choice(*parts)

        key = ("distinct span", r.serial, self.identity, count, used, word, k)
        sure = count + 1 >= self.low and k in fits
        return rule(key, expand, live=True if sure else None)


def _spelled(match: re.Match[str]) -> str:
    sign, whole, fraction = "-" if match[1] else "", match[2].replace(",", "").lstrip("0") or "0", match[3] or ""
    return f"{sign}{whole}{fraction}"
