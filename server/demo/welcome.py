"""What the demo says when all of it answers."""

import sys

from server.demo.database import DemoDatabase
from server.demo.plan import Plan
from server.demo.sample_calls import ON_AIR, sample_id

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

  REST   http://{rest}/v1/live/calls/{{id}}
  gRPC   {grpc}, and {rest} through Envoy: livecalls.v1.LiveCalls/GetCall
  Envoy  http://{admin} (its admin page)

By REST:

  curl -i http://{rest}/v1/live/calls/{on_air}

By gRPC, in Python:

{python} - <<'PYTHON'
import grpc
from livecalls.v1.live_calls_pb2 import GetCallRequest
from livecalls.v1.live_calls_pb2_grpc import LiveCallsStub

with grpc.insecure_channel("{grpc}") as channel:
    print(LiveCallsStub(channel).GetCall(GetCallRequest(id="{on_air}"), timeout=2))
PYTHON
{samples}{stand_in}
Ctrl-C ends all of it.
"""

_SAMPLES = """
The sample calls, which import, export and check find at this URL:

  export DATABASE_URL='{url}'

{calls}"""

_STAND_IN = """
To play with what Stream says of a call, such as that it has ended:

  curl -X PUT http://{address}/stand-in/calls/livestream/{call} -d '{{"state": "ended"}}'
"""


def welcome(demo: Plan, database: DemoDatabase) -> str:
    """Write where each face listens and how to call it, ready to be pasted."""
    return _TEXT.format(
        rest=demo.rest_address,
        grpc=demo.grpc_address,
        admin=demo.admin_address,
        python=sys.executable,
        on_air=sample_id(2),
        samples=_samples(database),
        stand_in=_stand_in(demo),
    )


def _samples(database: DemoDatabase) -> str:
    if database.embedded is None:
        return ""
    calls = "".join(f"  {sample_id(digit)}  {what}\n" for digit, what in _CALLS)
    return _SAMPLES.format(url=database.url, calls=calls)


def _stand_in(demo: Plan) -> str:
    if demo.stand_in_address is None:
        return ""
    return _STAND_IN.format(address=demo.stand_in_address, call=ON_AIR)
