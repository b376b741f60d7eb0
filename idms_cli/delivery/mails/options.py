"""What a step that sends a mail may say."""

from typing import Annotated

from pydantic import AfterValidator, Field

from idms_cli.config.checked import Section
from idms_cli.config.fields import ListOf, Size
from idms_cli.config.mail import MailServer, Person, PersonText
from idms_cli.config.problems import BadValue
from idms_cli.delivery.steps import FileStepOptions
from idms_cli.delivery.texts import Template, TemplateText, parse_template


def _one_line(template: Template) -> Template:
    if not template.source.isprintable():
        raise BadValue("a subject is one line", hint="write it in one line, without a tab")
    return template


def _somebody(people: tuple[Person, ...]) -> tuple[Person, ...]:
    if not people:
        raise BadValue("nobody is named", hint="write mail: [ops@example.org]")
    return people


class MailTo(Section):
    """Where a mail goes."""

    mail: Annotated[ListOf[PersonText], AfterValidator(_somebody)] = Field(
        description="Addresses: [ops@example.org, 'Zoë <zoe@example.org>']."
    )


class MailOptions(FileStepOptions):
    """All that a step that sends a mail may say."""

    to: MailTo
    cc: ListOf[PersonText] = Field(default=(), description="Who gets it too, for all to see.")
    bcc: ListOf[PersonText] = Field(default=(), description="Who gets it too, unseen.")
    from_: PersonText | None = Field(default=None, alias="from", description="Who sends it; else the one of idms.yaml.")
    reply_to: PersonText | None = Field(default=None, description="Who gets the answers.")
    subject: Annotated[TemplateText, AfterValidator(_one_line)] = Field(
        default=parse_template("{{ job }}"), description="A template."
    )
    body: TemplateText = Field(
        default=parse_template("{{ job }}: {{ count }} rows.\n"), description="The text, a template."
    )
    html: TemplateText | None = Field(default=None, description="The text once more, for those who can show HTML.")
    server: MailServer | None = Field(default=None, description="Who takes the mail; else the one of idms.yaml.")
    max_size: Size = Field(default=20_000_000, gt=0, description="Bytes of the whole mail, as it travels.")

    @property
    def wants_files(self) -> bool:
        return self.format is not None or self.file is not None

    @property
    def people(self) -> tuple[Person, ...]:
        """All who get it, each once."""
        return tuple({person.address: person for person in (*self.to.mail, *self.cc, *self.bcc)}.values())
