"""The other ways in which a messenger may write the same mobile number: Brazil's 9, Mexico's 1, Argentina's 9."""

import re

# The Brazilian area codes in use; a number under any other is nobody's, whatever it looks like.
_AREAS = "1[1-9]|2[12478]|3[1-578]|4[1-9]|5[1345]|6[1-9]|7[134579]|8[1-9]|9[1-9]"
# Each country's digit stands between two parts of the number, or does not. Brazil: a mobile's eight old digits begin
# with 6 to 9 (landlines with 2 to 5), and the ninth was put in front of them. Mexico and Argentina put theirs behind
# the country's code; what follows are ten digits, in Argentina an area code that begins with 1 to 3.
_DIGITS = (
    ("9", re.compile(rf"(\+55(?:{_AREAS}))(9?)([6-9][0-9]{{7}})", re.ASCII)),
    ("1", re.compile(r"(\+52)(1?)([2-9][0-9]{9})", re.ASCII)),
    ("9", re.compile(r"(\+54)(9?)([1-3][0-9]{9})", re.ASCII)),
)


def variants(handle: str) -> list[str]:
    """A WhatsApp handle as sent, then the other ways to write the same number."""
    for digit, pattern in _DIGITS:
        number = pattern.fullmatch(handle)
        if number is not None:
            before, present, after = number.groups()
            return [handle, before + ("" if present else digit) + after]
    return [handle]
