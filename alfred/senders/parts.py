"""A message in the parts that go over the wire one by one, and what each provider can carry."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from alfred.senders.text_limits import MOST_PARTS, TooLong, split, utf16_units
from alfred.terms import PartKind

FileType = Literal["image", "audio", "video", "document"]

MOST_ATTACHMENTS = 10
LONGEST_CAPTION = 1_024


class OutFile(BaseModel):
    """A file by its address; the provider fetches it."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    type: FileType
    url: str
    mime_type: str | None = None
    file_name: str | None = None
    caption: str | None = None


class Template(BaseModel):
    """A text that the provider has approved; `variables` fill its body, `components` say all."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    name: str
    language: str | None = None
    variables: list[str] | dict[str, str] | None = None
    components: list[dict[str, Any]] | None = None


class Part(BaseModel):
    """One call, in neutral words: kept as it is, so that a later version sends it in its own way."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    kind: PartKind
    text: str | None = None
    file: OutFile | None = None
    files: tuple[OutFile, ...] = ()  # of a mail
    template: Template | None = None
    reply_to: str | None = None  # the messenger's id of the message that is answered, read or typed after
    human_tag: bool = False
    automation: bool = False
    subject: str | None = None
    references: tuple[str, ...] = ()

    def row(self) -> dict[str, Any]:
        """As a jsonb column keeps it."""
        return self.model_dump(mode="json", exclude_defaults=True)


class Content(BaseModel):
    """What a seller wants to say."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    body: str = ""
    files: tuple[OutFile, ...] = ()
    template: Template | None = None
    subject: str | None = None


@dataclass(frozen=True)
class Abilities:
    """What a provider can carry; `rate` is messages a second by default, `seconds` the deadline of a call."""

    text_limit: int | None
    size: Callable[[str], int] = utf16_units
    captions: frozenset[str] = frozenset()
    file_types: frozenset[str] = frozenset({"image", "audio", "video", "document"})
    templates: bool = False
    mail: bool = False
    reads: bool = False
    types: bool = False
    rate: float | None = None
    seconds: float = 20.0


@dataclass(frozen=True)
class Complaint:
    """Why a content cannot be carried; `pointer` is a JSON pointer into the message."""

    pointer: str
    code: Literal["unsupported", "too_long"]
    message: str


def complaints(content: Content, can: Abilities, *, split_text: bool = True) -> list[Complaint]:
    """What of a message this provider cannot carry."""
    found = [*_unsupported(content, can)]
    if can.text_limit is not None and content.body and not content.template:
        fits = can.size(content.body) <= can.text_limit
        try:
            if not (fits or (split_text and parts_of(content, can))):
                found.append(Complaint("/body", "too_long", f"Write at most {can.text_limit} characters."))
        except TooLong:
            found.append(Complaint("/body", "too_long", f"This needs more than {MOST_PARTS} messages; write less."))
    return found


def _unsupported(content: Content, can: Abilities) -> Iterator[Complaint]:
    if content.template and not can.templates:
        yield Complaint("/template", "unsupported", "This channel knows no templates.")
    if content.template and (content.body or content.files):
        pointer = "/body" if content.body else "/attachments"
        yield Complaint(pointer, "unsupported", "A template goes alone; leave this out.")
    if content.subject and not can.mail:
        yield Complaint("/subject", "unsupported", "Only an e-mail has a subject.")
    for index, file in enumerate(content.files):
        if file.type not in can.file_types:
            yield Complaint(f"/attachments/{index}/type", "unsupported", "This channel cannot send such a file.")
        if file.caption and file.type not in can.captions:
            yield Complaint(f"/attachments/{index}/caption", "unsupported", "Such a file has no caption here.")
        elif file.caption and utf16_units(file.caption) > LONGEST_CAPTION:
            words = f"Write at most {LONGEST_CAPTION} characters."
            yield Complaint(f"/attachments/{index}/caption", "too_long", words)


def parts_of(content: Content, can: Abilities) -> list[Part]:
    """The calls that a message takes, in their order.

    Raises:
        TooLong: more than MOST_PARTS calls.
    """
    if content.template:
        return [Part(kind="template", template=content.template)]
    if can.mail:
        return [Part(kind="mail", text=content.body, files=content.files, subject=content.subject)]
    files, body = content.files, content.body
    if _as_caption(body, files, can):
        files, body = (files[0].model_copy(update={"caption": body}),), ""
    texts = split(body, can.text_limit, can.size) if can.text_limit and body.strip() else [body] if body else []
    parts = [*(Part(kind="text", text=text) for text in texts), *(Part(kind="attachment", file=file) for file in files)]
    if len(parts) > MOST_PARTS:
        raise TooLong
    return parts


def _as_caption(body: str, files: Sequence[OutFile], can: Abilities) -> bool:
    """Whether the body goes with the one file that has room for it."""
    if len(files) != 1 or not body.strip():
        return False
    return not files[0].caption and files[0].type in can.captions and utf16_units(body) <= LONGEST_CAPTION
