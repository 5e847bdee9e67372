import pytest
from pydantic import SecretStr

from server.config.database import DatabaseSettings
from server.store.calls import StoredCalls
from server.store.engine import DatabaseUrlError, connection_parameters, write_engine

UNUSABLE = [
    "",
    "hunter2",
    "mysql://user:hunter2@host/calls",
    "host=somewhere password=hunter2",
    "postgresql://user:hunter2 5@host/calls",
    "postgresql://user:hunter2/5@host/calls",
    "postgresql://user:5/hunter2@host/calls",
    "postgresql://user:x@hunter2@host/calls",
    "postgresql://user:hunter2@host:port/calls",
    "postgresql://user:p@hunter2@host/calls",
    "postgresql://user:hunter2@host/calls?hunter2=1",
]


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_the_url_is_read_as_libpq_reads_it(scheme: str) -> None:
    url = f"{scheme}://user:p%40ss@host:5433/calls?sslmode=verify-full&host=/run/postgresql"
    expected = {
        "user": "user",
        "password": "p@ss",
        "port": "5433",
        "dbname": "calls",
        "sslmode": "verify-full",
        "host": "/run/postgresql",
    }
    assert expected.items() <= connection_parameters(url).items()


def test_what_the_url_says_goes_before_what_is_usual() -> None:
    url = "postgresql://host/calls?application_name=mine&keepalives_idle=7"
    parameters = connection_parameters(url)
    assert (parameters["application_name"], parameters["keepalives_idle"]) == ("mine", "7")


def test_options_are_those_of_the_url_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGOPTIONS", "-c jit=off")
    url = "postgresql://host/calls?options=-c%20work_mem%3D8MB"
    assert connection_parameters(url)["options"] == "-c work_mem=8MB"
    assert connection_parameters("postgresql://host/calls")["options"] == ""


@pytest.mark.parametrize("url", UNUSABLE)
def test_an_unusable_url_is_said_to_be_one_without_its_password(url: str) -> None:
    with pytest.raises(DatabaseUrlError, match="DATABASE_URL is no URL of PostgreSQL") as failure:
        connection_parameters(url)
    assert "hunter2" not in str(failure.value)
    assert failure.value.__context__ is None


def test_the_engine_of_the_commands_refuses_an_unusable_url_at_once() -> None:
    with pytest.raises(DatabaseUrlError):
        write_engine("mysql://host/calls")


def test_a_missing_url_is_said_to_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with pytest.raises(DatabaseUrlError, match="DATABASE_URL is not set"):
        StoredCalls(DatabaseSettings())


def test_the_store_does_not_show_its_url() -> None:
    url = "postgresql://user:hunter2@host/calls"
    assert "hunter2" not in repr(StoredCalls(DatabaseSettings(url=SecretStr(url))))
    assert "hunter2" not in repr(write_engine(url))
