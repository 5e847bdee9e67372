"""Any call that the database can hold, for Hypothesis."""

from datetime import UTC

from hypothesis import strategies as st

from server.application.call import MAX_TITLE_LENGTH, Call, CallStatus
from tests.support.calls import new_id

moments = st.datetimes(timezones=st.just(UTC))
_characters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
texts = st.text(_characters)

any_call = st.builds(
    Call,
    id=st.builds(new_id),
    host_user_id=texts,
    title=st.text(_characters, max_size=MAX_TITLE_LENGTH),
    scheduled_at=st.none() | moments,
    started_at=st.none() | moments,
    ended_at=st.none() | moments,
    stream_call_id=st.none() | texts,
    stream_call_type=texts,
    recording_url=st.none() | texts,
    recording_ready_at=st.none() | moments,
    status=st.sampled_from(CallStatus),
    created_at=moments,
    updated_at=moments,
)
