"""Settings printed for people: each with its value and where that is from, and no secret."""

import os
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from pydantic import SecretStr
from pydantic_settings import BaseSettings

HIDDEN = "***"
_NO_OPTIONS: Mapping[str, object] = MappingProxyType({})
# The credentials before the host and the query may hold secrets; an `@` behind them begins none.
_URL = re.compile(
    r"(?P<scheme>[\w+.-]+://)(?P<user>[^@/?#\s]*@)?(?P<place>[^@?#\s]*)(?P<query>\?[^@#\s]*)?"
)

# A password in the place of a port, for want of an `@`; parameters in the path, for want of a `?`.
_ODD_PLACE = re.compile(r"[^/]*:(?!\d+([,/]|$)).*|.*([=&;]|%3[bdf]).*", re.IGNORECASE)
_IPV6 = re.compile(r"\[[^\]]*\]")
_KEY = "-----BEGIN"


def describe_path(path: Path) -> str:
    """Return a path to be printed, hidden if the content of its file is in its place."""
    return HIDDEN if _has_key(str(path)) else str(path)


def describe_settings(
    groups: Iterable[BaseSettings], options: Mapping[str, object] = _NO_OPTIONS, separator: str = " "
) -> Iterator[str]:
    """Yield a line NAME=value for each setting, as a shell reads it, and behind `#` its source.

    Options of the command line, by the names of their settings, go before the environment; one that is
    None was not given. Values of secrets are hidden, and of URLs what may be one. The separator is that
    of lists in the environment.
    """
    given = {name.upper() for name, value in os.environ.items() if value}
    for group in groups:
        for name in type(group).model_fields:
            setting = _setting(group, name)
            option = options.get(setting.variable)
            value = setting.value if option is None else option
            source = _source(setting, given) if option is None else "option"
            text = _hide(setting, value, separator)
            yield f"{setting.variable}={shlex.quote(text) if text else ''}  # {source}"


def write_value(value: object, separator: str = " ") -> str:
    """Write a value as the environment would have it."""
    if value is None:
        return ""
    if isinstance(value, frozenset):
        value = tuple(sorted(value))
    if isinstance(value, tuple):
        return separator.join(value)
    return f"{value:g}" if isinstance(value, bool | float) else str(value)


class _Setting(NamedTuple):
    variable: str
    value: object
    is_credential: bool


def _setting(group: BaseSettings, name: str) -> _Setting:
    variable = f"{group.model_config.get('env_prefix', '')}{name}".upper()
    return _Setting(variable, getattr(group, name), name in getattr(group, "credentials", ()))


def _source(setting: _Setting, given: set[str]) -> str:
    if setting.variable in given:
        return "environment"
    file = f"{setting.variable}_FILE"
    return f"file, by {file}" if setting.is_credential and file in given else "default"


def _hide(setting: _Setting, value: object, separator: str) -> str:
    """Write a value without what is secret in it."""
    if value is not None and (setting.is_credential or isinstance(value, SecretStr)):
        text = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        return _hide_in_url(text) if setting.variable.endswith("_URL") else HIDDEN
    text = write_value(value, separator)
    if _has_key(text):
        return HIDDEN
    parts = text.split(separator) if isinstance(value, tuple | frozenset) else [text]
    return separator.join(_hide_in_url(part) if "://" in part else part for part in parts)


def _has_key(text: str) -> bool:
    return _KEY in text or not text.isprintable()


def _hide_in_url(text: str) -> str:
    match = _URL.fullmatch(text)
    if match is None or _ODD_PLACE.fullmatch(_IPV6.sub("", match["place"])):
        return HIDDEN
    user = f"{HIDDEN}@" if match["user"] else ""
    query = f"?{HIDDEN}" if match["query"] else ""
    return f"{match['scheme']}{user}{match['place']}{query}"
