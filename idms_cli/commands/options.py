"""`-o NAME=VALUE`: options of a job for one run."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import click

from idms_cli.config.checked import check
from idms_cli.config.documents import parse_document
from idms_cli.config.matchoptions import MatchOptions
from idms_cli.config.problems import ProblemsFound
from idms_cli.config.settings import Settings
from idms_cli.dispatch.reading import find_job
from idms_cli.errors import InputError
from idms_cli.jobs.job import Job
from idms_cli.modules import Matching, Parametrised, Work

_WORDS = {"true": True, "yes": True, "false": False, "no": False}


def match_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The click option, as the argument `given`."""
    text = "An option for this run only, before the job's own: -o on_multiple=error. Repeatable."
    return click.option("-o", "--option", "given", metavar="NAME=VALUE", multiple=True, help=text)(command)


def parameter_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The click option, as the argument `parameters`."""
    text = "A parameter of a workflow: -p since=2026-12-31. Repeatable."
    return click.option("-p", "--parameter", "parameters", metavar="NAME=VALUE", multiple=True, help=text)(command)


def accepted(work: Work, name: str, given: Sequence[str]) -> Mapping[str, str]:
    """What was given with -p. Raises `InputError` for names and values that the job does not take."""
    pairs = {}
    for pair in given:
        word, equals, value = pair.partition("=")
        if not equals:
            raise InputError(f"-p {pair}: a value is missing", hint="Write -p NAME=VALUE.")
        if word.strip() in pairs:
            raise InputError(f"-p {pair}: this parameter is there twice")
        pairs[word.strip()] = value
    if isinstance(work, Parametrised):
        work.refuse_parameters(pairs)
    elif pairs:
        raise InputError(f"{name} takes no parameters: it is no workflow", hint="Leave out -p.")
    return pairs


def find_job_with(settings: Settings, name: str, given: Sequence[str]) -> tuple[Job, Work]:
    """As `find_job`, with these options of the command line before the job's own.

    Raises `InputError` for one that there is not, and for a job that has none.
    """
    options = MatchOptions(**{name: value for pair in given for name, value in _option(pair).written().items()})
    job, work = find_job(replace(settings, given=options), name)
    if given and not isinstance(work, Matching):
        raise InputError(f"{name} has no options: it matches no records", hint="Leave out -o.")
    return job, work


def _option(pair: str) -> MatchOptions:
    name, equals, value = pair.partition("=")
    if not equals:
        raise InputError(f"-o {pair}: a value is missing", hint="Write -o NAME=VALUE, such as -o on_multiple=error.")
    text = json.dumps({name.strip(): _WORDS.get(value.strip().lower(), value.strip())})
    try:
        return check(MatchOptions, parse_document(text.encode(), "-o"))
    except ProblemsFound as found:
        (problem, *_) = found.problems
        raise InputError(f"-o {pair}: {problem.message}", hint=problem.hint) from None
