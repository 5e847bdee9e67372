"""Any call that the database can hold, for Hypothesis."""

from datetime import UTC, datetime
from types import NoneType
from typing import Any, get_args, get_type_hints

from hypothesis import strategies as st

from server.application.call import MAX_TITLE_LENGTH, Call, CallStatus
from tests.support.data.calls import new_id

moments = st.datetimes(timezones=st.just(UTC))
_characters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
texts = st.text(_characters)

_OF_TYPE = {
    str: texts,
    datetime: moments,
    CallStatus: st.sampled_from(CallStatus),
    NoneType: st.none(),
}
_BY_NAME = {"id": st.builds(new_id), "title": st.text(_characters, max_size=MAX_TITLE_LENGTH)}


def _any_value(hint: Any) -> st.SearchStrategy[Any]:
    """Make any value of a type, or of one of several."""
    return st.one_of(*(_OF_TYPE[kind] for kind in reversed(get_args(hint) or (hint,))))


any_call = st.builds(
    Call, **{name: _any_value(hint) for name, hint in get_type_hints(Call).items()} | _BY_NAME
)
