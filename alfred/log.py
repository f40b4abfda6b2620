"""structlog: one event, one line, with fields; JSON for machines, colours for a terminal."""

import logging
import sys
import traceback
from contextvars import ContextVar
from typing import Any, Literal

import structlog

from alfred.json_text import json_text

_fields: ContextVar[dict[str, Any]] = ContextVar("fields")  # of every line of this request


def begin_fields(**fields: Any) -> None:
    """From now on each line of this task has these, and none of before."""
    _fields.set(fields)


def add_fields(**fields: Any) -> None:
    """And these: one dict for a request, where structlog would keep a context variable for each name."""
    _fields.set(_fields.get({}) | fields)


def set_up(level: str, style: Literal["console", "json"] | None) -> None:
    """Send every log line, the libraries' too, to standard error."""
    style = style or ("console" if sys.stderr.isatty() else "json")
    shared: list[structlog.typing.Processor] = [
        _with_fields,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _without_values,
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(json_text) if style == "json" else structlog.dev.ConsoleRenderer()
    )
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    foreign: list[structlog.typing.Processor] = [_of_library, *shared]
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=renderer, foreign_pre_chain=foreign))
    logging.basicConfig(handlers=[handler], level=max(number, logging.WARNING), force=True)


def _with_fields(_logger: Any, _name: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    return {**_fields.get({}), **event}


def _of_library(_logger: Any, _name: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """A library's line keeps its kind only: what it quotes may be a token, a ticket or a password."""
    record: logging.LogRecord | None = event.get("_record")
    if record is None:
        return event
    event["event"], event["library"] = "library_complained", record.name
    event["complaint"] = str(record.msg).partition("\n")[0].partition("%")[0][:200]
    error = record.exc_info[1] if record.exc_info else None
    event.pop("exc_info", None)
    if error is not None:
        event["error"] = type(error).__name__
        event["traceback"] = "".join(traceback.format_tb(error.__traceback__))
    return event


def _without_values(_logger: Any, _name: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """An exception as its frames and its kind: PostgreSQL's details and pydantic's complaints quote what was sent."""
    given = event.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event["error"] = kind_of(error)
        event["traceback"] = "".join(traceback.format_tb(error.__traceback__))
    return event


def kind_of(error: BaseException) -> str:
    """What went wrong, without a value of anybody's."""
    from asyncpg import PostgresError  # not everybody who logs has a database
    from pydantic import ValidationError

    if isinstance(error, PostgresError):
        return f"{type(error).__name__} {error.sqlstate} {getattr(error, 'constraint_name', None) or ''}".strip()
    if isinstance(error, ValidationError):
        return f"ValidationError {[(fault['loc'], fault['type']) for fault in error.errors(include_input=False)]}"
    return f"{type(error).__name__}: {error}"[:500]
