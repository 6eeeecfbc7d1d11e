"""Words of a report as HTML and for plotly: everything escaped, nothing else changed."""

from __future__ import annotations

import re
import unicodedata

from markupsafe import Markup, escape

from atomloom.report import Axis, spans

_TAGS = {"plain": "{}", "code": "<code>{}</code>", "emphasis": "<em>{}</em>"}
_POWER = re.compile(r"\^\(?(-?\d+)\)?")
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_NONE = re.compile(
    "[\ufdd0-\ufdef" + "".join(chr(plane << 16 | last) for plane in range(17) for last in (65534, 65535)) + "]"
)
_EXPONENT = re.compile(r"e(-?\d+)$")


def markup(text: str) -> Markup:
    """Text with the light markup of reports as HTML.

    >>> print(markup("Read `a<b`, *twice*."))
    Read <code>a&lt;b</code>, <em>twice</em>.
    """
    return Markup("").join(Markup(_TAGS[span.kind]).format(visible(span.text)) for span in spans(text))


def visible(text: str) -> str:
    """`text` without the characters that HTML and SVG cannot hold: controls, lone surrogates, noncharacters.

    >>> visible("a" + chr(9) + "b" + chr(27) + chr(0xFFFF))
    'a b'
    """
    kept = (" " if c.isspace() and c < " " and c != "\n" else c for c in text)
    return "".join(c for c in kept if c == "\n" or (unicodedata.category(c) not in ("Cc", "Cs") and not _NONE.match(c)))


def unit(text: str) -> str:
    """A unit as it is printed.

    >>> unit("eV/angstrom"), unit("e*angstrom^2"), unit("cm^-1")
    ('eV/Å', 'e·Å²', 'cm⁻¹')
    """
    text = re.sub(r"\bangstrom\b", "Å", visible(text)).replace("*", "·")
    return _POWER.sub(lambda match: raised(match[1]), text)


def raised(digits: str) -> str:
    """Digits and minus signs as superscripts.

    >>> raised("-12")
    '⁻¹²'
    """
    return digits.translate(_RAISED)


def title(axis: Axis) -> str:
    """Label and unit of an axis, as they stand beside it.

    >>> title(Axis("force error", "eV/angstrom"))
    'force error (eV/Å)'
    """
    return " ".join(filter(None, (visible(axis.label), f"({unit(axis.unit)})" if axis.unit else "")))


def plotly(text: str) -> str:
    """`text` as plotly, which takes some tags for markup, shows it verbatim.

    >>> plotly("<b>x</b> & y")
    '&lt;b>x&lt;/b> &amp; y'
    """
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), ("$", "&#36;")):  # between dollars it looks for formulas
        text = text.replace(character, entity)
    return " ".join(visible(text).split())


def big(text: str) -> Markup:
    """A number of a key figure: its uncertainty in brackets set back, its exponent raised.

    >>> print(big("1.50(2)e-7"))
    1.50<span class="spread">(2)</span>×10<sup>−7</sup>
    """
    html = escape(text)
    exponent = _EXPONENT.search(text)
    if exponent and text[0] in "-(0123456789":
        power = exponent[1].replace("-", "−")
        html = escape(text[: exponent.start()]) + Markup("×10<sup>{}</sup>").format(power)
    return Markup(re.sub(r"(?<=\d)(\(\d+\))", r'<span class="spread">\1</span>', str(html)))


def slug(text: str, otherwise: str) -> str:
    """A name for a file or an anchor: ASCII letters, digits and dashes, at most 60 of them.

    >>> slug("E: predicted against reference", "figure"), slug("水", "figure")
    ('e-predicted-against-reference', 'figure')
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].strip("-") or otherwise
