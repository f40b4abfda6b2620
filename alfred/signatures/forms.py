"""The last of each named field in a form: enough of urlencoded and multipart bodies for a signature in fields."""

import re
from collections.abc import Collection, Iterator
from urllib.parse import parse_qsl

LONGEST_VALUE = 4096
MOST_FIELDS = 1000
_BOUNDARY = re.compile(r'boundary="?([^";,\r\n]{1,200})"?', re.IGNORECASE)
_NAME = re.compile(rb'content-disposition:[^\r\n]{0,200}?[ ;]name="?([A-Za-z]{1,20})"?', re.IGNORECASE)


def fields_of(raw: bytes, content_type: str, names: Collection[str]) -> dict[str, str]:
    """Those of `names` that the body has, each as it came last."""
    if "multipart/" in content_type.lower():
        boundary = _BOUNDARY.search(content_type)
        return dict(_of_parts(raw, boundary[1].strip().encode(), names)) if boundary else {}
    try:
        pairs = parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        return {}
    return {name: value for name, value in pairs if name in names}


def _of_parts(raw: bytes, boundary: bytes, names: Collection[str]) -> Iterator[tuple[str, str]]:
    """Without a copy of what is large: only short parts are looked at."""
    mark, begin = b"--" + boundary, 0
    for _ in range(MOST_FIELDS):
        begin = raw.find(mark, begin)
        end = raw.find(mark, begin + len(mark)) if begin >= 0 else -1
        if end < 0:
            return
        if end - begin < LONGEST_VALUE:
            head, _, content = raw[begin + len(mark) : end].partition(b"\r\n\r\n")
            found = _NAME.search(head)
            if found and found[1].decode() in names:
                yield found[1].decode(), content.removesuffix(b"\r\n").decode("utf-8", "replace")
        begin = end
