"""The programs that read the manifests, which Go builds."""

from pathlib import Path

from tests.support.machine.toolchains import ROOT, Tool, build_once, insist_on

_GO = Tool((1, 26), ("go", "version"))
_FOLDER = ROOT / ".build" / "deploy_tools"


def deploy_tool(name: str) -> Path:
    """Build the programs, once in a run of tests, and return the one of the name."""
    insist_on(_GO.missing())
    build_once("deploy_tools", ["make", "deploy-tools"])
    return _FOLDER / name
