from typing import Any

import pytest

from server.auth.claims import read_scopes


@pytest.mark.parametrize(
    ("claims", "scopes"),
    [
        ({}, set()),
        ({"scope": ""}, set()),
        ({"scope": "calls:read"}, {"calls:read"}),
        ({"scope": "a  b c "}, {"a", "b", "c"}),
        ({"scp": "a b"}, {"a", "b"}),
        ({"scp": ["a", "b c"]}, {"a", "b c"}),
        ({"scope": ["a"]}, {"a"}),
        ({"scope": "a", "scp": ["b"]}, {"a", "b"}),
        ({"scope": "a", "scp": None}, {"a"}),
        ({"scp": ["a", 1, None, ["b"], {"c": 1}]}, {"a"}),
        ({"scope": 1, "scp": {"a": True}}, set()),
        ({"scope": True, "scp": 1.5}, set()),
    ],
)
def test_scopes_are_read_from_both_claims(claims: dict[str, Any], scopes: set[str]) -> None:
    assert read_scopes(claims, ("scope", "scp")) == scopes
