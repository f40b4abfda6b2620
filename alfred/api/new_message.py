"""A message as it is sent: what a request may say."""

from typing import Annotated, Any
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import Discriminator, Field, StringConstraints, Tag, field_validator
from pydantic_core import PydanticCustomError

from alfred.http.models import Input, Moment
from alfred.senders.parts import MOST_ATTACHMENTS, FileType, OutFile, Template
from alfred.terms import LONGEST_NAME, LONGEST_OUTBOUND_BODY, MessageAuthor

ExternalId = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=512)]
Body = Annotated[str, StringConstraints(max_length=LONGEST_OUTBOUND_BODY)]
Subject = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=998)]
# Faults are told of the shape that was sent, not of both.
Variables = Annotated[
    Annotated[list[str], Tag("list")] | Annotated[dict[str, str], Tag("object")],
    Discriminator(lambda value: "list" if isinstance(value, list) else "object"),
]


class NewAttachment(Input):
    """A file to send, by its address: the messenger fetches it."""

    type: FileType = Field(examples=["image"])
    url: Annotated[str, StringConstraints(strip_whitespace=True, max_length=2048)] = Field(
        examples=["https://example.com/catalogue.jpg"]
    )
    mime_type: Annotated[str, StringConstraints(max_length=200)] | None = Field(None, examples=["image/jpeg"])
    file_name: Annotated[str, StringConstraints(max_length=LONGEST_NAME)] | None = None
    caption: Annotated[str, StringConstraints(max_length=LONGEST_OUTBOUND_BODY)] | None = None

    @field_validator("url")
    @classmethod
    def _web_address(cls, url: str) -> str:
        try:
            parts = urlsplit(url)
            good = parts.scheme in {"http", "https"} and parts.hostname and "@" not in parts.netloc
        except ValueError:
            good = False
        if not good or any(letter.isspace() for letter in url):
            raise PydanticCustomError("invalid_url", "Give a web address that begins with http:// or https://")
        return url

    @field_validator("file_name", "mime_type")
    @classmethod
    def _one_line(cls, value: str | None) -> str | None:
        if value is not None and any(letter in value for letter in "\r\n"):
            raise PydanticCustomError("line_break", "Leave the line breaks out")
        return value


class NewTemplate(Input):
    """A template that the provider has approved."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=512)] = Field(
        examples=["order_update"]
    )
    language: Annotated[str, StringConstraints(max_length=20)] | None = Field(None, examples=["pt_BR"])
    variables: Variables | None = Field(None, description="Texts that fill the template's body.")
    components: list[dict[str, Any]] | None = Field(
        None, max_length=20, description="All parts, as the provider has them."
    )


class NewMessage(Input):
    """At least one of `body`, `attachments` and `template` is needed."""

    body: Body = Field("", examples=["Bom dia, Marina! Sai hoje às 16h."])
    attachments: list[NewAttachment] = Field(default_factory=list)
    template: NewTemplate | None = None
    subject: Subject | None = Field(None, description="Of an e-mail; without one it answers the last mail.")
    reply_to_id: UUID | None = None
    external_id: ExternalId | None = Field(
        None,
        description="The provider's id of a message already sent by other means. Delivery statuses refer to it.",
    )
    scheduled_at: Moment | None = Field(None, description="When to send it, at most a year ahead.")
    cancel_on_reply: bool | None = Field(
        None, description="Whether a scheduled message is cancelled when the customer writes first; true by default."
    )
    author: MessageAuthor | None = Field(
        None, description="By default `person` with an access token, `automation` with an API token."
    )

    @field_validator("subject")
    @classmethod
    def _one_line(cls, value: str | None) -> str | None:
        if value is not None and any(letter in value for letter in "\r\n"):
            raise PydanticCustomError("line_break", "A subject is one line")
        return value

    @field_validator("attachments")
    @classmethod
    def _not_too_many(cls, files: list[NewAttachment]) -> list[NewAttachment]:
        if len(files) > MOST_ATTACHMENTS:
            raise PydanticCustomError("too_many", "Send at most 10 attachments")
        return files

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing."""
        return not self.body.strip() and not self.attachments and self.template is None

    @property
    def files(self) -> tuple[OutFile, ...]:
        """The attachments as values."""
        return tuple(OutFile(**file.model_dump()) for file in self.attachments)

    @property
    def chosen_template(self) -> Template | None:
        """The template as a value."""
        return None if self.template is None else Template(**self.template.model_dump())
