"""Objects of a bucket, from a service that speaks S3 on this machine."""

import logging
import os
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tests.modules.imports.office import Office, graded, grades

BUCKET = "feeds"


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    """Its address."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


class Bucket:
    """What is in it, seen with another client."""

    def __init__(self, service: str) -> None:
        login = {"aws_access_key_id": "id", "aws_secret_access_key": "key", "region_name": "us-east-1"}
        self._client = boto3.client("s3", endpoint_url=service, **login)
        self.service = service
        self._client.create_bucket(Bucket=BUCKET)
        self.clear()

    def put(self, key: str, text: str) -> None:
        self._client.put_object(Bucket=BUCKET, Key=key, Body=text.encode())

    def get(self, key: str) -> str:
        return str(self._client.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode())

    def keys(self) -> list[str]:
        return [each["Key"] for each in self._client.list_objects_v2(Bucket=BUCKET).get("Contents", [])]

    def clear(self) -> None:
        for key in self.keys():
            self._client.delete_object(Bucket=BUCKET, Key=key)

    def close(self) -> None:
        self._client.close()


@pytest.fixture
def bucket(service: str) -> Iterator[Bucket]:
    made = Bucket(service)
    yield made
    made.close()


def job(office: Office, bucket: Bucket, path: str = "s3://feeds/out/scores.csv", **more: Any) -> dict[str, Any]:
    secret = office.directory / "s3-secret"
    secret.write_text("hunter2")
    secret.chmod(0o600)
    auth = {"access_key": {"file": str(secret)}, "secret_key": {"file": str(secret)}}
    return graded(source={"path": path, "endpoint": bucket.service, "auth": auth, "timeout": "20s", **more})


def test_an_object_is_fetched_and_imported(office: Office, bucket: Bucket) -> None:
    bucket.put("out/scores.csv", grades(3))
    assert office.run(job(office, bucket)).summary == {"read": 3, "inserted": 3}
    assert bucket.keys() == ["out/scores.csv"]


def test_a_large_object_comes_in_pieces_and_whole(office: Office, bucket: Bucket) -> None:
    text = grades(600_000)
    bucket.put("out/scores.csv", text)
    done = office.run(job(office, bucket), row_limit=1)
    assert (done.directory / "source.csv").read_text() == text


def test_a_pattern_finds_objects_of_one_folder(office: Office, bucket: Bucket) -> None:
    bucket.put("out/a-1.csv", grades(1))
    bucket.put("out/a-2.csv", grades(1, course="Cooking"))
    bucket.put("out/deeper/a-3.csv", grades(1, course="Zoology"))
    bucket.put("out/b.csv", grades(1, course="Art"))
    done = office.run(job(office, bucket, "s3://feeds/out/a-*.csv", several="together"))
    assert done.summary == {"read": 2, "inserted": 2}


def test_an_object_at_the_top_of_the_bucket_is_found(office: Office, bucket: Bucket) -> None:
    bucket.put("a-1.csv", grades(1))
    assert office.run(job(office, bucket, "s3://feeds/a-*.csv")).summary == {"read": 1, "inserted": 1}


def test_an_archived_object_is_copied_and_then_deleted(office: Office, bucket: Bucket) -> None:
    bucket.put("out/scores.csv", grades(1))
    bucket.put("out/archive/1-scores.csv", "another one")
    options = job(office, bucket, after={"success": "archive"})
    done = office.run(options)
    after = office.parse(options).aftercare(office.context(done.directory), done.outcome)
    assert after is not None
    assert after().status == "completed"
    assert bucket.keys() == ["out/archive/1-scores.csv", "out/archive/1.2-scores.csv"]
    assert bucket.get("out/archive/1.2-scores.csv") == grades(1)
    assert after().status == "completed"  # once more does no harm


def test_a_copy_without_its_delete_is_finished(office: Office, bucket: Bucket) -> None:
    bucket.put("out/scores.csv", grades(1))
    options = job(office, bucket, after={"success": "archive"}, archive="/done")
    done = office.run(options)
    bucket.put("done/1-scores.csv", grades(1))
    after = office.parse(options).aftercare(office.context(done.directory), done.outcome)
    assert after is not None
    after()
    assert bucket.keys() == ["done/1-scores.csv"]


def test_an_object_that_was_replaced_since_it_was_read_is_left_alone(office: Office, bucket: Bucket) -> None:
    bucket.put("out/scores.csv", grades(1))
    options = job(office, bucket, after={"success": "archive"})
    done = office.run(options)
    bucket.put("out/scores.csv", grades(2))
    after = office.parse(options).aftercare(office.context(done.directory), done.outcome)
    assert after is not None
    assert after().status == "completed"
    assert bucket.keys() == ["out/scores.csv"]


def test_an_object_that_is_not_there_is_missing(office: Office, bucket: Bucket) -> None:
    error = office.fails(job(office, bucket))
    assert str(error) == "missing: s3://feeds/out/scores.csv: there is no such file."
    assert str(office.fails(job(office, bucket, "s3://feeds/out/a*.csv"))).startswith("missing: no file fits")
    assert str(office.fails(job(office, bucket, "s3://nobucket/out/a*.csv"))).startswith("missing: ")
    assert error.exit_code == 5


def test_a_service_that_is_not_there_is_told_and_no_secret_with_it(office: Office, bucket: Bucket) -> None:
    error = office.fails(job(office, bucket, endpoint="http://127.0.0.1:1", timeout="2s"))
    assert str(error).startswith("s3://feeds/out/scores.csv: ")
    assert "hunter2" not in str(error) + error.hint
    assert error.exit_code == 5
    assert "\n" not in str(error)


def test_without_any_key_it_is_said_how_to_give_one(
    office: Office, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", "http://127.0.0.1:1")  # where a machine of Amazon's asks for its role
    without = job(office, bucket, timeout="2s")
    del without["source"]["auth"]
    error = office.fails(without)
    assert str(error) == "s3://feeds/out/scores.csv: there is no access key for it"
    assert "AWS_ACCESS_KEY_ID" in error.hint
    assert error.exit_code == 4
