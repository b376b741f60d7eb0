"""The entry point: `idms`, and `python -m idms_cli`."""

import gc
import os
import sys

SYSTEM_CONFIG = "/etc/idms/idms.yaml"


def main() -> None:
    """What the command does, and the exit code of who presses Ctrl-C while it is still loading."""
    try:
        _answer()
    except KeyboardInterrupt:
        sys.stderr.write("idms: interrupted\n")
        sys.exit(130)


def _answer() -> None:
    """Answer an idle `run-due` at a glance; everything else goes through the command line's one way."""
    arguments = sys.argv[1:]
    config = _config_of_plain_run_due(arguments)
    if config:
        from idms_cli.dispatch.glance import had_nothing_to_do  # noqa: PLC0415 - each way loads only what it needs

        if had_nothing_to_do(config):
            return
    # Hundreds of modules are loaded, and nothing of them is garbage: looking for it takes a tenth of the time.
    gc.disable()
    from idms_cli.cli import run  # noqa: PLC0415

    sys.exit(run(arguments))


def _config_of_plain_run_due(arguments: list[str]) -> str:
    """The idms.yaml that a plain `run-due` would read; '' when the command line is another one.

    `--wait` is plain: with nothing to do there is nothing to wait for.
    """
    if arguments[-1:] == ["--wait"]:
        arguments = arguments[:-1]
    if arguments == ["run-due"]:
        named = os.environ.get("IDMS_CONFIG")
        places = [named] if named else ["idms.yaml", SYSTEM_CONFIG]
        return next(filter(os.path.exists, places), "")
    if len(arguments) == 3 and arguments[0] == "--config" and arguments[2] == "run-due":
        return arguments[1]
    return ""


if __name__ == "__main__":
    main()
