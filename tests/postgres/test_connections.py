"""The connections that the server keeps."""

from server.demo.postgres import EmbeddedPostgres
from server.store.bulk import all_calls
from tests.support.calls import CALL_ID, PLAIN_CALL
from tests.support.postgres import execute, make_standby, store_call, stored_calls


async def test_a_hot_standby_is_read_though_serializable_is_the_default(
    own_postgres: EmbeddedPostgres,
) -> None:
    store_call(own_postgres.url)
    execute(own_postgres.url, "ALTER DATABASE postgres SET default_transaction_isolation = serializable")
    make_standby(own_postgres)
    async with stored_calls(own_postgres.url) as calls:
        assert await calls.find(CALL_ID) == PLAIN_CALL
    assert list(all_calls(own_postgres.url)) == [PLAIN_CALL]
