pytest_plugins: list[str] = [
    "tests.support.golden",
    "tests.support.postgres",
    "tests.support.stream",
]
