"""What is wrong with an input, in our own sentences: pydantic's speak of Python."""

from decimal import Decimal
from typing import Any, get_args

from pydantic_core import ErrorDetails, ValidationError
from pydantic_core.core_schema import ErrorType

NUMBER = "This must be a number."
TEXT = "This must be text."
WHOLE = "This must be a whole number."
MOMENT = "This must be a date and time such as 2026-05-31T14:30:00Z."
DAY = "This must be a date such as 2026-05-31."
OBJECT = "Send a JSON object."
LIST = "This must be a list."
ID = "This must be an id, such as 0190f3a2-7c1e-7d3a-9b1f-2f6d0c5e8a41."
URL = "This must be a URL such as https://example.com/hook."

# By the type of the error; what stands in braces is in its context.
SENTENCES = {
    "missing": "This is required.",
    "unknown_parameter": "There is no such parameter.",
    "unknown_field": "There is no such field.",
    "extra_forbidden": "There is no such field.",
    "invalid_key": "The names of fields must be text.",
    "model_type": OBJECT,
    "model_attributes_type": OBJECT,
    "dict_type": OBJECT,
    "mapping_type": OBJECT,
    "json_invalid": "This must be JSON.",
    "json_type": "This must be JSON.",
    "none_required": "This must be null.",
    "recursion_loop": "This is nested too deeply.",
    "recursion_depth_exceeded": "This is nested too deeply.",
    "string_type": TEXT,
    "string_unicode": "This must be text in UTF-8.",
    "string_not_ascii": "This may hold ASCII characters only.",
    "string_too_short": "This must have at least {min_length} characters.",
    "string_too_long": "This may have at most {max_length} characters.",
    "string_pattern_mismatch": "This is not written as it must be.",
    "literal_error": "This must be {expected}.",
    "enum": "This must be {expected}.",
    "bool_type": "This must be true or false.",
    "bool_parsing": "This must be true or false.",
    "int_type": WHOLE,
    "int_parsing": WHOLE,
    "int_from_float": WHOLE,
    "int_parsing_size": "This number is too large.",
    "float_type": NUMBER,
    "float_parsing": NUMBER,
    "decimal_type": NUMBER,
    "decimal_parsing": NUMBER,
    "finite_number": "This must be a finite number.",
    "decimal_max_digits": "This may have at most {max_digits} digits.",
    "decimal_max_places": "This may have at most {decimal_places} decimal places.",
    "decimal_whole_digits": "This may have at most {whole_digits} digits before the decimal point.",
    "greater_than": "This must be greater than {gt}.",
    "greater_than_equal": "This must be at least {ge}.",
    "less_than": "This must be less than {lt}.",
    "less_than_equal": "This must be at most {le}.",
    "multiple_of": "This must be a multiple of {multiple_of}.",
    "list_type": LIST,
    "tuple_type": LIST,
    "set_type": LIST,
    "frozen_set_type": LIST,
    "iterable_type": LIST,
    "too_short": "This must have at least {min_length} entries.",
    "too_long": "This may have at most {max_length} entries.",
    "date_type": DAY,
    "date_parsing": DAY,
    "date_from_datetime_parsing": DAY,
    "date_from_datetime_inexact": "This must be a date without a time.",
    "date_past": "This must be a date in the past.",
    "date_future": "This must be a date in the future.",
    "time_type": "This must be a time such as 14:30.",
    "time_parsing": "This must be a time such as 14:30.",
    "datetime_type": MOMENT,
    "datetime_parsing": MOMENT,
    "datetime_object_invalid": MOMENT,
    "datetime_from_date_parsing": MOMENT,
    "datetime_past": "This must lie in the past.",
    "datetime_future": "This must lie in the future.",
    "timezone_naive": "This must have no time zone.",
    "timezone_aware": "This must have a time zone.",
    "timezone_offset": "This must have another time zone.",
    "time_delta_type": "This must be a duration.",
    "time_delta_parsing": "This must be a duration.",
    "uuid_type": ID,
    "uuid_parsing": ID,
    "uuid_version": ID,
    "url_type": URL,
    "url_parsing": URL,
    "url_syntax_violation": URL,
    "url_too_long": "This may have at most {max_length} characters.",
    "url_scheme": "This URL must begin with {expected_schemes}.",
    "bytes_type": TEXT,
    "bytes_too_short": "This must have at least {min_length} bytes.",
    "bytes_too_long": "This may have at most {max_length} bytes.",
    "bytes_invalid_encoding": "This is not encoded as it must be.",
}
# By the pattern that a text has to fit.
FORMS = {
    r"^[^@\s]+@[^@\s.]+(\.[^@\s.]+)+$": "This must be an e-mail address such as ana@example.com.",
    r"^[^@\s<>,;]+@[^@\s<>,;]+$": "This must be an e-mail address such as ana@example.com.",
    r"^[a-z]{2,3}(-[A-Z]{2})?$": "This must be a locale such as pt-BR or en.",
    r"^[A-Za-z]{3}$": "This must be a currency of three letters, such as BRL.",
    r"^v\d{1,3}\.\d{1,2}$": "This must be a version such as v21.0.",
    r"^\+[1-9]\d{4,19}$": "This must be a phone number with + and its country, such as +5511912345678.",
    r"^[A-Za-z0-9-]{1,100}$": "This may hold letters, digits and hyphens only, at most 100.",
    r"^[^\r\n]*$": "This must be one line.",
    r"^[^:]+$": "This may hold no colon.",
    r"^[A-Za-z0-9._:\[\]-]+$": "This must be the name or address of a host, such as smtp.example.com.",
    r"^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]+:[A-Za-z0-9_.-]+$": "This must be the ARN of an SNS topic.",
    r"^[^\x00]*$": "NUL characters cannot be stored.",
}
ANY_OTHER = "This is not valid."
# Raised by our own validators, whose words are sentences already, or become some.
OURS = frozenset({"value_error", "assertion_error"})
# Of any other type are errors that our own code makes, with its words.
_KNOWN = frozenset(get_args(ErrorType))


def sentence_of(error: ErrorDetails, code: str | None = None) -> str:
    """One error's sentence; `code` where it is told under another name."""
    code = code or error["type"]
    context: dict[str, Any] = error.get("ctx") or {}
    within = context.get("error")
    if isinstance(within, ValidationError):  # of a validator that asks another model
        return sentence_of(within.errors(include_url=False, include_input=False)[0])
    if code in OURS:
        return _sentence(str(within or "") or ANY_OTHER)
    if error["type"] not in _KNOWN:
        return _sentence(error["msg"])
    if "expected_tags" in context:
        context = {"expected": context["expected_tags"]} | context
    if context.get("field_type") == "Value" and code in {"too_short", "too_long"}:
        code = f"string_{code}"  # of a secret
    if form := FORMS.get(context.get("pattern", "")):
        return form
    return _filled(SENTENCES.get(code, ANY_OTHER), context)


def _filled(sentence: str, context: dict[str, Any]) -> str:
    plain = {name: f"{value:f}" if isinstance(value, Decimal) else value for name, value in context.items()}
    try:
        filled = sentence.format_map(plain)
    except KeyError:
        return ANY_OTHER
    return filled.replace("least 1 characters", "least one character").replace("least 1 entries", "least one entry")


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:].rstrip(".") + "."
