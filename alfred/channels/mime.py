"""Raw mail (RFC 5322 and MIME), read within bounds of depth, parts and header length."""

from collections.abc import Iterator
from dataclasses import dataclass

from alfred.channels.address import decode_words
from alfred.channels.clean import Object, text
from alfred.channels.decoding import between, decoded, opened, parameter, transferred
from alfred.channels.headers import Headers, read_headers
from alfred.channels.item import Attachment, InboundItem
from alfred.channels.mail import Letter, attached, read_letter

MOST_PARTS = 1000
DEEPEST = 30
BODIES = ("text/plain", "text/html")
LETTERHEAD = frozenset({
    "from", "to", "date", "subject", "message-id", "mime-version", "received", "return-path", "delivered-to",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """A part that holds no others."""

    headers: Headers
    body: bytes

    @property
    def content_type(self) -> str:
        found = _main(self.headers, "text/plain")
        return "text/plain" if found.startswith("multipart/") or "/" not in found else found

    @property
    def filename(self) -> str | None:
        disposition, kind = (self.headers.get(each) for each in ("content-disposition", "content-type"))
        found = parameter(disposition, "filename") or parameter(kind, "name")
        return text(decode_words(found or ""))

    @property
    def is_attached(self) -> bool:
        disposition = self.headers.get("content-disposition") or ""
        return disposition.partition(";")[0].strip().lower() == "attachment"

    @property
    def is_body(self) -> bool:
        """Body parts can carry a Content-ID too; a file name or `attachment` makes them files."""
        is_text = self.content_type in BODIES
        return is_text and not self.is_attached and not self.filename

    @property
    def is_inline(self) -> bool:
        return self.headers.get("content-id") is not None and not self.is_attached

    @property
    def written(self) -> str:
        body = transferred(self.body, self.headers.get("content-transfer-encoding"))
        return decoded(body, parameter(self.headers.get("content-type"), "charset"))


@dataclass(frozen=True, slots=True)
class Mime:
    """A mail taken apart."""

    headers: Headers
    plain: str | None
    page: str | None
    files: tuple[Attachment, ...]

    @property
    def raw(self) -> Object:
        files = [file.model_dump(mode="json") for file in self.files]
        return {"headers": [*self.headers], "text": self.plain, "html": self.page, "attachments": files}

    def letter(self, raw: Object) -> Letter:
        return Letter(
            raw=raw,
            headers=self.headers,
            plain=self.plain,
            page=self.page,
            files=self.files,
        )


def recognise(source: bytes) -> bool:
    return bool(read_headers(opened(source)[0]).names & LETTERHEAD)


def looks_like_mail(source: bytes) -> bool:
    """One header name can stand at the start of any text, two hardly."""
    return len(read_headers(opened(source)[0]).names & LETTERHEAD) > 1


def read(source: bytes) -> list[InboundItem]:
    mail = take_apart(source)
    return [read_letter(mail.letter(mail.raw))]


def take_apart(source: bytes) -> Mime:
    parts = list(_leaves(source))
    texts = {kind: [p.written for p in parts if p.is_body and p.content_type == kind] for kind in BODIES}
    return Mime(
        headers=read_headers(opened(source)[0]),
        plain=text("\n".join(texts["text/plain"])),
        page=text("\n".join(texts["text/html"])),
        files=tuple(_file(part) for part in parts if not part.is_body and not part.is_inline),
    )


def _file(part: Part) -> Attachment:
    return attached(part.headers.get("content-type"), part.filename)


def _leaves(source: bytes) -> Iterator[Part]:
    waiting = [(source, 0)]
    for _ in range(MOST_PARTS):
        if not waiting:
            return
        block, depth = waiting.pop()
        head, body = opened(block)
        headers = read_headers(head)
        boundary = parameter(headers.get("content-type"), "boundary")
        if _main(headers, "text/plain").startswith("multipart/") and boundary and depth < DEEPEST:
            waiting += [(part, depth + 1) for part in reversed(between(body, boundary, MOST_PARTS))]
        else:
            yield Part(headers, body)


def _main(headers: Headers, default: str) -> str:
    """A content type without its parameters."""
    return (headers.get("content-type") or default).partition(";")[0].strip().lower()
