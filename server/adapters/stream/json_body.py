"""Decodes a response of Stream, and of what it says makes no more objects than are read."""

import json
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from machine.gc import gc_paused
from server.adapters.stream.errors import UnreadableResponseError, UnusableResponseError

Model = TypeVar("Model", bound=BaseModel)


def read_json(body: bytes, model: type[Model]) -> Model:
    """Read the JSON of a response as a model.

    Raises UnreadableResponseError if it is not JSON, and UnusableResponseError if it is not the model's.
    """
    try:
        with gc_paused():
            return _validate(body, model)
    except ValidationError as error:
        # Without its cause, which quotes the response.
        raise UnusableResponseError(field_of(error)) from None
    except ValueError:
        raise UnreadableResponseError("not JSON") from None
    except RecursionError:
        # Without its cause, a traceback of a thousand frames.
        raise UnreadableResponseError("nested too deeply") from None


def field_of(error: ValidationError) -> str:
    """Return the field that is not as it should be."""
    return ".".join(str(part) for part in error.errors(include_input=False)[0]["loc"]) or "body"


def _validate(body: bytes, model: type[Model]) -> Model:
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        if error.errors(include_input=False)[0]["type"] != "json_invalid":
            raise
    # Participants may have put something odd where nobody reads: half of a surrogate pair, bytes that
    # are not UTF-8, deep nesting. This reader takes it, in four times as long.
    return model.model_validate(json.loads(body.decode(errors="replace")))
