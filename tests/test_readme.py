"""What README.md tells a newcomer is true."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from idms_cli.cli import COMMANDS
from idms_cli.config.calendars import CalendarOptions
from idms_cli.config.channels import (
    ChannelOptions,
    DigestOptions,
    MailChannel,
    NotifyOptions,
    PingChannel,
    WebhookChannel,
)
from idms_cli.config.mail import MailServer, MailSettings
from idms_cli.config.matchoptions import MatchOptions
from idms_cli.config.oauth import ClientCredentials
from idms_cli.config.settings import Connection, SettingsFile
from idms_cli.delivery import local
from idms_cli.delivery.calls.options import AnswerOptions, WebAuth, WebOptions
from idms_cli.delivery.database import DatabaseOptions
from idms_cli.delivery.mails.options import MailOptions, MailTo
from idms_cli.delivery.steps import FileStepOptions, StepOptions
from idms_cli.files.origins.options import AfterOptions, AuthOptions, ExpectOptions, OriginOptions
from idms_cli.jobs import timing
from idms_cli.jobs.job import JobOptions
from idms_cli.jobs.timing import HolidayOptions, ScheduleOptions
from idms_cli.modules import steps
from idms_cli.modules.import_file import ImportOptions
from idms_cli.modules.steps import exec as exec_
from idms_cli.modules.steps import for_each, gate, http, imis, notify, parallel, run, wait
from idms_cli.modules.transfer import TransferOptions
from idms_cli.modules.workflow import WorkflowOptions
from idms_cli.modules.workflows.parameters import ParameterOptions
from idms_cli.records.mapping import Rule
from idms_cli.rows.delta import DeltaOptions
from idms_cli.rows.entity import EntityOptions
from idms_cli.rows.query import QueryOptions
from idms_cli.rows.since import SinceOptions
from idms_cli.sandbox import Sandbox
from tests.conftest import Place

README = Path(__file__).parent.parent / "README.md"


def _blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


def _commands() -> Iterator[list[str]]:
    for block in _blocks("console"):
        for line in re.findall(r"^\$ idms (.+?)(?: +#.*)?$", block, re.MULTILINE):
            yield line.split()


def test_the_first_job_works_as_it_is_written(place: Place, site: Sandbox, url: str) -> None:
    settings, job = _blocks("yaml")[:2]
    place.write("idms.yaml", settings.replace("http://127.0.0.1:8085", url))
    place.write("jobs.d/scores.yaml", job)
    place.write("scores.csv", _blocks("csv")[0])
    place.environment["IDMS_SANDBOX_PASSWORD"] = "sandbox"
    told = {" ".join(words): place.idms(*words) for words in _commands() if words[0] != "sandbox"}
    assert {words: result.returncode for words, result in told.items()} == {
        "check": 0,
        "run scores --dry-run": 1,
        "run scores": 1,
        "status": 0,
        "show 2": 0,
    }
    assert "'31/02/2026' is not a date written as %d/%m/%Y" in told["show 2"].stdout
    assert [write.method for write in site.writes] == ["POST"]
    assert "1 unchanged" in place.idms("run", "scores").stdout


def test_every_command_is_in_the_table() -> None:
    text = README.read_text(encoding="utf-8")
    shown = [name for name, entry in COMMANDS.items() if not entry.hidden]
    assert [name for name in shown if f"`idms {name} " not in text and f"`idms {name}`" not in text] == []


@pytest.mark.parametrize(
    "model",
    [
        *(SettingsFile, Connection, CalendarOptions, JobOptions, ImportOptions, MatchOptions, Rule),
        *(ScheduleOptions, HolidayOptions, timing.AfterOptions),
        *(OriginOptions, ExpectOptions, AfterOptions, AuthOptions, QueryOptions),
        *(TransferOptions, EntityOptions, StepOptions, FileStepOptions, local.Options, DeltaOptions, SinceOptions),
        *(WebOptions, WebAuth, AnswerOptions, ClientCredentials, MailOptions, MailTo, MailServer, MailSettings),
        DatabaseOptions,
        *(WorkflowOptions, ParameterOptions, steps.StepOptions, http.HttpOptions, imis.ImisOptions, exec_.ExecOptions),
        *(wait.WaitOptions, notify.NotifyOptions, gate.Options, run.Options, parallel.Options, for_each.Options),
        *(ChannelOptions, MailChannel, WebhookChannel, PingChannel, NotifyOptions, DigestOptions),
    ],
    ids=lambda model: model.__name__,
)
def test_every_key_is_in_the_reference(model: type[SettingsFile]) -> None:
    text = README.read_text(encoding="utf-8")
    keys = [field.alias or name for name, field in model.model_fields.items()]
    assert [key for key in keys if not re.search(rf"[`{{ ]{key}[`:]", text)] == []


def test_the_wheel_has_every_module(tmp_path: Path) -> None:
    """Built as pip would, and its command answers."""
    root = README.parent
    built = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(root)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    listed = subprocess.run(
        [sys.executable, "-m", "zipfile", "-l", str(wheel)], capture_output=True, text=True, check=True
    )
    missing = [
        str(path.relative_to(root))
        for path in (root / "idms_cli").rglob("*.py")
        if str(path.relative_to(root)) not in listed.stdout
    ]
    assert missing == []
