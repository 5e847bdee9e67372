"""What is set in PostgreSQL whatever the role, the database or the environment prefer.

It is set by SQL, for poolers refuse `options` at the start of a session: once for a session, or for each
transaction if a pooler may lend the session to another client after it.
"""

import re
from collections.abc import Mapping

READ_COMMITTED = "SET transaction_isolation TO 'read committed'"
"""Makes a transaction READ COMMITTED as its first statement: a hot standby has no SERIALIZABLE."""


def settings_of_reads(statement_timeout_ms: int, options: str) -> dict[str, str]:
    """Return the settings that the server's reads rely on; `options` are those of the URL.

    A row that row level security hides would be a call that does not exist: it is an error instead, as
    pg_dump has it, unless the URL has it otherwise.
    """
    hides = {} if re.search(r"\brow_security\b", options) else {"row_security": "off"}
    return {
        **hides,
        "statement_timeout": str(statement_timeout_ms),
        "default_transaction_isolation": "read committed",
    }


def settings_of_commands(statement_timeout_ms: int, options: str) -> dict[str, str]:
    """Return the settings that commands rely on: the driver reads times in ISO's style alone."""
    in_text = {"datestyle": "ISO", "timezone": "UTC"}
    return {**settings_of_reads(statement_timeout_ms, options), **in_text}


def setting(settings: Mapping[str, str], *, for_transaction: bool) -> str:
    """Write the SELECT that sets them, for a transaction or for all of a session.

    Its first value is the id of the process that runs it. A pooler reports ids of its own.
    """
    calls = (f"set_config('{name}', '{value}', {for_transaction})" for name, value in settings.items())
    return f"SELECT {', '.join(('pg_backend_pid()', *calls))}"
