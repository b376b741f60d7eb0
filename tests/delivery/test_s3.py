"""A bucket as a destination: an object is there whole or not at all, whatever befalls the service, the line or us."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from idms_cli.config.problems import ProblemsFound
from idms_cli.delivery import Parcel, Receipt
from idms_cli.delivery.marks import mark_of
from idms_cli.errors import (
    DeliveryRefused,
    IdmsError,
    InputError,
    Interrupted,
    LoginRefused,
    OutcomeUnknown,
    Unreachable,
)
from tests.delivery.cargo import SampleCargo, delivery, destination, sample
from tests.delivery.killing import killed_when
from tests.delivery.s3service import BUCKET, SECRET, Service, moto, service_in_front_of

CONTENT = "ID,Name\r\n101,Zoë\r\n102,Ann\r\n".encode()
LARGE = 12_000_000
OLD = "yesterday's"
KEY = "in/members.csv"


@pytest.fixture(scope="module")
def behind() -> Iterator[str]:
    with moto() as url:
        yield url


@pytest.fixture
def s3(behind: str) -> Iterator[Service]:
    with service_in_front_of(behind) as service:
        yield service


@pytest.fixture
def made(tmp_path: Path) -> Path:
    folder = tmp_path / "made"
    folder.mkdir()
    return folder


def deliver(step: str, cargo: SampleCargo, directory: Path, told: list[str] | None = None) -> Receipt:
    return destination(step, directory).deliver(cargo, delivery(directory, told=told))


def refused(step: str, cargo: SampleCargo, directory: Path) -> IdmsError:
    with pytest.raises(IdmsError) as caught:
        deliver(step, cargo, directory)
    assert caught.value.hint
    assert SECRET not in str(caught.value) + caught.value.hint
    assert "\n" not in str(caught.value)
    return caught.value


def test_a_file_becomes_an_object_that_says_what_it_is(tmp_path: Path, s3: Service, made: Path) -> None:
    receipt = deliver(s3.step(tmp_path), sample(made), tmp_path)
    assert receipt == Receipt(f"s3://{BUCKET}/{KEY}", items=1, size=len(CONTENT))
    assert s3.keys() == [KEY]
    assert s3.get(KEY) == CONTENT
    assert s3.head(KEY)["Metadata"] == {"idms-delivery": f"{mark_of(delivery(tmp_path))}-1"}


def test_an_object_has_the_media_type_of_its_format(tmp_path: Path, s3: Service, made: Path) -> None:
    class Typed(SampleCargo):
        def parcels(self) -> list[Parcel]:
            return [Parcel(path, path.name, 2, "text/csv; charset=utf-8") for path in self.files]

    deliver(s3.step(tmp_path), Typed(sample(made).files), tmp_path)
    assert s3.head(KEY)["ContentType"] == "text/csv; charset=utf-8"


def test_a_large_file_goes_in_parts_and_its_bytes_are_counted(tmp_path: Path, s3: Service, made: Path) -> None:
    cargo = sample(made, size=LARGE)
    counts: list[int] = []
    given = delivery(tmp_path)
    object.__setattr__(given, "progress", lambda told: counts.append(told.get("bytes", 0)))
    destination(s3.step(tmp_path), tmp_path).deliver(cargo, given)
    assert s3.get(KEY) == (made / "members.csv").read_bytes()
    assert max(counts) == LARGE
    assert len(counts) > 5
    assert sum("partNumber" in one for one in s3.asked) == 3


@pytest.mark.parametrize("name", ["Zoë & Ann 100% #1.csv", "a%20b.csv", "ein ~ 日本.csv", "[x]{y};'\"$.csv"])
def test_a_name_arrives_as_it_is(tmp_path: Path, s3: Service, made: Path, name: str) -> None:
    step = s3.step(tmp_path, to=f"s3://{BUCKET}/in 100%20#é/")
    deliver(step, sample(made, name=name), tmp_path)
    assert s3.keys() == [f"in 100%20#é/{name}"]


@pytest.mark.parametrize("to", [f"s3://{BUCKET}", f"s3://{BUCKET}/"])
def test_the_top_of_a_bucket_needs_no_prefix(tmp_path: Path, s3: Service, made: Path, to: str) -> None:
    deliver(s3.step(tmp_path, to=to), sample(made), tmp_path)
    assert s3.keys() == ["members.csv"]


def test_several_files_arrive_and_an_empty_one_as_well(tmp_path: Path, s3: Service, made: Path) -> None:
    cargo = SampleCargo([made / f"{number}.csv" for number in range(3)])
    for path in cargo.files:
        path.write_text(path.name * (path.name != "0.csv"))
    assert deliver(s3.step(tmp_path), cargo, tmp_path) == Receipt(f"s3://{BUCKET}/in/", items=3, size=10)
    assert s3.keys() == ["in/0.csv", "in/1.csv", "in/2.csv"]


def test_delivered_again_it_is_not_sent_again(tmp_path: Path, s3: Service, made: Path) -> None:
    first = deliver(s3.step(tmp_path), sample(made), tmp_path)
    s3.delete(KEY)  # whoever it was for has fetched it
    assert deliver(s3.step(tmp_path), sample(made), tmp_path) == first
    assert s3.keys() == []


# What is there already


@pytest.mark.parametrize("size", [100, LARGE])
def test_an_object_of_the_same_name_is_replaced(tmp_path: Path, s3: Service, made: Path, size: int) -> None:
    s3.put(KEY, OLD)
    deliver(s3.step(tmp_path), sample(made, size=size), tmp_path)
    assert s3.get(KEY) == (made / "members.csv").read_bytes()


@pytest.mark.parametrize("size", [100, LARGE])
def test_an_object_that_is_there_is_left_alone_if_that_is_wanted(
    tmp_path: Path, s3: Service, made: Path, size: int
) -> None:
    s3.put(KEY, OLD)
    error = refused(s3.step(tmp_path, "overwrite: refuse"), sample(made, size=size), tmp_path)
    assert isinstance(error, DeliveryRefused)
    assert str(error) == f"s3://{BUCKET}/{KEY} is there already"
    assert s3.get(KEY) == OLD.encode()
    s3.delete(KEY)
    deliver(s3.step(tmp_path, "overwrite: refuse"), sample(made, size=size), tmp_path)
    assert s3.get(KEY) == (made / "members.csv").read_bytes()


@pytest.mark.parametrize("size", [100, LARGE])
def test_an_object_takes_the_next_number(tmp_path: Path, s3: Service, made: Path, size: int) -> None:
    for key in (KEY, "in/members-2.csv"):
        s3.put(key, OLD)
    receipt = deliver(s3.step(tmp_path, "overwrite: number"), sample(made, size=size), tmp_path)
    assert receipt.address == f"s3://{BUCKET}/in/members-3.csv"
    assert s3.keys() == ["in/members-2.csv", "in/members-3.csv", KEY]
    assert s3.get(KEY) == OLD.encode()


def test_a_service_without_conditions_is_looked_at_before(tmp_path: Path, s3: Service, made: Path) -> None:
    """Some answer 501 to a request that depends on what is there."""
    s3.put(KEY, OLD)
    s3.faults.status, s3.faults.code = 501, "NotImplemented"
    error = refused(s3.step(tmp_path, "overwrite: refuse"), sample(made), tmp_path)
    assert str(error) == f"s3://{BUCKET}/{KEY} is there already"
    assert s3.get(KEY) == OLD.encode()


# Answers that say no


@pytest.mark.parametrize(
    ("size", "status", "code", "kind", "words"),
    [
        (100, 403, "SignatureDoesNotMatch", LoginRefused, "the service refuses this access key"),
        (100, 403, "InvalidAccessKeyId", LoginRefused, "the service refuses this access key"),
        (100, 403, "AccessDenied", DeliveryRefused, "that is not allowed: AccessDenied"),
        (LARGE, 403, "AccessDenied", DeliveryRefused, "that is not allowed: AccessDenied"),
        (100, 403, "QuotaExceeded", DeliveryRefused, "the service does not take it: QuotaExceeded"),
        (100, 507, "XMinioStorageFull", DeliveryRefused, "the service does not take it: XMinioStorageFull"),
        (LARGE, 507, "XMinioStorageFull", DeliveryRefused, "the service does not take it: XMinioStorageFull"),
        (100, 400, "EntityTooLarge", DeliveryRefused, "the service does not take it: EntityTooLarge"),
        (100, 404, "NoSuchBucket", Unreachable, "there is no bucket feeds"),
        (100, 500, "InternalError", Unreachable, "InternalError: As the test wants it."),
        (100, 503, "SlowDown", Unreachable, "SlowDown: As the test wants it."),
    ],
)
def test_what_is_refused_leaves_what_was_there(
    tmp_path: Path,
    s3: Service,
    made: Path,
    size: int,
    *,
    status: int,
    code: str,
    kind: type[IdmsError],
    words: str,
) -> None:
    s3.put(KEY, OLD)
    s3.faults.status, s3.faults.code = status, code
    cargo = sample(made, size=size)
    error = refused(s3.step(tmp_path), cargo, tmp_path)
    assert type(error) is kind
    assert words in str(error)
    assert s3.get(KEY) == OLD.encode()
    if status < 500:
        assert len(s3.asked) == 1  # and it is asked once
    s3.faults.status = 0
    deliver(s3.step(tmp_path), cargo, tmp_path)
    assert s3.get(KEY) == (made / "members.csv").read_bytes()


def test_a_real_bucket_that_is_not_there_is_told(tmp_path: Path, s3: Service, made: Path) -> None:
    error = refused(s3.step(tmp_path, to="s3://nobody/in/"), sample(made), tmp_path)
    assert isinstance(error, Unreachable)
    assert str(error) == "there is no bucket nobody"


def test_a_key_that_may_only_put_is_enough(tmp_path: Path, s3: Service, made: Path) -> None:
    s3.faults.methods, s3.faults.status = ("HEAD", "GET"), 403
    deliver(s3.step(tmp_path), sample(made), tmp_path)
    assert s3.keys() == [KEY]


def test_a_key_that_may_only_put_cannot_spare_a_large_object(tmp_path: Path, s3: Service, made: Path) -> None:
    s3.faults.methods, s3.faults.status = ("HEAD", "GET"), 403
    error = refused(s3.step(tmp_path, "overwrite: refuse"), sample(made, size=LARGE), tmp_path)
    assert isinstance(error, DeliveryRefused)
    assert "may not look whether it is there" in str(error)


def test_without_any_key_it_is_said_how_to_give_one(
    tmp_path: Path, s3: Service, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", "http://127.0.0.1:1")  # where a machine of Amazon's asks for its role
    error = refused(f"to: s3://{BUCKET}/in/\nendpoint: {s3.url}\nsilence: 2s\n", sample(made), tmp_path)
    assert isinstance(error, LoginRefused)
    assert "AWS_ACCESS_KEY_ID" in error.hint


def test_no_proxy_is_taken_from_the_environment(
    tmp_path: Path, s3: Service, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    deliver(s3.step(tmp_path), sample(made), tmp_path)
    assert s3.keys() == [KEY]


# Faults in the middle


@pytest.mark.parametrize("size", [1_000_000, LARGE], ids=["whole", "parts"])
def test_a_connection_that_is_cut_leaves_what_was_there(tmp_path: Path, s3: Service, made: Path, size: int) -> None:
    s3.put(KEY, OLD)
    s3.faults.cut_after = size // 2
    cargo = sample(made, size=size)
    error = refused(s3.step(tmp_path), cargo, tmp_path)
    assert isinstance(error, Unreachable)
    assert s3.get(KEY) == OLD.encode()
    assert s3.unfinished() == 0
    s3.faults.cut_after = None
    deliver(s3.step(tmp_path), cargo, tmp_path)
    assert s3.get(KEY) == (made / "members.csv").read_bytes()


@pytest.mark.parametrize("size", [1_000_000, LARGE], ids=["whole", "parts"])
def test_a_service_that_stands_still_is_given_up(tmp_path: Path, s3: Service, made: Path, size: int) -> None:
    s3.put(KEY, OLD)
    s3.faults.stands_still_after = size // 2
    cargo = sample(made, size=size)
    error = refused(s3.step(tmp_path).replace("silence: 3s", "silence: 1s"), cargo, tmp_path)
    assert isinstance(error, Unreachable)
    assert "nothing came for 1 s." in str(error)
    assert "`silence:` of the step" in error.hint
    assert s3.get(KEY) == OLD.encode()
    assert s3.unfinished() == 0
    s3.faults.stands_still_after = None
    deliver(s3.step(tmp_path), cargo, tmp_path)
    assert s3.get(KEY) == (made / "members.csv").read_bytes()


def test_a_stopped_delivery_leaves_nothing_and_takes_its_parts_back(tmp_path: Path, s3: Service, made: Path) -> None:
    s3.put(KEY, OLD)
    s3.faults.slow_s = 0.005
    given = delivery(tmp_path, stopping=lambda: s3.received > 6_000_000)
    with pytest.raises(Interrupted):
        destination(s3.step(tmp_path), tmp_path).deliver(sample(made, size=LARGE), given)
    assert s3.get(KEY) == OLD.encode()
    assert s3.unfinished() == 0


@pytest.mark.parametrize("overwrite", ["replace", "refuse", "number"])
def test_an_answer_that_is_lost_does_not_make_two(tmp_path: Path, s3: Service, made: Path, overwrite: str) -> None:
    s3.faults.loses_answer = True
    receipt = deliver(s3.step(tmp_path, f"overwrite: {overwrite}"), sample(made), tmp_path)
    assert receipt.address == f"s3://{BUCKET}/{KEY}"
    assert s3.keys() == [KEY]


def test_nobody_listens(tmp_path: Path, s3: Service, made: Path) -> None:
    step = s3.step(tmp_path).replace(s3.url, "http://127.0.0.1:1").replace("silence: 3s", "silence: 1s")
    error = refused(step, sample(made), tmp_path)
    assert isinstance(error, Unreachable)
    assert str(error).startswith(f"s3://{BUCKET}/{KEY}: ")


# kill -9


def test_killed_in_the_middle_and_done_again_it_comes_whole(tmp_path: Path, s3: Service, made: Path) -> None:
    s3.put(KEY, OLD)
    cargo = sample(made, size=LARGE)
    s3.faults.stands_still_after = 6_000_000
    killed_when(
        lambda: s3.received > 6_000_000,
        s3.step(tmp_path).replace("silence: 3s", "silence: 60s"),
        cargo.files[0],
        tmp_path,
    )
    assert s3.get(KEY) == OLD.encode()
    s3.faults.stands_still_after = None
    deliver(s3.step(tmp_path), cargo, tmp_path)
    assert s3.get(KEY) == (made / "members.csv").read_bytes()
    assert s3.keys() == [KEY]


@pytest.mark.parametrize("readable", [True, False])
def test_an_object_that_the_killed_attempt_put_there_is_known_by_its_mark(
    tmp_path: Path, s3: Service, made: Path, readable: bool
) -> None:
    """The note of the attempt is on disk, the object is there, and nothing was heard of it."""
    cargo = sample(made)
    (tmp_path / "step").mkdir()
    step = s3.step(tmp_path, "overwrite: refuse").replace("silence: 3s", "silence: 60s")
    s3.faults.keeps_answer = True
    killed_when(lambda: s3.keys() == [KEY], step, cargo.files[0], tmp_path)
    s3.faults.keeps_answer = False
    told: list[str] = []
    if readable:
        deliver(step, cargo, tmp_path, told)
        assert told == [f"s3://{BUCKET}/{KEY}: the attempt that was cut off had put it there."]
        assert sum(one.startswith("PUT") for one in s3.asked) == 1
    else:
        s3.faults.methods, s3.faults.status = ("HEAD", "GET"), 403
        assert isinstance(refused(step, cargo, tmp_path), OutcomeUnknown)
    assert s3.keys() == [KEY]


# What a job may say


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("to: s3://me@bucket/in/", "a bucket has no user"),
        ("to: s3:///in/", "this is no name of a server, or no port"),
        ("to: s3://bucket/in/members.csv", "this looks like a file"),
        ("to: s3://bucket/in//x/", "a part of this path has no name"),
        ("to: s3://bucket/\nauth: {access_key: {env: X}}", "this is no whole key"),
        ("to: s3://bucket/\nauth: {access_key: hunter2, secret_key: {env: X}}", "a secret cannot stand here itself"),
        ("to: s3://bucket/\nendpoint: http://elsewhere.example.org", "http:// sends passwords in the open"),
        ("to: s3://bucket/\ncreate: true", "the key 'create' is not known here"),
    ],
)
def test_mistakes_of_a_step_are_told_and_no_secret_with_them(tmp_path: Path, step: str, message: str) -> None:
    with pytest.raises(ProblemsFound) as caught:
        destination(step, tmp_path)
    assert message in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_bucket_of_another_region_is_told(tmp_path: Path, s3: Service, made: Path) -> None:
    s3.faults.status, s3.faults.code = 301, "PermanentRedirect"
    error = refused(s3.step(tmp_path), sample(made), tmp_path)
    assert isinstance(error, InputError)
    assert "`region:`" in error.hint
