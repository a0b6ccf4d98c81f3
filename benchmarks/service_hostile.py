"""The service against hostile input: 2,000 damaged uploads, and schemathesis over the whole API.

    python benchmarks/service_hostile.py [--uploads 2000] [--examples 50] [--json FILE]

Each upload must be answered by a typed error or become a job, and each such job must end, failed
ones by an error of the core's or the service's own; nothing of the API may answer 5xx.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "plugins/ensemble-server/tests"))

from ensemble_server.records.tables import Job
from servers import until
from service_mutations import send_all
from service_nodes import Setting
from sqlalchemy import select


def uploads(setting: Setting, count: int) -> dict[str, Any]:
    """Damaged uploads, and what becomes of those that are jobs."""
    answers = send_all("127.0.0.1", setting.web.port, count)
    service = setting.service()

    def over() -> bool:
        with service.database.read() as session:
            waiting = select(Job.id).where(Job.state.in_(("queued", "running"))).limit(1)
            return session.scalar(waiting) is None

    until(over, 1800, "the end of all jobs", 0.5)
    with service.database.read() as session:
        jobs = session.scalars(select(Job)).all()
    codes = Counter((job.error or {}).get("code", "") for job in jobs if job.state == "failed")
    wrong = [*answers.wrong]
    wrong += [
        f"{job.id}: {job.error}"
        for job in jobs
        if job.state == "failed" and (job.error or {}).get("code") in {None, "internal-error"}
    ]
    if len(jobs) != len(set(answers.accepted)):
        wrong.append(f"{len(jobs)} jobs for {len(set(answers.accepted))} accepted uploads")
    service.close()
    return {
        "uploads": count, "statuses": answers.statuses, "codes": answers.codes,
        "jobs": Counter(job.state for job in jobs), "failed by": codes, "wrong": wrong,
    }  # fmt: skip


def schema(setting: Setting, examples: int) -> dict[str, Any]:
    """Schemathesis: examples, coverage, fuzzing and stateful, for server errors."""
    command = [
        sys.executable, "-m", "schemathesis.cli", "run", f"{setting.web.url}/openapi.json",
        "--checks", "not_a_server_error", "--max-examples", str(examples), "--seed", "1",
        "--no-color", "--request-timeout", "30", "--continue-on-failure",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, cwd=setting.folder, check=False)
    lines = done.stdout.splitlines()
    print("\n".join(lines[-60:]), done.stderr[-2000:], flush=True)
    return {"examples": examples, "exit code": done.returncode, "said": lines[-25:]}


def main() -> None:
    """Both; exit code 1 if something was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--uploads", type=int, default=2000)
    parser.add_argument("--examples", type=int, default=50)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    result: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="ensemble-hostile-") as folder:
        setting = Setting(Path(folder), workers=2)
        setting.start()
        try:
            if given.uploads:
                result["uploads"] = uploads(setting, given.uploads)
                print(json.dumps(result["uploads"], indent=1), flush=True)
            if given.examples:
                result["schemathesis"] = schema(setting, given.examples)
            result["log"] = [line for line in setting.web.log().splitlines() if "failed" in line][
                :20
            ]
        finally:
            setting.stop()
    result["load"] = [round(each, 1) for each in os.getloadavg()]
    if given.json:
        given.json.write_text(json.dumps(result, indent=1) + "\n")
    bad = result.get("uploads", {}).get("wrong") or result.get("schemathesis", {}).get("exit code")
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
