"""Options of Envoy's own, as they follow `--` on the command line."""

from collections.abc import Sequence


def value_of(option: str, options: Sequence[str]) -> str | None:
    """Return the value behind an option; None without it."""
    return options[options.index(option) + 1] if option in options[:-1] else None


def take_option(option: str, options: Sequence[str]) -> tuple[str | None, Sequence[str]]:
    """Return the value behind an option, None without it, and the options without both."""
    value = value_of(option, options)
    if value is None:
        return None, options
    place = options.index(option)
    return value, (*options[:place], *options[place + 2 :])
