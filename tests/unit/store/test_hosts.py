"""Which hosts are tried, and in which order."""

import pytest

from server.store.engine import connection_parameters
from server.store.hosts import hosts_in_turn

HOSTS = ("host", "hostaddr", "port", "target_session_attrs")


def tried(hosts: str) -> list[tuple[str | None, ...]]:
    parameters = connection_parameters(f"postgresql://{hosts}")
    return [tuple(host.get(name) for name in HOSTS) for host in hosts_in_turn(parameters)]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("PGHOST", "PGHOSTADDR", "PGPORT", "PGTARGETSESSIONATTRS", "PGLOADBALANCEHOSTS"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def test_each_host_is_tried_with_its_port() -> None:
    assert tried("one:1,two:2,[::3]:3/calls") == [
        ("one", None, "1", None),
        ("two", None, "2", None),
        ("::3", None, "3", None),
    ]


def test_one_port_is_that_of_all_hosts() -> None:
    assert tried("/calls?host=one,two&port=7") == [("one", None, "7", None), ("two", None, "7", None)]


def test_addresses_that_are_given_go_with_their_hosts() -> None:
    assert tried("one,two/calls?hostaddr=127.0.0.1,127.0.0.2") == [
        ("one", "127.0.0.1", "", None),
        ("two", "127.0.0.2", "", None),
    ]


def test_no_host_is_the_default_one() -> None:
    assert tried("/calls") == [(None, None, None, None)]


def test_lists_that_do_not_match_are_left_to_libpq_to_refuse() -> None:
    assert tried("/calls?host=one,two&port=1,2,3") == [("one,two", None, "1,2,3", None)]


def test_the_environment_is_asked_for_what_the_url_leaves_open(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("PGHOST", "one,two")
    environment.setenv("PGPORT", "1,2")
    assert tried("/calls") == [("one", None, "1", None), ("two", None, "2", None)]


def test_all_hosts_are_tried_for_a_standby_before_any_other_will_do() -> None:
    assert tried("one:1,two:2/calls?target_session_attrs=prefer-standby") == [
        ("one", None, "1", "standby"),
        ("two", None, "2", "standby"),
        ("one", None, "1", "any"),
        ("two", None, "2", "any"),
    ]


def test_load_is_balanced_over_hosts_by_their_order() -> None:
    orders = {str(tried("one:1,two:2/calls?load_balance_hosts=random")) for _ in range(100)}
    assert len(orders) == 2
