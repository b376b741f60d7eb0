"""What the refusal of a query means: it is not there, not open to programs, or not for this account."""

from idms_cli.errors import IdmsError, InputError, RecordRefused, SiteError
from idms_cli.imis.assumptions import QUERY_NOT_FOUND
from idms_cli.imis.getter import Getter
from idms_cli.imis.querydefinitions import Told, ask_for

COPY_PATH = "Copy the path from iMIS (RiSE > Intelligent Query Architect); it begins with $/ and names every folder."
# https://help.imis.com/enterprise/features/rise/iqa/granting_queries_access_to_the_rest_api.htm
SWITCH_ON = (
    "In iMIS, open it in RiSE > Intelligent Query Architect, and switch on 'Available via the REST API' on its tab "
    "Security."
)
PERMIT = "Let this user in on the tab Security of the query, and of the folder that it is in."
PROMPTS = "Are all prompts answered, in their order, and do they compare with Equal?"


def is_not_found(refused: RecordRefused) -> bool:
    """Whether the site says, with the status of a bad request, that it has no such query (A10)."""
    return refused.status == 400 and QUERY_NOT_FOUND in str(refused).casefold()


def translated(site: Getter, refused: RecordRefused, path: str) -> IdmsError:
    """The refusal in words for whoever wrote the query into a job; asks the site what it knows of the query."""
    if refused.status == 403:
        return SiteError(f"The account may not run the query {path} ({refused}).", hint=PERMIT)
    if refused.status in {404, 405, 501} or is_not_found(refused):
        return _absent(ask_for(site, path), path, refused)
    return SiteError(f"The site refuses the query {path} ({refused}).", hint=PROMPTS)


def _absent(told: Told, path: str, refused: RecordRefused) -> InputError:
    if told.is_missing:
        return InputError(f"The site has no query {path} ({refused}).", hint=COPY_PATH)
    if told.definition is not None:
        return InputError(f"The query {path} is there, but not open to programs ({refused}).", hint=SWITCH_ON)
    return InputError(
        f"The site has no query {path}, or does not open it to programs ({refused}). It does not tell which: "
        f"{told.untold}.",
        hint=f"{COPY_PATH} {SWITCH_ON}",
    )
