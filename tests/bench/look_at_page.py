"""The report page in a real browser, to be looked at: pictures at 400 and 1,400 pixels, a print, axe's word.

`look_at_page.py FOLDER [PAGE]` writes them into FOLDER; PAGE is a page of yours, else one of 40 jobs and a year of runs
is made. Needs Chromium (`apt install chromium`) and axe-core (`npm install axe-core`, $IDMS_AXE is its axe.min.js).
Exit code 1 when axe finds anything serious, the page tells the console anything, or it does not fit its width.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from idms_cli.reports.web.gather import gather  # noqa: E402
from idms_cli.reports.web.render import render  # noqa: E402
from idms_cli.reports.wording import Clock  # noqa: E402
from tests.reports.years import NOW, fill, named  # noqa: E402

WIDTHS = (400, 1400)
SCHEMES = {"light": 1, "dark": 0}
"""As Chromium numbers them."""
TALL = 3000
QUIET = [
    "--hide-scrollbars",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
]
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
CHECK = """axe.run().then(found => parent.postMessage(JSON.stringify(
  {wide: document.documentElement.scrollWidth, found: found.violations}), "*"))"""
FRAME = """<!doctype html><html><body style="margin:0"><script>
addEventListener("message", told => { document.title = told.data; document.body.append("AXE" + told.data + "END"); });
</script><iframe src="%s" width="%d" height="%d" style="border:0"></iframe></body></html>"""
"""A browser's window has a least width; a frame has none."""


def main(folder: Path, page: Path | None) -> int:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    axe = Path(os.environ.get("IDMS_AXE", "axe.min.js"))
    missing = [
        *(["Chromium"] if chromium is None else []),
        *([f"axe-core ($IDMS_AXE: {axe})"] if not axe.is_file() else []),
    ]
    if chromium is None or missing:
        sys.exit(f"missing: {' and '.join(missing)}. {__doc__}")
    folder.mkdir(parents=True, exist_ok=True)
    text = page.read_text(encoding="utf-8") if page else made()
    plain, checked = folder / "page.html", folder / "checked.html"
    plain.write_text(text, encoding="utf-8")
    scripts = f"<script>{axe.read_text(encoding='utf-8')}</script><script>{CHECK}</script></body>"
    checked.write_text(POLICY.sub("", text).replace("</body>", scripts), encoding="utf-8")
    print(f"{plain}: {len(text.encode()):,} bytes")
    bad = 0
    with TemporaryDirectory() as profile:
        browser = [chromium, "--headless", "--no-sandbox", "--disable-gpu", *QUIET, f"--user-data-dir={profile}"]
        for width in WIDTHS:
            for scheme, number in SCHEMES.items():
                bad += look([*browser, f"--blink-settings=preferredColorScheme={number}"], folder, width, scheme)
        told([*browser, f"--print-to-pdf={folder / 'page.pdf'}", "--no-pdf-header-footer", plain.as_uri()])
    checked.unlink()
    print(f"Look at the pictures and at page.pdf in {folder}.")
    return 1 if bad else 0


def made() -> str:
    with TemporaryDirectory() as state, fill(Path(state), 40) as store:
        notices = ["connection live is down since 08:12; 3 runs wait, next probe 09:35. The site answers 503."]
        return render(gather(store, named(40), notices, Clock(ZoneInfo("America/New_York"), NOW)), examples=True)


def look(browser: list[str], folder: Path, width: int, scheme: str) -> int:
    """A picture, and how many faults."""
    name = f"{width}-{scheme}"
    window = f"--window-size={max(width, 500)},{TALL}"
    frames = {}
    for kind in ("page", "checked"):
        frames[kind] = folder / f"{kind}-{name}.html"
        frames[kind].write_text(FRAME % (f"{kind}.html", width, TALL), encoding="utf-8")
    told([*browser, window, f"--screenshot={folder / name}.png", frames["page"].as_uri()])
    answer = told([*browser, window, "--enable-logging=stderr", "--virtual-time-budget=60000", "--dump-dom",
                   frames["checked"].as_uri()])  # fmt: skip
    found = re.search(r"AXE(\{.*\})END", answer.stdout, re.DOTALL)
    if not found:
        sys.exit(f"{name}: axe told nothing\n{answer.stderr[-2000:]}")
    result = json.loads(found[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
    faults = [f"axe: {each['impact']}: {each['id']}: {each['nodes'][0]['html'][:100]}" for each in result["found"]]
    faults += [line for line in answer.stderr.splitlines() if "CONSOLE" in line]
    faults += [f"it is {result['wide']} pixels wide"] if result["wide"] > width else []
    print(f"{name}: {len(faults)} faults", *faults, sep="\n  ")
    for frame in frames.values():
        frame.unlink()
    return sum(not fault.startswith(("axe: minor", "axe: moderate")) for fault in faults)


def told(command: list[str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(Path(sys.argv[1]).absolute(), Path(sys.argv[2]) if len(sys.argv) > 2 else None))
