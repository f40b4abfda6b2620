"""Text from bytes whose charset's label may be wrong, vague or unknown: labels mean what mail programs mean by them."""

import codecs
import re
from functools import lru_cache

import webencodings

# Supersets that programs write under the narrower names of the WHATWG Encoding Standard.
WIDER = {
    "gbk": "gb18030",
    "big5": "big5hkscs",
    "euc-kr": "cp949",
    "shift_jis": "cp932",
    "euc-jp": "euc_jp",
    "iso-2022-jp": "iso2022_jp_ext",
    "iso-8859-8-i": "iso8859_8",
    "windows-874": "cp874",
    "x-mac-cyrillic": "mac_cyrillic",
    "macintosh": "mac_roman",
    # Python's own names, for labels that the standard does not have.
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "euc_kr": "cp949",
    "iso2022_jp": "iso2022_jp_ext",
}
NUMBERED = re.compile(r"(?:x-)?(?:windows|win|cp|ms|ibm|dos)[-_]?([0-9]{3,5})", re.ASCII)
OTHER_NAMES = {
    "cp932": "shift_jis", "cp936": "gbk", "cp949": "euc-kr", "cp950": "big5", "cp874": "windows-874",
    "ks_c_5601": "euc-kr", "uhc": "euc-kr", "euckr": "euc-kr", "eucjp": "euc-jp", "windows31j": "shift_jis",
    "koi8r": "koi8-r", "koi8u": "koi8-u",
    "iso-2022-jp-ms": "iso-2022-jp", "iso-2022-jp-1": "iso-2022-jp", "iso-2022-jp-2": "iso-2022-jp",
}  # fmt: skip
# Text codecs that are slow, or that let the text say more than its characters.
NO_CHARSETS = frozenset({"punycode", "idna", "undefined", "unicode_escape", "raw_unicode_escape", "unicode-escape"})
VAGUE = frozenset({"ascii", "us-ascii", "unknown-8bit", "unknown", "8bit", "default", "binary", "none", "x-unknown"})
MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
LABEL = re.compile(r"[\w.:+-]+", re.ASCII)
META = re.compile(rb"<meta\b[^>]{0,500}?charset\s*=\s*[\"']?\s*([\w.:+-]{1,40})", re.IGNORECASE)
META_WITHIN = 4096
LONGEST_LABEL = 100
STRAY = "alfred-stray-bytes"
LONGEST_LETTER = 2


def decoded(source: bytes, label: str | None) -> str:
    """The text; without a label that is known: UTF-8, or else windows-1252. Never raises, and no letter is lost."""
    for mark, told in MARKS:
        if source.startswith(mark):
            return source[len(mark) :].decode(told, STRAY if told == "utf-8" else "replace")
    codec = codec_of(label)
    try:
        return source.decode(codec, STRAY) if codec else source.decode("utf-8")
    except (ValueError, LookupError, IndexError, RuntimeError):
        return source.decode("cp1252", STRAY)


def page_decoded(source: bytes, label: str | None) -> str:
    """The text of an HTML page, whose own `meta` counts where nothing else tells the charset."""
    if codec_of(label) is None and (meta := META.search(source[:META_WITHIN])):
        label = meta.group(1).decode("ascii")
        label = "utf-8" if label.lower().startswith("utf-16") else label  # it could not have been read otherwise
    return decoded(source, label)


def codec_of(label: str | None) -> str | None:
    """Python's codec for a label; null where it says nothing that is known."""
    match = LABEL.search((label or "")[:LONGEST_LABEL])
    return _codec(match.group().lower()) if match else None


@lru_cache(1000)
def _codec(name: str) -> str | None:
    if name in VAGUE or name.startswith("ansi_x3"):
        return None
    numbered = NUMBERED.fullmatch(name)
    numbers = (f"cp{numbered[1]}", f"windows-{numbered[1]}") if numbered else ()
    names = (name, name.replace("_", "-"), name.removeprefix("x-"), name.removeprefix("cs"), *numbers)
    for each in names:
        standard = webencodings.lookup(OTHER_NAMES.get(each, each))
        if standard is not None and standard.name != "replacement":
            return WIDER.get(standard.name) or str(standard.codec_info.name)
    for each in names:
        try:
            codec = codecs.lookup(each)
        except (ValueError, LookupError):
            continue
        is_text = getattr(codec, "_is_text_encoding", True)
        is_charset = is_text and codec.name not in NO_CHARSETS and codec.name != "ascii"
        return WIDER.get(codec.name, codec.name) if is_charset else None
    return None


def _stray(error: UnicodeError) -> tuple[str, int]:
    """Bytes that the charset does not have: a letter of Microsoft's Japanese tables, or of windows-1252."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    pair = error.object[error.start : error.start + LONGEST_LETTER]
    if "jp" in error.encoding and (letter := _japanese(pair)):
        return letter, error.start + LONGEST_LETTER
    if "big5" in error.encoding and (letter := pair.decode("cp950", "ignore")) and len(letter) == 1:
        return letter, error.start + LONGEST_LETTER
    byte = pair[:1]
    return byte.decode("cp1252", "ignore") or chr(byte[0]), error.start + 1


def _japanese(pair: bytes) -> str | None:
    """A letter of JIS X 0208's rows as Microsoft filled them, in EUC or ISO-2022 form."""
    if len(pair) < LONGEST_LETTER or (pair[0] ^ pair[1]) & 0x80:
        return None
    row, cell = pair[0] & 0x7F, pair[1] & 0x7F
    if not 0x21 <= row <= 0x7E or not 0x21 <= cell <= 0x7E:
        return None
    lead = ((row - 0x21) >> 1) + (0x81 if row < 0x5F else 0xC1)
    trail = cell + 0x7E if row % 2 == 0 else cell + (0x1F if cell < 0x60 else 0x20)
    return bytes((lead, trail)).decode("cp932", "ignore") or None


codecs.register_error(STRAY, _stray)
