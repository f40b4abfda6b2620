"""The grammar of what is sent along: "a photo or a video", "um áudio", "archivos"."""

from alfred.rules.sentence.building import Cond, leaf
from alfred.rules.sentence.reader import Hit, Reader

# What people mean by a file.
FILES = ["image", "audio", "video", "document"]
_SENDS = ("arrive", "write", "has")


class Attachments:
    """Reads one or several kinds of attachments, with or without a verb that sends them."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    def some(self, i: int) -> Hit[Cond] | None:
        """One kind or several."""
        return self.reader.series(i, self.one)

    def one(self, i: int) -> Hit[Cond] | None:
        """One kind, or any file."""
        start = self.reader.skip(i, "article", "every")
        if (end := self.reader.first(start, "any_file")) is not None and not self.reader.find("attachment", start):
            return leaf("message.attachments", "contains_any", FILES), end
        hit = self.reader.find("attachment", start)
        return (leaf("message.attachments", "contains", hit[0]), hit[1]) if hit else None

    def sent(self, i: int) -> Hit[Cond] | None:
        """A verb that sends, and what: "sends a photo"."""
        starts = [start for verb in _SENDS if (start := self.reader.first(i, verb)) is not None]
        return next((hit for start in starts if (hit := self.some(start))), None)

    def arriving(self, i: int) -> Hit[Cond] | None:
        """What arrives, as the subject: "a photo arrives"."""
        hit = self.some(i)
        end = self.reader.first(hit[1], "arrive") if hit else None
        return (hit[0], end) if hit and end is not None else None
