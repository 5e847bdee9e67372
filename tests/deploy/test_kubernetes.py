"""The manifests: each is built, valid to the letter, and sets only what the programs read."""

import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.deploy.settings_of import READ_BY, image_of
from tests.support.deploy.tools import deploy_tool
from tests.support.machine.toolchains import ROOT

KUBERNETES = ROOT / "deploy" / "kubernetes"
BUILT = ("migrate", "overlays/embedded", "overlays/standalone")
EVERY_KUSTOMIZATION = pytest.mark.parametrize("kustomization", BUILT)
KINDS = {
    "ConfigMap",
    "Deployment",
    "HorizontalPodAutoscaler",
    "NetworkPolicy",
    "PodDisruptionBudget",
    "Service",
    "ServiceAccount",
}

Manifest = dict[str, Any]

pytestmark = pytest.mark.timeout(600)


@cache
def build(kustomization: str) -> str:
    command = [str(deploy_tool("kustomize")), "build", str(KUBERNETES / kustomization)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def manifests(kustomization: str) -> list[Manifest]:
    return list(yaml.safe_load_all(build(kustomization)))


def workloads(kustomization: str) -> Iterator[Manifest]:
    return (each for each in manifests(kustomization) if each["kind"] in ("Deployment", "Job"))


def pods(kustomization: str) -> Iterator[Manifest]:
    return (workload["spec"]["template"] for workload in workloads(kustomization))


def variables(kustomization: str, container: Manifest) -> dict[str, str]:
    """Return what a container's environment has, by the maps that it names and by itself."""
    maps = {each["metadata"]["name"]: each for each in manifests(kustomization)}
    named = [maps[source["configMapRef"]["name"]]["data"] for source in container.get("envFrom", ())]
    own = {entry["name"]: entry["value"] for entry in container.get("env", ())}
    return {name: value for values in (*named, own) for name, value in values.items()}


@EVERY_KUSTOMIZATION
def test_it_is_valid(kustomization: str, tmp_path: Path) -> None:
    built = tmp_path / "built.yaml"
    built.write_text(build(kustomization))
    command = [sys.executable, "-m", "kubernetes_validate", "--strict", "--no-warn", str(built)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "ERROR" not in result.stdout + result.stderr


def test_both_ways_to_serve_have_all_that_keeps_them_up() -> None:
    for kustomization in ("overlays/embedded", "overlays/standalone"):
        assert {each["kind"] for each in manifests(kustomization)} == KINDS


@EVERY_KUSTOMIZATION
def test_it_sets_only_what_the_programs_read(kustomization: str) -> None:
    for pod in pods(kustomization):
        (container,) = pod["spec"]["containers"]
        read = READ_BY[image_of(container["image"])]
        assert set(variables(kustomization, container)) - read == set()


@EVERY_KUSTOMIZATION
def test_containers_have_no_rights_and_nothing_to_write_to(kustomization: str) -> None:
    for pod in pods(kustomization):
        spec = pod["spec"]
        assert not spec["automountServiceAccountToken"]
        assert (spec["securityContext"]["runAsUser"], spec["securityContext"]["runAsNonRoot"]) == (
            10001,
            True,
        )
        (container,) = spec["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        }


@EVERY_KUSTOMIZATION
def test_secrets_are_files(kustomization: str) -> None:
    for pod in pods(kustomization):
        (container,) = pod["spec"]["containers"]
        mounts = [mount["mountPath"] for mount in container.get("volumeMounts", ())]
        for name, value in variables(kustomization, container).items():
            assert not name.endswith(("_SECRET", "_URL", "_KEY", "_TOKEN"))
            assert not name.endswith("_FILE") or str(Path(value).parent) in mounts


@pytest.mark.parametrize("kustomization", ["overlays/embedded", "overlays/standalone"])
def test_a_pod_has_time_to_end(kustomization: str) -> None:
    for pod in pods(kustomization):
        (container,) = pod["spec"]["containers"]
        given = variables(kustomization, container)
        needed = int(given["DRAIN_DELAY_MS"]) + int(given["SHUTDOWN_GRACE_MS"])
        assert pod["spec"]["terminationGracePeriodSeconds"] * 1000 > needed + 5000


def test_envoy_has_a_thread_for_each_cpu_that_its_pod_requests() -> None:
    (container,) = (
        container
        for pod in pods("overlays/standalone")
        for container in pod["spec"]["containers"]
        if container["name"] == "gateway"
    )
    threads = variables("overlays/standalone", container)["ENVOY_CONCURRENCY"]
    assert threads == container["resources"]["requests"]["cpu"]


@pytest.mark.parametrize("kustomization", ["overlays/embedded", "overlays/standalone"])
def test_what_is_selected_is_there(kustomization: str) -> None:
    labels = [pod["metadata"]["labels"] for pod in pods(kustomization)]
    for each in manifests(kustomization):
        spec = each.get("spec", {})
        selector = spec.get("podSelector") or spec.get("selector") or {}
        selected = selector.get("matchLabels", selector)
        if each["kind"] in ("NetworkPolicy", "PodDisruptionBudget", "Service", "Deployment"):
            assert selected["app.kubernetes.io/name"] == "livecalls"
            assert any(selected.items() <= pod.items() for pod in labels), each["metadata"]["name"]
