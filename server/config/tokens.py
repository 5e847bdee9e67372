"""Whose access tokens the server accepts."""

from typing import Annotated, Literal, Self, get_args

from pydantic import Field, FilePath, StringConstraints, field_validator, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from machine.addresses import ProxyUrl
from machine.environment import EnvironmentSettings
from server.config.ca_file import CaFile

# The characters that RFC 6749 allows in a scope.
Scope = Annotated[str, StringConstraints(pattern=r"^[!#-\[\]-~]+$")]
Algorithm = Literal[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"
]  # fmt: skip
"""Signs with a private key (RFC 7518, 8037, 9864): whoever can verify a token cannot make one."""
ALGORITHMS: tuple[Algorithm, ...] = get_args(Algorithm)
NO_AUDIENCE = "none"
"""In place of the name of a claim: tokens for anybody are accepted, on purpose."""


class TokenSettings(EnvironmentSettings):
    """Whose access tokens are accepted, and what they must grant. Lists are separated by spaces."""

    model_config = SettingsConfigDict(env_prefix="AUTH_")

    issuer: Annotated[tuple[str, ...], NoDecode] = ()
    """The `iss` that tokens must carry, to the letter; one of several, separated by spaces."""
    audience: Annotated[tuple[str, ...], NoDecode] = ()
    """What must be in their `aud`; one of several, separated by spaces."""
    audience_claim: str = "aud"
    """The claim that is compared with `AUTH_AUDIENCE`: `client_id`, `azp` or any other; `none` compares
    none."""
    algorithms: Annotated[tuple[Algorithm, ...], NoDecode, Field(min_length=1)] = ALGORITHMS
    """The algorithms that tokens may be signed by, some of these, separated by spaces."""
    token_type: Literal["any", "at+jwt"] = "any"  # noqa: S105 - no secret
    """`at+jwt` requires this `typ` in the header (RFC 9068)."""
    jwks_url: str | None = None
    """The address of the keys that tokens are signed with: `https://`, or `http://` on this machine;
    without it and `AUTH_JWKS_FILE`, each issuer is asked where its keys are."""
    jwks_file: FilePath | None = None
    """The keys as a file; one of the two."""
    jwks_token_file: FilePath | None = None
    """A bearer token for the key server, such as Kubernetes' own, in a file that is read anew each time;
    shown to the host of `AUTH_JWKS_URL`, or of the one `AUTH_ISSUER`, and no other."""
    ca_file: CaFile | None = None
    """The authorities, in PEM, whose certificates issuers may show, and no others; without it the
    system's, as OpenSSL finds them."""
    proxy_url: ProxyUrl | None = None
    """The proxy that issuers are asked through, `http://` or `https://`, with `user:password@` if need
    be; without it that of `HTTPS_PROXY` for `https://`. This machine and what `NO_PROXY` names are asked
    straight."""
    plain_http: Literal["on", "off"] = "off"
    """`on` lets issuers on other machines be asked by `http://`, as in a mesh that encrypts by itself:
    whoever can change what is on that line can let anybody in."""
    scopes: Annotated[frozenset[Scope], NoDecode] = frozenset()
    """Scopes that a token must grant, all of them, separated by spaces."""
    scope_claims: Annotated[tuple[str, ...], NoDecode, Field(min_length=1)] = ("scope", "scp")
    """The claims that grant scopes, separated by spaces; each is a text with spaces, or a list."""
    client_claims: Annotated[tuple[str, ...], NoDecode, Field(min_length=1)] = ("client_id", "azp")
    """The claims that name the caller's client in the log, separated by spaces; the first that a token
    has is shown. `none` shows no client."""

    @property
    def configured(self) -> bool:
        """Whether an issuer is configured."""
        return bool(self.issuer)

    @property
    def has_keys(self) -> bool:
        """Whether a source of the keys that tokens are signed with is configured."""
        return self.jwks_url is not None or self.jwks_file is not None

    @property
    def discovers(self) -> bool:
        """Whether the keys of issuers are discovered, if they are needed."""
        return self.configured and not self.has_keys

    @property
    def allows_plain_http(self) -> bool:
        """Whether requests to issuers on other machines may use http."""
        return self.plain_http == "on"

    @property
    def compares_audience(self) -> bool:
        """Whether tokens must be for an audience."""
        return self.audience_claim != NO_AUDIENCE

    @field_validator(
        "issuer", "audience", "algorithms", "scopes", "scope_claims", "client_claims", mode="before"
    )
    @classmethod
    def _split(cls, value: object) -> object:
        return value.split() if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_way_to_compare(self) -> Self:
        if self.audience and not self.compares_audience:
            raise ValueError("AUTH_AUDIENCE and AUTH_AUDIENCE_CLAIM=none exclude each other: set one")
        return self
