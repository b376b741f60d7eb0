"""`idms sandbox`: a small stand-in for an iMIS site on this machine, to try jobs against."""

import ipaddress
import shlex
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from idms_cli.errors import InputError
from idms_cli.sandbox import Sandbox
from idms_cli.sandbox.faults import FAULTS, parse_fault
from idms_cli.sandbox.server import serve
from idms_cli.sandbox.site import PASSWORD, TWO_WEEKS_S, USER

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
FAULT_HELP = "Make something go wrong, e.g. --fault page-overlap=0.1. Names: " + ", ".join(FAULTS) + "."


@click.command("sandbox", short_help="Serve a small iMIS site on this machine.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Loopback address to listen on.")
@click.option("--port", default=8085, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option("--data", type=click.Path(dir_okay=False, path_type=Path), help="Keep the records in this file.")
@click.option("--latency", default=0.0, type=click.FloatRange(0, 60_000), help="Milliseconds added to each request.")
@click.option("--slow", default=3.0, type=click.FloatRange(0, 600), help="Seconds that the fault slow-page takes.")
@click.option("--fault", "faults", multiple=True, metavar="NAME=RATE", help=FAULT_HELP)
@click.option("--user", default=USER, show_default=True, help="The account that may log in.")
@click.option("--password", default=PASSWORD, show_default=True, help="Its password.")
@click.option("--put-status", default="200", type=click.Choice(["200", "201"]), help="Old sites answer a PUT with 201.")
@click.option(
    "--put-missing",
    default="keep",
    type=click.Choice(["keep", "blank"]),
    help="What a PUT does to members that it leaves out.",
)
@click.option("--token-life", default=TWO_WEEKS_S, type=click.IntRange(1), help="Seconds that a token lasts.")
@click.option("--keep-old-tokens", is_flag=True, help="A new token does not end the user's old one.")
@click.option(
    "--members", default=300, show_default=True, type=click.IntRange(0, 100_000), help="Contacts at the start."
)
@click.option("--seed", default=1, show_default=True, type=int, help="Same seed, same members and faults.")
@click.option(
    "--ready-file", type=click.Path(dir_okay=False, path_type=Path), help="Write the URL here once it listens."
)
def command(**options: Any) -> None:
    """Serve a small iMIS site on this machine until Ctrl-C: members, panels, activities and queries, all made up.

    Nothing here is a real person, and nothing leaves the machine. http://127.0.0.1:8085/ shows what was written.
    """
    require_loopback(options["host"])
    site = _site(options)
    site.save()  # a file that cannot be written is told now, not at the end
    try:
        with _signals_held(), serve(site, host=options["host"], port=options["port"]) as url:
            _announce(url, options)
            signal.sigwait(STOP_SIGNALS)
    except OSError as error:
        raise InputError(
            f"The sandbox cannot listen on {options['host']} port {options['port']}: {error.strerror}.",
            hint="Choose another port, or --port 0 for a free one.",
        ) from error
    click.echo("The sandbox has stopped." + (f" Its records are in {site.data}." if site.data else ""))


@contextmanager
def _signals_held() -> Iterator[None]:
    """Stop signals wait for `sigwait`, however many come at once. Entered before any thread starts: none takes them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        yield
    finally:
        while signal.sigpending() & set(STOP_SIGNALS):
            signal.sigwait(STOP_SIGNALS)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def require_loopback(host: str) -> None:
    """Raise `InputError` unless only this machine can reach the address."""
    try:
        inside = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        inside = False
    if not inside:
        raise InputError(
            f"--host {host} could be reached from other machines.",
            hint="The sandbox checks next to nothing, so it listens on 127.0.0.1, ::1 or localhost only.",
        )


def _site(options: dict[str, Any]) -> Sandbox:
    return Sandbox(
        users={options["user"]: options["password"]},
        members=options["members"],
        seed=options["seed"],
        faults_at=dict(map(parse_fault, options["faults"])),
        latency_s=options["latency"] / 1000,
        slow_s=options["slow"],
        put_status=int(options["put_status"]),
        put_missing=options["put_missing"],
        token_life_s=options["token_life"],
        one_token_per_user=not options["keep_old_tokens"],
        data=options["data"],
    )


def _announce(url: str, options: dict[str, Any]) -> None:
    click.echo(f"""The sandbox is at {url} (Ctrl-C stops it).

Point idms.yaml to it:

  connections:
    sandbox:
      url: {url}
      username: {options["user"]}
      password: {{env: IDMS_SANDBOX_PASSWORD}}

and set the password: export IDMS_SANDBOX_PASSWORD={shlex.quote(options["password"])}
What was written, and how many calls came: {url}/""")
    if options["ready_file"] is not None:
        _write_ready_file(options["ready_file"], url)


def _write_ready_file(path: Path, url: str) -> None:
    temporary = path.with_name(path.name + ".new")
    try:
        temporary.write_text(url + "\n", encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        raise InputError(f"The ready file {path} cannot be written: {error.strerror}.") from error
