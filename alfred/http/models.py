"""What requests and answers are made of: base models, and the types of their fields."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Generic, Self, TypeVar, get_args
from zoneinfo import ZoneInfo, available_timezones

from aiohttp import hdrs, web
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError
from pydantic_core.core_schema import no_info_before_validator_function

from alfred.queries import Row
from alfred.terms import LONGEST_HANDLE, LONGEST_NAME, LONGEST_NOTES, LONGEST_SEARCH, LONGEST_TAG

JSON = "application/json; charset=utf-8"
S = TypeVar("S")
T = TypeVar("T")
_EARLIEST, _LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def json_response(body: bytes, *, status: int = 200) -> web.Response:
    """An answer that is JSON already."""
    return web.Response(body=body, status=status, headers={hdrs.CONTENT_TYPE: JSON})


def _as_moment(value: object) -> object:
    if isinstance(value, bool | int | float) or (isinstance(value, str) and value.strip().lstrip("+-").isdigit()):
        raise ValueError("must be an RFC 3339 timestamp")
    return value


def _in_utc(value: datetime) -> datetime:
    value = value if value.tzinfo else value.replace(tzinfo=UTC)
    if not _EARLIEST <= value <= _LATEST:
        raise ValueError("must lie between 1900 and 2200")
    return value.astimezone(UTC)


def _known_zone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError("must be a time zone of the IANA database, such as America/Sao_Paulo")
    ZoneInfo(value)
    return value


def _two_places(value: Decimal) -> Decimal:
    if not value.is_finite():
        raise ValueError("must be a finite amount")
    return value.quantize(Decimal("0.01"))


Moment = Annotated[datetime, BeforeValidator(_as_moment), AfterValidator(_in_utc)]
Timezone = Annotated[str, AfterValidator(_known_zone)]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{3}$", strip_whitespace=True, to_upper=True)]
Money = Annotated[
    Decimal,
    Field(ge=0, lt=Decimal("1e12"), decimal_places=2),
    AfterValidator(_two_places),
    PlainSerializer(lambda value: f"{value:.2f}", return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^\d+\.\d{2}$", "examples": ["1200.50"]}),
]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_NAME)]
Handle = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_HANDLE)]
Notes = Annotated[str, StringConstraints(max_length=LONGEST_NOTES)]
Tag = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_TAG)]
SearchText = Annotated[str, StringConstraints(strip_whitespace=True, max_length=LONGEST_SEARCH)]


class _NotNull:
    """Of a field that may be left out, and cannot be null."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return no_info_before_validator_function(self._refuse, handler(source))

    def __get_pydantic_json_schema__(self, schema: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        shown: dict[str, Any] = handler(schema)
        (kind,) = (each for each in shown.pop("anyOf") if each != {"type": "null"})
        shown.update(kind)
        return shown

    @staticmethod
    def _refuse(value: object) -> object:
        if value is None:
            raise PydanticCustomError("not_nullable", "This cannot be null; leave it out where it shall stay as it is.")
        return value


IfGiven = Annotated[T | None, _NotNull()]  # a field of a change: None where it is left out


def _is_text(annotation: Any) -> bool:
    return annotation is str or any(map(_is_text, get_args(annotation)))


class Input(BaseModel):
    """A body or a query: no unknown names; numbers where text is wanted are text."""

    model_config = ConfigDict(extra="forbid", coerce_numbers_to_str=True, defer_build=True)

    @model_validator(mode="before")
    @classmethod
    def _empty_is_left_out(cls, given: Any) -> Any:
        """n8n sends an empty string for what it leaves out; a required text is not among it, and only null clears."""
        if not isinstance(given, Mapping):
            return given
        return {name: value for name, value in given.items() if value != "" or not cls._may_be_left_out(name)}

    @classmethod
    def _may_be_left_out(cls, name: Any) -> bool:
        field = cls.model_fields.get(name)
        return field is not None and not (field.is_required() and _is_text(field.annotation))

    def given(self) -> dict[str, Any]:
        """What the request says, and nothing else."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class Output(BaseModel):
    """An answer."""

    model_config = ConfigDict(from_attributes=True, defer_build=True)

    @classmethod
    def read(cls, row: Row | None) -> Self:
        """From a row that must be there."""
        return cls.model_validate(dict(row or {}))


class Listing(Input):
    """What every list takes."""

    limit: int = Field(50, ge=1, le=200, description="Maximum number of items in the page.")
    cursor: str | None = Field(None, description="`next_cursor` of the previous page. Leave it out for the first page.")


class Page(Output, Generic[T]):
    """One page of a list; `next` is the absolute URL of the next one."""

    items: list[T]
    next_cursor: str | None
    next: str | None
    has_more: bool

    def of(self, shape: Callable[[T], S]) -> "Page[S]":
        """The same page with each item in another shape."""
        return Page[Any].model_construct(
            items=[shape(item) for item in self.items],
            next_cursor=self.next_cursor,
            next=self.next,
            has_more=self.has_more,
        )
