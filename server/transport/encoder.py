"""Encoders of the application's dataclasses, made from their fields."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, TypeVar

from google.protobuf.message import Message

Source = TypeVar("Source")
Target = TypeVar("Target", bound=Message)


def compile_encoder(
    source: type[Source], message: type[Target], **converted: Mapping[Any, Any]
) -> Callable[[Source], Target]:
    """Compile a function that makes a message of a dataclass, field by field of the same name.

    Values are passed as they are, but for the fields in `converted`, whose values are looked up there.
    The function raises ValueError if the message has no field of some name.
    """
    names = [field.name for field in fields(source)]  # type: ignore[arg-type]  # a dataclass
    values = (f"{name}[source.{name}]" if name in converted else f"source.{name}" for name in names)
    arguments = ", ".join(f"{name}={value}" for name, value in zip(names, values, strict=True))
    # Code, as dataclasses' own __init__ is: a dictionary of arguments would take a tenth longer.
    encode: Callable[[Source], Target] = eval(  # noqa: S307 - of names in our own code
        f"lambda source: message({arguments})", {"message": message, **converted}
    )
    return encode
