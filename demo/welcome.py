"""What the demo prints once all of it responds."""

import sys
from shlex import quote

from demo.access import Access
from demo.database import DemoDatabase
from demo.plan import Plan
from demo.sample_calls import ON_AIR, sample_id

_CALLS = (
    (1, "scheduled for tomorrow, not at Stream yet"),
    (2, "live, and on air at Stream"),
    (3, "ended, with a recording"),
    (4, "errored"),
    (5, "live, but Stream never answers: live is null, in time"),
    (6, "live, in backstage at Stream; an odd title"),
)

_TEXT = """
LiveCalls answers.

  REST   {url}/v1/live/calls/{{id}}
  pages  {url}/calls/{{id}} shows a call's status, and {url}/docs the API
  gRPC   {grpc}: livecalls.v1.LiveCalls/GetCall
  Envoy  http://{admin} (its admin page)
{metrics}
By REST:

{token}  curl -i {curl}{call_url}

By gRPC, in Python:

{python} - <<'PYTHON'
{imports}import grpc
from livecalls.v1.live_calls_pb2 import GetCallRequest
from livecalls.v1.live_calls_pb2_grpc import LiveCallsStub

{channel}
with channel:
    print(LiveCallsStub(channel).GetCall(GetCallRequest(id="{on_air}"), timeout=2{metadata}))
PYTHON
{another}{revoke}{samples}{stand_in}
Ctrl-C ends all of it.
"""

_METRICS = """  stats  http://{}/metrics (for Prometheus)
"""

_PLAIN_CHANNEL = 'channel = grpc.insecure_channel("{grpc}")'

_TLS_CHANNEL = """names = ("ca.pem", "caller.key", "caller.pem")
files = [Path("{folder}", name).read_bytes() for name in names]
channel = grpc.secure_channel("{grpc}", grpc.ssl_channel_credentials(*files))"""

_METADATA = """, metadata=[
        ("authorization", "Bearer " + os.environ["ACCESS_TOKEN"]),
    ]"""

_ANOTHER = """
The token is good for a day. `make -s token` prints another, for SCOPES="a b" and TTL=60 seconds.
"""

_REVOKE = """
The token is opaque: the server asks the demo's issuer about it, and remembers the answer for
{seconds:g} s. To revoke it, upon which callers who show it get 401 within that time:

  curl -d token="$ACCESS_TOKEN" -i {url}
"""

_SAMPLES = """
The sample calls, in the database on which `import` and `export` work so:

  DATABASE_URL={url} {python} -m server export

{calls}"""

_STAND_IN = """
To play with what Stream says of a call, such as that it has ended:

  curl -X PUT http://{address}/stand-in/calls/livestream/{call} -d '{{"state": "ended"}}'
"""


def welcome(demo: Plan, database: DemoDatabase, access: Access) -> str:
    """Return the address of each API and how to call it, ready to be pasted."""
    return _TEXT.format(
        url=demo.rest_url,
        # Some shells take the brackets of IPv6 for a pattern of file names.
        call_url=quote(f"{demo.rest_url}/v1/live/calls/{sample_id(2)}"),
        grpc=_grpc_addresses(demo),
        admin=demo.admin_address,
        metrics="".join(map(_METRICS.format, demo.metrics_addresses)),
        curl=_curl_options(access),
        python=sys.executable,
        channel=_channel(demo, access),
        token=f"  export ACCESS_TOKEN={access.token}\n" if access.token else "",
        imports=_imports(access),
        metadata=_METADATA if access.token else "",
        on_air=sample_id(2),
        another=_ANOTHER if access.issued else "",
        revoke=_revoke(access),
        samples=_samples(database),
        stand_in=_stand_in(demo),
    )


def _grpc_addresses(demo: Plan) -> str:
    straight = [address for address in demo.grpc_addresses if address != demo.rest_address]
    through = f"{demo.rest_address} through Envoy"
    return f"{', '.join(straight)}, and {through}" if straight else demo.rest_address


def _curl_options(access: Access) -> str:
    trust = f"--cacert {quote(str(access.certificates.ca_file))} " if access.certificates else ""
    bearer = '-H "Authorization: Bearer $ACCESS_TOKEN" ' if access.token else ""
    return trust + bearer


def _imports(access: Access) -> str:
    needed = {"import os\n": access.token, "from pathlib import Path\n": access.certificates}
    lines = "".join(line for line, needing in needed.items() if needing)
    return f"{lines}\n" if lines else ""


def _channel(demo: Plan, access: Access) -> str:
    grpc = demo.grpc_addresses[0]
    if access.certificates is None:
        return _PLAIN_CHANNEL.format(grpc=grpc)
    return _TLS_CHANNEL.format(grpc=grpc, folder=access.certificates.folder)


def _revoke(access: Access) -> str:
    if access.issuer is None:
        return ""
    return _REVOKE.format(seconds=access.cache_seconds, url=access.issuer.revocation_url)


def _samples(database: DemoDatabase) -> str:
    if database.embedded is None:
        return ""
    calls = "".join(f"  {sample_id(digit)}  {what}\n" for digit, what in _CALLS)
    return _SAMPLES.format(url=quote(database.url), python=sys.executable, calls=calls)


def _stand_in(demo: Plan) -> str:
    if demo.stand_in_address is None:
        return ""
    return _STAND_IN.format(address=demo.stand_in_address, call=ON_AIR)
