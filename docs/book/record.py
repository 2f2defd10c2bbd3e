"""Records a run of `make demo` as docs/book/demo.svg, a terminal that shows each line when it came.

    make docs-recording

The lines and their times are those of the run. Pauses are cut to a second, and of the chart only
the first lines are kept.
"""

import html
import os
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PICTURE = Path(__file__).with_name("demo.svg")
VARIABLES = {"KILL": "2", "CHECK": "1", "WORKERS": "4"}
COMMAND = "make demo " + " ".join(f"{name}={value}" for name, value in VARIABLES.items())
LINE, TOP, WIDTH = 19, 48, 860
LONGEST_PAUSE = 1.0
CHART = re.compile(r" *\S+ █*[▏▎▍▌▋▊▉]? [\d,]+$")
CHART_LINES = 5
COLUMNS = 104
ELISION = "     ..."

STYLE = """
text { font: 13px 'DejaVu Sans Mono', Menlo, Consolas, monospace; fill: #d8dee9; }
text { white-space: pre; }
.prompt { fill: #a3be8c; }
.kill { fill: #ebcb8b; }
.right { fill: #88c0d0; }
.line { animation: come 1ms linear backwards; }
@keyframes come { from { opacity: 0; } }
@media (prefers-reduced-motion: reduce) { .line { animation: none; } }
"""

FRAME = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}">
<style>{style}</style>
<rect width="100%" height="100%" rx="8" fill="#2e3440"/>
<circle cx="20" cy="18" r="6" fill="#bf616a"/>
<circle cx="40" cy="18" r="6" fill="#ebcb8b"/>
<circle cx="60" cy="18" r="6" fill="#a3be8c"/>
{rows}
</svg>
"""


def run():
    """Returns the lines of a run, each with the seconds since the start."""
    demo = subprocess.Popen(
        [ROOT / "examples/headers/run"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **VARIABLES},
    )
    begin = time.monotonic()
    lines = [(time.monotonic() - begin, line.rstrip("\n")) for line in demo.stdout]
    if demo.wait() != 0:
        sys.exit("\n".join(line for _, line in lines))
    return lines


def picture(lines):
    """Returns the SVG. Its last line comes at the end, and stays."""
    rows = [f'<text x="20" y="{TOP}"><tspan class="prompt">$</tspan> {html.escape(COMMAND)}</text>']
    shown, before = 0.6, lines[0][0]
    for row, (at, line) in enumerate(lines, start=1):
        shown += min(at - before, LONGEST_PAUSE)
        before = at
        rows.append(
            f'<text x="20" y="{TOP + row * LINE}" class="line {kind(line)}" '
            f'style="animation-delay:{shown:.2f}s">{html.escape(line[:COLUMNS])}</text>'
        )
    height = TOP + len(rows) * LINE + 10
    return FRAME.format(width=WIDTH, height=height, style=STYLE, rows="\n".join(rows))


def kind(line):
    if "kill" in line or "redelivered" in line:
        return "kill"
    return "right" if line.startswith("recount") else ""


def main():
    lines, chart = [], 0
    for at, line in run():
        chart += bool(CHART.match(line))
        if (
            line.strip()
            and not line.startswith("page:")
            and (chart <= CHART_LINES or not CHART.match(line))
        ):
            lines.append((at, line))
        elif chart == CHART_LINES + 1 and lines[-1][1] != ELISION:
            lines.append((at, ELISION))
    PICTURE.write_text(picture(lines))


if __name__ == "__main__":
    main()
