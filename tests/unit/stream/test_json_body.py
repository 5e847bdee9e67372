"""How the body of a response is decoded: what nobody reads of it may be odd."""

import gc

import pytest
from pydantic import BaseModel

from server.adapters.stream.errors import StreamFailedError, UnusableResponseError
from server.adapters.stream.json_body import read_json


class Body(BaseModel):
    number: int


@pytest.mark.parametrize(
    "odd",
    [
        b'"half a pair: \\ud800"',
        b'"not UTF-8: \xff"',
        b'"not UTF-8: \xed\xa0\x80"',
        b"[" * 500 + b"]" * 500,
        b"NaN",
        b"1e999",
        b"9" * 4000,
    ],
)
def test_what_is_odd_and_not_read_spoils_nothing(odd: bytes) -> None:
    assert read_json(b'{"other":' + odd + b',"number":7}', Body).number == 7


def test_of_a_field_that_comes_twice_the_last_counts() -> None:
    assert read_json(b'{"number":6,"number":7}', Body).number == 7


@pytest.mark.parametrize(
    "body", [b"", b"{", b"<html>", b'{"number":7', b'{"number":7} 8', b'{"number":' + b"9" * 5000 + b"}"]
)
def test_what_is_not_json_is_unusable(body: bytes) -> None:
    with pytest.raises(StreamFailedError, match=r"^not JSON$"):
        read_json(body, Body)


def test_what_is_nested_too_deeply_is_unusable() -> None:
    with pytest.raises(StreamFailedError, match=r"^nested too deeply$") as caught:
        read_json(b"[" * 100_000 + b"]" * 100_000, Body)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("body", "field"),
    [(b"null", "body"), (b"[7]", "body"), (b"{}", "number"), (b'{"number":"x"}', "number")],
)
def test_another_shape_is_unusable(body: bytes, field: str) -> None:
    with pytest.raises(UnusableResponseError, match=f"^unusable response: {field}$"):
        read_json(body, Body)


def test_the_body_is_not_quoted() -> None:
    with pytest.raises(UnusableResponseError) as caught:
        read_json(b'{"number":"private"}', Body)
    assert "private" not in f"{caught.value!r}{caught.value.__cause__!r}"


def test_the_objects_of_a_large_body_are_not_traversed_again_and_again() -> None:
    collections: list[str] = []

    def note(phase: str, _: dict[str, int]) -> None:
        collections.append(phase)

    gc.collect()  # or one could be due just as it begins
    gc.callbacks.append(note)
    try:
        read_json(b'{"other":["\\ud800"' + b",[]" * 100_000 + b'],"number":7}', Body)
    finally:
        gc.callbacks.remove(note)
    assert collections.count("start") <= 1
