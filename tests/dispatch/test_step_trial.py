"""`idms test JOB --step NAME`: one step worked out on the data of a past run, or of a file; nothing is sent."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from idms_cli.config.settings import read_settings
from idms_cli.dispatch.reading import find_job
from idms_cli.dispatch.steptrial import Wish, trial_of
from idms_cli.errors import InputError
from idms_cli.history.store import Store
from idms_cli.modules.workflows.trying import Tried
from idms_cli.reports.steptrial import step_trial_page
from tests.conftest import Place
from tests.delivery.receiver import Receiver, Says, receiver

FLOW = """\
module: workflow
with:
  parameters: {{course: First aid}}
  steps:
  - name: found
    query: $/Idms/Members
    key: ID
  - name: some
    filter: "{{{{ row.ID|number < 104 }}}}"
  - name: told
    http: {{url: "{url}/in", json: {{n: "{{{{ some|length }}}}", course: "{{{{ input.course }}}}"}}}}
  - name: looked
    http: "{url}/look?id={{{{ told.json.id }}}}"
  - name: each
    for-each: some
    steps:
    - http: {{url: "{url}/each", json: "{{{{ item }}}}"}}
  - name: end
    gate: "{{{{ some|length > 900 }}}}"
    why: there are many
"""


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Receiver]:
    folder = tmp_path / "web"
    folder.mkdir()
    with receiver(folder, tls=False) as site:
        yield site


@pytest.fixture
def flow(place: Place, web: Receiver) -> Place:
    place.write("jobs.d/flow.yaml", FLOW.format(url=web.url))
    return place


def tried(place: Place, step: str, *, run: int | None = None, given: Any = None) -> tuple[Tried, dict[str, Any]]:
    settings = read_settings(place.directory / "idms.yaml")
    job, work = find_job(settings, "flow")
    path = None
    if given is not None:
        path = place.write("given.json", json.dumps(given))
    with Store(place.state) as store:
        wish, now = Wish(step, run, path), datetime.now(UTC)
        with trial_of(store, job, work, wish, now) as (found, directory, of_run):
            page = step_trial_page("flow", found, directory, run=of_run)
    assert not list(place.state.glob("trying-*"))
    return found, dict(page.data)


def test_a_step_is_tried_on_the_data_of_the_last_run_and_nothing_is_sent(flow: Place, web: Receiver) -> None:
    web.decide = lambda _: Says(200, b'{"id": 7}')
    assert flow.idms("run", "flow").returncode == 0
    sent, (run,) = len(web.asked), flow.runs()
    _, page = tried(flow, "some")
    assert (page["status"], page["data"]["rows"], page["data"]["first"][0]["ID"]) == ("succeeded", 3, "101")
    _, page = tried(flow, "told")
    assert (page["status"], page["run"]) == ("rehearsed", 1)
    assert page["reason"].startswith("would POST ")
    _, page = tried(flow, "looked")
    assert page["reason"] == f"would GET {web.url}/look"
    _, page = tried(flow, "each")
    assert page["reason"] == "3 of 3 items"
    _, page = tried(flow, "found")
    assert page["reason"] == "would read the rows of $/Idms/Members on test"
    assert page["data"] is None
    assert len(web.asked) == sent
    assert flow.runs() == [run]
    told = flow.idms("test", "flow", "--step", "end")
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.startswith("step end of flow (gate) would be done, tried on the data of run 1; nothing was sent")


def test_a_file_may_say_what_the_steps_before_it_gave(flow: Place, web: Receiver) -> None:
    given = {"input": {"course": "Weaving"}, "some": [{"ID": "7"}], "told": {"json": {"id": "a b"}}}
    assert tried(flow, "looked", given=given)[1]["reason"] == f"would GET {web.url}/look"
    assert tried(flow, "told", given=given)[1]["reason"].startswith("would POST ")
    _, page = tried(flow, "some", given={"found": [{"ID": "7"}, {"ID": "999"}]})
    assert page["data"] == {"rows": 1, "first": [{"ID": "7"}]}
    assert page["known"] == ["found"]
    _, page = tried(flow, "end", given={"some": [{"ID": "7"}] * 901})
    assert (page["reason"], page["data"]) == ("would end the steps: succeed", True)
    found, _ = tried(flow, "looked", given={"some": [{"ID": "7"}]})
    assert "is not known in a dry run" in found.row.reason
    assert not web.asked


def test_mistakes_are_told(flow: Place) -> None:
    def told(step: str, **keys: Any) -> str:
        with pytest.raises(InputError) as caught:
            tried(flow, step, **keys)
        assert caught.value.hint
        return str(caught.value)

    assert told("ned") == "there is no step 'ned'"
    assert told("each/1") == "there is no step 'each/1'"
    assert told("some") == "no run of flow has its data any more"
    assert told("some", run=3) == "run 3 is no run of flow"
    assert told("some", given={"fuond": []}) == "there is no step 'fuond'"
    assert told("some", given=[]).endswith("an object is wanted")
    assert "item 1 of the list is no row" in told("some", given={"found": [1]})


def test_a_run_that_took_another_one_back_has_no_data_of_steps(place: Place) -> None:
    place.job("scores")
    place.scores("scores", 2)
    steps = "  - {name: scores, run: scores}\n  - {name: end, gate: '{{ scores.inserted == 2 }}'}\n"
    place.write("jobs.d/flow.yaml", f"module: workflow\nwith:\n  steps:\n{steps}")
    assert place.idms("run", "flow").returncode == 0
    assert place.idms("undo", "1", "--apply").returncode == 0
    told = tried(place, "end")[1]
    assert (told["run"], told["data"]) == (1, True)
    with pytest.raises(InputError, match="run 2 has no data of steps"):
        tried(place, "end", run=2)
