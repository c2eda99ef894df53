"""The benchmarks, `python -m tests.benchmarks`, run by `make bench`. They take 20 to 30 minutes on two cores.

Every reference is measured in the same run, in turns with ours. A missed target is shown, and is no failure: on a busy
machine single runs mean little, and the ratio of CPU times more than that of the clock.
"""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from tests.benchmarks import burning, jobs, layout, memory, pipeline, sockets, web
from tests.benchmarks.measure import BUILD
from tests.benchmarks.rows import Row, table, write

BENCHMARKS = {
    "layout": layout.measure,
    "memory": memory.measure,
    "burning": burning.measure,
    "pipeline": pipeline.measure,
    "jobs": jobs.measure,
    "sockets": sockets.measure,
    "web": web.measure,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="Measure Zirnevis.")
    parser.add_argument("--quick", action="store_true", help="short material and single runs: to see that it works")
    parser.add_argument("--only", action="append", choices=BENCHMARKS, metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--json", type=Path, default=BUILD.with_suffix(".json"), metavar="FILE")
    options = parser.parse_args()
    rows: list[Row] = []
    for name in options.only or BENCHMARKS:
        logging.info("measuring %s …", name)
        found = BENCHMARKS[name](quick=options.quick)
        logging.info("%s\n", table(found))
        rows += found
    write(rows, options.json, quick=options.quick)
    logging.info("written: %s", options.json)


if __name__ == "__main__":
    logging.basicConfig(format="%(message)s", level=logging.INFO, stream=sys.stdout)
    main()
