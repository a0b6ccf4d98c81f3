"""The service under faults: 30 kills (-9) of server, workers, PostgreSQL and Redis in 300 jobs.

    python benchmarks/service_faults.py [--shared] [--jobs 300] [--kills 30] [--json FILE]

Without ``--shared`` the one process on SQLite and a folder is killed. Every job must end exactly
once, with the bytes a conversion alone gives or a stated failure; no file without a record, no
process may be left.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

import attrs

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "plugins/ensemble-server/tests"))

from service_killing import Faults, left_processes
from service_nodes import Setting


def main() -> None:
    """Send jobs and kill; exit code 1 if something was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", action="store_true")
    parser.add_argument("--jobs", type=int, default=300)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ensemble-faults-", ignore_cleanup_errors=True) as name:
        setting = Setting(
            Path(name), shared=given.shared, workers=1, work_nodes=2 if given.shared else 0,
            more={"LEASE": "6"},
        )  # fmt: skip
        setting.start()
        try:
            found = Faults(setting, given.jobs, given.kills, given.seed).run(600)
        finally:
            setting.stop()
        time.sleep(5)
        found.wrong += [f"process left: {each}" for each in left_processes(setting)]
    result = attrs.asdict(found) | {"load": [round(each, 1) for each in os.getloadavg()]}
    print(json.dumps(result, indent=1))
    if given.json:
        given.json.write_text(json.dumps(result, indent=1) + "\n")
    sys.exit(bool(found.wrong))


if __name__ == "__main__":
    main()
