import os

# Some tests serve gRPC in threads of their own process, and start other programs beside them:
# gRPC would write a line about each of these.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"

pytest_plugins: list[str] = [
    "tests.support.golden",
    "tests.support.key_server",
    "tests.support.postgres",
    "tests.support.stream",
]
