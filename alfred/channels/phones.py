"""The Brazilian ninth digit: the other way in which a messenger may write the same mobile number."""

import re

# The area codes in use; a number under any other is nobody's, whatever it looks like.
_AREAS = "1[1-9]|2[12478]|3[1-578]|4[1-9]|5[1345]|6[1-9]|7[134579]|8[1-9]|9[1-9]"
# A mobile's eight old digits begin with 6 to 9 (landlines with 2 to 5); the ninth was put in front of them.
_MOBILE = re.compile(rf"\+55(?P<area>{_AREAS})(?P<ninth>9?)(?P<old>[6-9][0-9]{{7}})")


def variants(handle: str) -> list[str]:
    """A WhatsApp handle as sent, then the other ways to write it: a Brazilian mobile with or without its 9."""
    mobile = _MOBILE.fullmatch(handle)
    if mobile is None:
        return [handle]
    ninth = "" if mobile["ninth"] else "9"
    return [handle, f"+55{mobile['area']}{ninth}{mobile['old']}"]
