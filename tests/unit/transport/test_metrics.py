from google.rpc import code_pb2

from server.transport.metrics import MethodMetrics
from tests.support.callers.metrics import growing

# As google.golang.org/grpc/codes names them, in the order of their numbers.
CODES = (
    *("OK", "Canceled", "Unknown", "InvalidArgument", "DeadlineExceeded", "NotFound", "AlreadyExists"),
    *("PermissionDenied", "ResourceExhausted", "FailedPrecondition", "Aborted", "OutOfRange"),
    *("Unimplemented", "Internal", "Unavailable", "DataLoss", "Unauthenticated"),
)
GET_CALL = MethodMetrics("livecalls.v1.LiveCalls", "GetCall")
LABELS = 'grpc_method="GetCall",grpc_service="livecalls.v1.LiveCalls",grpc_type="unary"'


def test_codes_have_their_names_in_go() -> None:
    assert len(CODES) == len(code_pb2.Code.values())
    for number, name in enumerate(CODES):
        grown = {
            f'grpc_server_handled_total{{grpc_code="{name}",{LABELS}}}': 1,
            f"grpc_server_handling_seconds_count{{{LABELS}}}": 1,
        }
        with growing(grown):
            GET_CALL.record_end(number, 0.1)
