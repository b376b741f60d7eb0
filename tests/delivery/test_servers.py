"""What holds for all destinations on servers: their extras, their keys in README, and what they load."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from idms_cli.config.checked import Section
from idms_cli.delivery import ftps, s3, sftp
from idms_cli.delivery.uploads.options import FolderOptions

README = Path(__file__).parents[2] / "README.md"

WITHOUT = """
import json, sys
from pathlib import Path
for name in ("asyncssh", "obstore", "httpx", "OpenSSL"):
    sys.modules[name] = None
from idms_cli.delivery import to_install
from tests.delivery.cargo import destination
steps = {
    "sftp": "to: sftp://me@host/in/\\nauth: {password: {env: X}}",
    "ftps": "to: ftps://me@host/in/\\nauth: {password: {env: X}}",
    "s3": "to: s3://bucket/in/",
}
print(json.dumps({name: [destination(step, Path()).describe(), to_install(name)] for name, step in steps.items()}))
"""


def test_a_job_is_checked_without_the_libraries_and_it_is_said_what_to_install() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert json.loads(done.stdout) == {
        "sftp": ["sftp://me@host/in/", "Install what it needs: pip install 'idms-cli[sftp]'"],
        "ftps": ["ftps://me@host/in/", ""],
        "s3": ["s3://bucket/in/", "Install what it needs: pip install 'idms-cli[s3]'"],
    }


@pytest.mark.parametrize("model", [sftp.Options, sftp.Auth, ftps.Options, ftps.Auth, s3.Options, s3.Auth])
def test_every_key_is_in_the_reference(model: type[Section]) -> None:
    text = README.read_text(encoding="utf-8").partition("##### Folders on servers")[2].partition("\n## ")[0]
    own = set(model.model_fields) - (set(FolderOptions.model_fields) - {"overwrite", "silence", "create"})
    assert [key for key in own if not re.search(rf"[`{{ ]{key}[`:]", text)] == []
