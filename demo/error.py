"""Why the demo does not run."""


class DemoError(Exception):
    """The demo cannot start; the message advises what to do."""
