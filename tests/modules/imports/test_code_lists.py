"""`validate_codes`: codes that the site keeps in a table are read once, and checked before anything is written."""

from dataclasses import replace
from typing import Any

import pytest

from idms_cli.config.problems import ProblemsFound
from idms_cli.sandbox import Sandbox
from idms_cli.sandbox.definitions import VISITS, CodesOf
from tests.modules.imports.office import Office, job, writes

REGION = CodesOf("GenTable", "Code", "Description", where=(("TableName", "REGION"),))
HEADER = "member,region,topic\n"


def visits(**options: Any) -> dict[str, Any]:
    mapped = {"ID": "member", "Region": "region", "Topic": "topic"}
    return job(**{"destination": {"panel": "ABC_Visits"}, "action": "insert", "map": mapped, **options})


def calls(site: Sandbox, entity: str) -> int:
    return int(site.calls["calls"].get(f"GET {entity}", 0))


def with_region(site: Sandbox, codes_of: CodesOf) -> None:
    """The same panel, whose regions come from elsewhere."""
    changed = [replace(one, codes_of=codes_of) if one.name == "Region" else one for one in VISITS.properties]
    site.add_entity(replace(VISITS, properties=tuple(changed)))


def test_a_code_that_its_table_does_not_have_rejects_the_row_with_a_near_one(office: Office, site: Sandbox) -> None:
    done = office.run(visits(), HEADER + "101,NORTH,ETH\n102,NORHT,ETH\n103,SOUTH,XX\n")
    assert done.summary == {"read": 3, "inserted": 1, "rejected": 2}
    assert done.codes == {3: "not-a-choice", 4: "not-a-choice"}
    assert done.messages[3] == "Column region: 'NORHT' is not among the codes of Region. Did you mean 'NORTH'?"
    assert done.messages[4].startswith("Column topic: 'XX' is not among the codes of Topic.")
    assert writes(site) == 1


def test_a_table_is_read_once_and_before_the_first_write(office: Office, site: Sandbox) -> None:
    rows = "".join(f"{member},NORTH,ETH\n" for member in range(101, 121))
    assert office.run(visits(), HEADER + rows).summary == {"read": 20, "inserted": 20}
    assert (calls(site, "GenTable"), calls(site, "ABC_Codes")) == (1, 1)


def test_the_table_of_what_is_not_mapped_is_not_read(office: Office, site: Sandbox) -> None:
    office.run(visits(map={"ID": "member", "Region": "region"}), HEADER + "101,NORTH,\n")
    assert (calls(site, "GenTable"), calls(site, "ABC_Codes")) == (1, 0)


def test_without_validate_codes_no_table_is_read_and_the_site_says_what_it_thinks(
    office: Office, site: Sandbox
) -> None:
    done = office.run(visits(options={"validate_codes": False}), HEADER + "101,NORHT,ETH\n")
    assert done.codes == {2: "validation"}
    assert (calls(site, "GenTable"), calls(site, "ABC_Codes")) == (0, 0)


def test_codes_of_other_lists_in_the_same_table_do_not_count(office: Office, site: Sandbox) -> None:
    site.add_rows("GenTable", [{"TableName": "COLOUR", "Code": "RED", "Description": "Red"}])
    assert office.run(visits(), HEADER + "101,RED,ETH\n").codes == {2: "not-a-choice"}


def test_a_constant_that_its_table_does_not_have_is_told_before_any_row(office: Office, site: Sandbox) -> None:
    wrong = visits(map={"ID": "member", "Region": {"value": "NORHT"}})
    with pytest.raises(ProblemsFound, match=r"'NORHT' is not among the codes of Region\. Did you mean 'NORTH'"):
        office.run(wrong, HEADER + "101,,\n")
    assert writes(site) == 0


UNREADABLE = {
    "missing": (CodesOf("ABC_Secret", "Code"), "404 Not found: There is no service defined for ABC_Secret"),
    "another condition": (replace(REGION, operation=7), "its rule has a condition that idms does not know"),
    "empty": (replace(REGION, where=(("TableName", "NOWHERE"),)), "it is empty"),
}


@pytest.mark.parametrize("why", UNREADABLE)
def test_a_table_that_cannot_be_read_is_told_once_and_its_values_are_left_to_the_site(
    office: Office, site: Sandbox, why: str
) -> None:
    codes_of, told = UNREADABLE[why]
    with_region(site, codes_of)
    done = office.run(visits(), HEADER + "101,ANYWHERE,ETH\n102,ANYWHERE,XX\n", dry_run=True)
    assert done.codes == {3: "not-a-choice"}  # the other list is checked all the same
    (warning,) = [line for line in done.log if line.startswith("Warning: Region is not checked")]
    assert told in warning


def test_a_run_that_goes_on_after_its_plan_reads_no_table_again(office: Office, site: Sandbox) -> None:
    planned = office.run(visits(), HEADER + "101,NORTH,ETH\n", dry_run=True)
    site.reset()
    assert office.run(visits(), again=planned.directory).summary == {"read": 1, "inserted": 1}
    assert calls(site, "GenTable") == 0
