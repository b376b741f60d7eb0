"""Steps in order: what each gives, what the next one sees of it."""

from idms_cli.sandbox import Sandbox
from tests.modules.workflows.mill import Mill, names, steps

MEMBERS = """\
run:
  module: transfer
  with: {source: {path: data.csv}, steps: [{to: out, file: copy.csv}]}
name: copied"""


def test_rows_of_a_query_are_filtered_selected_compared_and_written(sited: Mill, site: Sandbox) -> None:
    text = steps(
        "name: found\nquery: $/Idms/Members\nkey: ID",
        'name: some\nfilter: "{{ row.ID|number < 104 }}"',
        'name: short\nselect: [ID]\nadd: {Kind: {value: "{{ job }}"}}',
        "name: fresh\ndelta: {key: ID}",
        'name: written\nfile: {to: out, file: "new-{{ run.id }}.csv"}',
    )
    done = sited.grind(text)
    assert done.outcome.status == "completed", done.outcome
    assert names(done.rows("short"), "ID") == ["101", "102", "103"]
    assert sited.delivered == {"new-1.csv": "ID,Kind\r\n101,flow\r\n102,flow\r\n103,flow\r\n"}
    assert done.output("written")["rows"] == 3
    again = sited.grind(text)
    assert again.told["fresh"].rows == 0
    assert again.told["fresh"].counts["unchanged"] == 3


def test_a_gate_ends_the_steps_as_a_success(mill: Mill) -> None:
    done = mill.grind(
        steps('name: stop\ngate: "{{ 1 + 1 == 2 }}"\nwhy: "{{ job }} has nothing to do"', "name: never\ngate: true")
    )
    assert (done.outcome.status, done.outcome.reason) == ("completed", "ended by step stop: flow has nothing to do")
    assert done.states == {"stop": "succeeded", "never": "skipped"}
    assert done.reasons["never"] == "not reached: stop ended it"
