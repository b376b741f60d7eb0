"""idms.yaml is found where people put it, and read whole: defaults, absolute paths, or all its problems."""

from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from idms_cli.config.problems import ProblemsFound
from idms_cli.config.settings import Settings, find_settings, read_settings
from idms_cli.errors import InputError

LIVE = "url: https://members.example.org, username: idms, password: {env: PW}"


def settings_of(folder: Path, text: str) -> Settings:
    path = folder / "idms.yaml"
    path.write_text(text)
    return read_settings(path)


def told(folder: Path, text: str) -> list[tuple[int, int, str, str]]:
    with pytest.raises(ProblemsFound) as caught:
        settings_of(folder, text)
    return [(problem.line, problem.column, problem.message, problem.hint) for problem in caught.value.problems]


def test_every_key_has_a_default(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, f"connections: {{live: {{{LIVE}}}}}\n")
    assert settings.path == tmp_path / "idms.yaml"
    assert settings.directory == tmp_path
    assert settings.timezone == ZoneInfo("UTC")
    assert settings.jobs == tmp_path / "jobs.d"
    assert settings.state == tmp_path / ".idms"
    assert settings.max_parallel == 4
    assert settings.defaults.connection == "live"
    assert settings.defaults.timeout == timedelta(hours=2)
    assert settings.defaults.grace == timedelta(hours=6)
    assert (settings.naming.pattern, settings.naming.description) == (None, "optional")
    live = settings.connections["live"]
    assert (live.url, live.username) == ("https://members.example.org", "idms")
    assert (live.rate, live.concurrency, live.page_size) == (5.0, 1, 500)
    assert (live.timeout, live.settle) == (timedelta(seconds=30), timedelta(seconds=10))
    assert live.ca_file is None
    assert settings.mail is None


def test_what_is_written_counts_and_relative_paths_start_at_the_file(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("")
    settings = settings_of(
        tmp_path,
        f"""
timezone: America/New_York
jobs: my-jobs
state: /var/lib/idms
max_parallel: 16
defaults: {{connection: test, timeout: 1h, grace: 0s}}
naming: {{pattern: '[a-z-]+', description: required}}
connections:
  live: {{{LIVE}, rate: 300/m, concurrency: 64, timeout: 2m, page_size: 500, ca_file: ca.pem}}
  test: {{{LIVE}}}
""",
    )
    assert settings.timezone == ZoneInfo("America/New_York")
    assert (settings.jobs, settings.state) == (tmp_path / "my-jobs", Path("/var/lib/idms"))
    assert (settings.defaults.connection, settings.defaults.grace) == ("test", timedelta(0))
    assert settings.naming.pattern is not None
    assert settings.naming.pattern.pattern == "[a-z-]+"
    live = settings.connections["live"]
    assert (live.rate, live.concurrency, live.page_size, live.timeout) == (5.0, 64, 500, timedelta(minutes=2))
    assert live.ca_file == tmp_path / "ca.pem"


def test_of_two_connections_none_is_the_default(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, f"connections: {{live: {{{LIVE}}}, test: {{{LIVE}}}}}\n")
    assert settings.defaults.connection is None


def test_a_relative_path_to_the_settings_gives_absolute_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "idms.yaml").write_text("jobs: j\n")
    monkeypatch.chdir(tmp_path)
    assert read_settings(Path("idms.yaml")).jobs == tmp_path / "j"


