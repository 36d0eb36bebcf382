"""Damage to files: cards of a FITS header, bytes, planes."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

BLOCK, CARD = 2880, 80

#: What a card may come to hold; the last two are no values at all.
VALUES = (
    "nan", "NaN", "-5", "0", "1", "2", "-1.0", "1.5", "1E400", "1.0E30", "-1.0E30", "9" * 25, "T", "F", "''",
    "'x'", "'NaN'", "'-5'", "", "= = '",
)  # fmt: skip


@dataclass(frozen=True)
class Card:
    """Where a card is in the file, and what of it."""

    extension: str
    keyword: str
    start: int


def cards(content: bytes) -> list[Card]:
    """Every card of every header of a FITS file, END and comments left out."""
    from io import BytesIO

    from astropy.io import fits

    found = []
    with fits.open(BytesIO(content)) as hdus:
        places = [(hdu.name, hdu.fileinfo()["hdrLoc"], hdu.fileinfo()["datLoc"]) for hdu in hdus]
    for name, first, last in places:
        for start in range(first, last, CARD):
            keyword = content[start : start + 8].decode("latin-1").strip()
            if keyword not in ("", "END", "COMMENT", "HISTORY", "CONTINUE"):
                found.append(Card(name, keyword, start))
    return found


@st.composite
def card_changes(draw, content: bytes):
    """A few cards, each deleted (None) or of another value: ((extension, keyword, start), value)."""
    every = cards(content)
    number = draw(st.sampled_from((1, 1, 1, 2, 3)))
    return tuple(
        (draw(st.sampled_from(every)), draw(st.sampled_from((None, *VALUES)))) for _ in range(number)
    )


def with_cards(content: bytes, changes) -> bytes:
    """Return a file with other cards."""
    for card, value in changes:
        text = "COMMENT" if value is None else f"{card.keyword:<8}= {value:>20}"
        content = content[: card.start] + text.ljust(CARD).encode() + content[card.start + CARD :]
    return content


@st.composite
def byte_changes(draw, content: bytes):
    """Some bytes of other values, in a header as often as elsewhere, and where the file ends if it is cut."""
    number = draw(st.integers(0, 6))
    size = len(content)
    every = cards(content)
    place = st.one_of(
        st.integers(0, size - 1),
        st.builds(lambda card, at: card.start + at, st.sampled_from(every), st.integers(0, CARD - 1)),
    )
    bytes_ = tuple((draw(place), draw(st.integers(0, 255))) for _ in range(number))
    cut = draw(st.one_of(st.none(), st.integers(0, size)))
    return bytes_, cut


def with_bytes(content: bytes, change) -> bytes:
    """Return a file with other bytes."""
    bytes_, cut = change
    damaged = bytearray(content)
    for place, value in bytes_:
        damaged[place] = value
    return bytes(damaged[:cut])
