"""Third-party clients of the service, and how each is built."""

import subprocess
from dataclasses import dataclass
from functools import cache

from tests.support.machine.toolchains import ROOT, Tool, build_once, insist_on

BUILT = ROOT / ".build/clients"
_TOOLS = {
    "go": Tool((1, 26), ("go", "version")),
    "rust": Tool((1, 88), ("cargo", "--version")),
}

Ran = subprocess.CompletedProcess[str]


@dataclass(frozen=True)
class Program:
    """A program, by the folder that builds it and by its file."""

    language: str
    file: str

    def build(self) -> None:
        """Build it, once; if its toolchain is missing, fail in CI and else skip."""
        insist_on(_missing(self.language))
        _build(self.language)

    def __call__(self, *arguments: str) -> Ran:
        """Run it, and return what it printed."""
        command = [str(BUILT / self.file), *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)


GRPCURL = Program("go", "grpcurl")
GHZ = Program("go", "ghz")
HEALTH_PROBE = Program("go", "grpc-health-probe")
TONIC = Program("rust", "rust/debug/tonic-client")


@cache
def _missing(language: str) -> str:
    missing = _TOOLS[language].missing()
    return missing and f"clients in {language} need {missing}"


@cache
def _build(language: str) -> None:
    build_once(f"clients-{language}", [ROOT / "tests/clients" / language / "build"])