def test_all_problems_of_the_file_are_told_at_once(tmp_path: Path) -> None:
    assert told(
        tmp_path,
        """timezone: Europe/Belin
jbos: x
connections:
  live:
    url: http://members.example.org
    password: hunter2
  bad name: {url: "https://x", username: a, password: {env: A}, concurrency: 65, page_size: 0}
defaults: {connection: liev, notfy: [ops]}
house: {}
""",
    ) == [
        (1, 11, "there is no time zone 'Europe/Belin'", "did you mean 'Europe/Berlin'?"),
        (2, 1, "the key 'jbos' is not known here", "did you mean 'jobs'?"),
        (4, 3, "the key 'username' is missing", "needed here: url, username, password"),
        (5, 10, "http:// sends passwords in the open; it is for this machine only", "write https://"),
        (
            6,
            15,
            "a secret cannot stand here itself",
            "say where it is kept: {env: NAME}, {file: PATH}, {credential: NAME} or {command: [PROGRAM, ...]}",
        ),
        (
            7,
            3,
            "this cannot be a name",
            "use letters, digits, '_' and '-', at most 64, the first a letter or digit",
        ),
        (7, 78, "the number must be at most 64", ""),
        (7, 93, "the number must be at least 1", ""),
        (8, 24, "there is no connection 'liev'", "did you mean 'live'?"),
        (
            8,
            30,
            "the key 'notfy' is not known here",
            "did you mean 'notify'?",
        ),
        (
            9,
            1,
            "the key 'house' is not known here",
            "known here: timezone, jobs, state, connections, defaults, max_parallel, pools, calendars, naming, "
            "retention, mail, channels, digest, report",
        ),
    ]


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("https://members.example.org", "https://members.example.org"),
        ("https://members.example.org/", "https://members.example.org"),
        ("https://example.org:8443/imis/", "https://example.org:8443/imis"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://127.9.9.9", "http://127.9.9.9"),
        ("http://localhost:1", "http://localhost:1"),
        ("http://[::1]:8080/", "http://[::1]:8080"),
    ],
)
def test_the_address_of_a_site(written: str, url: str, tmp_path: Path) -> None:
    connection = f'{{url: "{written}", username: a, password: {{env: A}}}}'
    assert settings_of(tmp_path, f"connections: {{live: {connection}}}\n").connections["live"].url == url


@pytest.mark.parametrize(
    "written",
    [
        "",
        "members.example.org",
        "http://members.example.org",
        "http://localhost.example.org",
        "http://128.0.0.1",
        "ftp://members.example.org",
        "file:///etc/passwd",
        "https://",
        "https://x:notaport",
        "https://x:0",
        "https://x y",
        "https://user:hunter2@example.org",
        "https://hunter2@example.org",
        "https://example.org/?token=hunter2",
        "https://example.org/#hunter2",
        "user:hunter2@example.org",
        "https://user:hunter2@example.org:port",
        "http://127.0.0.1@evil.example.org/hunter2",
        "https://example.org\\\\@evil",
    ],
)
def test_what_is_no_address_of_a_site_is_refused_and_a_password_in_it_not_shown(written: str, tmp_path: Path) -> None:
    with pytest.raises(ProblemsFound) as caught:
        settings_of(tmp_path, f'connections: {{live: {{url: "{written}", username: a, password: {{env: A}}}}}}\n')
    assert len(caught.value.problems) == 1
    assert caught.value.problems[0].hint
    assert "hunter2" not in str(caught.value)


def test_a_certificate_file_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    assert told(tmp_path, f"connections:\n  live: {{{LIVE}, ca_file: ca.pem}}\n") == [
        (2, 90, f"there is no file {tmp_path}/ca.pem", "check the path")
    ]
    assert told(tmp_path, "mail:\n  server: {host: mail.example.org, ca_file: ca.pem}\n") == [
        (2, 45, f"there is no file {tmp_path}/ca.pem", "check the path")
    ]


def test_a_file_that_anybody_may_write_is_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "idms.yaml"
    path.write_text("max_parallel: 0\n")
    path.chmod(0o666)
    with pytest.raises(ProblemsFound) as caught:
        read_settings(path)
    assert [problem.message for problem in caught.value.problems] == [
        "the file may be written by anybody (mode 0666)",
        "the number must be at least 1",
    ]


def test_a_missing_file_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(ProblemsFound, match="there is no such file"):
        read_settings(tmp_path / "idms.yaml")


def test_the_first_place_that_has_settings_counts(tmp_path: Path) -> None:
    system, here = tmp_path / "etc.yaml", tmp_path / "here"
    here.mkdir()
    environ = {"IDMS_CONFIG": "env.yaml"}
    system.write_text("")
    assert find_settings(None, {}, here, system_file=system) == system
    (here / "idms.yaml").write_text("")
    assert find_settings(None, {}, here, system_file=system) == here / "idms.yaml"
    assert find_settings(None, environ, here, system_file=system) == here / "env.yaml"
    assert find_settings("named.yaml", environ, here, system_file=system) == here / "named.yaml"
    assert find_settings("/abs/named.yaml", {}, here, system_file=system) == Path("/abs/named.yaml")


def test_without_settings_anywhere_the_hint_lists_the_places(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        find_settings(None, {"IDMS_CONFIG": ""}, tmp_path, system_file=tmp_path / "etc.yaml")
    assert str(caught.value) == "there is no idms.yaml"
    assert caught.value.hint == f"looked for --config FILE, $IDMS_CONFIG, {tmp_path}/idms.yaml and {tmp_path}/etc.yaml"
