"""The service under load, with the mock recognizer: many clients, a long queue, memory, its cost.

    python benchmarks/service_load.py [clients drain memory cost …] [--shared] [--jobs 10000]
        [--workers 2] [--json FILE]

``clients``: 200 clients send a job at the same moment, five times; 200 clients send two each, one
in flight; 200 clients send one each in 2 s and in 5 s; ``drain``: 2,000 queued jobs against what
the same slots convert without a service; ``memory``: the resident memory of the server's processes
along 10,000 jobs; ``cost``: CPU time a job beside the conversion, median of 1,000.
Without ``--shared`` on SQLite and a folder, with it on
PostgreSQL, Redis and S3 (moto's server), with a node that answers and one that converts.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import queue
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from functools import lru_cache, partial
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import psutil
import uvloop

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "plugins/ensemble-server/tests"))

from ensemble_server.jobs.asked import Asked
from ensemble_server.jobs.slots import Slot
from ensemble_server.records.tables import Job
from ensemble_server.service.service import base_config
from servers import until
from service_nodes import Setting
from sqlalchemy import func, select

from ensemble_core.pipeline import Input

CLIENTS, EACH, BURSTS = 200, 2, 5
DRAIN, BLOCK, WARMING = 2000, 500, 20
COST = 1000
PATIENCE = 60.0
ASKED = {"recognizer": "mock", "export": ["musicxml", "midi"]}


@lru_cache(maxsize=4)
def blank() -> Any:
    """A page: A4 at 100 dpi."""
    from PIL import Image

    return Image.new("L", (827, 1169), 255)


def picture(number: int) -> bytes:
    """A page of its own for each number."""
    page = blank().copy()
    page.putpixel((400, 400), number % 256)
    page.putpixel((401, 400), number // 256 % 256)
    page.putpixel((402, 400), number // 65536)
    stream = BytesIO()
    page.save(stream, "PNG", compress_level=1)
    return stream.getvalue()


def upload(number: int) -> bytes:
    """A whole request: the upload of a page of its own."""
    parts = [
        (f'name="files"; filename="page-{number}.png"', picture(number)),
        ('name="options"', json.dumps(ASKED).encode()),
    ]
    lines = [
        b"--part\r\nContent-Disposition: form-data; %s\r\n\r\n%s\r\n" % (name.encode(), content)
        for name, content in parts
    ]
    body = b"".join([*lines, b"--part--\r\n"])
    head = (
        "POST /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
        f"Content-Type: multipart/form-data; boundary=part\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Exchange(asyncio.Protocol):
    """One request on a connection of its own, made beforehand: the clients share the machine with
    the service, and a library's client takes half of what the service does.

    Args:
        request: What is sent.
        answer: What comes back, when the connection has ended.
    """

    def __init__(self, request: bytes, answer: asyncio.Future[bytes]) -> None:
        self._request, self._answer = request, answer
        self._received = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send."""
        cast("asyncio.WriteTransport", transport).write(self._request)

    def data_received(self, data: bytes) -> None:
        """Gather."""
        self._received += data

    def connection_lost(self, error: Exception | None) -> None:
        """Give what came."""
        if not self._answer.done():
            self._answer.set_result(bytes(self._received))


class Bench:
    """One service and what is measured of it.

    Args:
        setting: The service.
    """

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.service = setting.service()
        self.sent = 0

    async def send(self, request: bytes) -> tuple[int, float]:
        """Send a job; gives the status (0: no answer) and the seconds it took."""
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[bytes] = loop.create_future()
        began = time.perf_counter()
        await loop.create_connection(
            lambda: Exchange(request, answered), "127.0.0.1", self.setting.web.port
        )
        answer = await asyncio.wait_for(answered, PATIENCE)
        taken = time.perf_counter() - began
        status = int(answer[9:12] or 0)
        if status not in {200, 202}:
            print(f"  {answer[:1000]!r}", flush=True)
        return status, taken

    def states(self) -> dict[str, int]:
        """How many jobs are in which state."""
        with self.service.database.read() as session:
            found = session.execute(select(Job.state, func.count()).group_by(Job.state))
            return {str(state): int(count) for state, count in found}

    def twice(self) -> int:
        """Jobs that were begun more than once."""
        with self.service.database.read() as session:
            return session.scalar(select(func.count()).where(Job.attempt != 1)) or 0

    def rate(self, count: int) -> float:
        """Jobs a second among the last ``count``, without those that started the processes."""
        with self.service.database.read() as session:
            ends = session.scalars(
                select(Job.finished).order_by(Job.finished.desc()).limit(count - WARMING)
            ).all()
        return (len(ends) - 1) / (ends[0] - ends[-1]).total_seconds()

    def wait(self, count: int, seconds: float = 900.0, pause: float = 0.25) -> None:
        """Wait until ``count`` jobs have ended well."""
        until(lambda: self.states().get("done", 0) >= count, seconds, "jobs", pause)

    def uploads(self, count: int) -> list[bytes]:
        """The next requests, made before they are sent."""
        self.sent += count
        return [upload(number) for number in range(self.sent - count, self.sent)]

    def send_all(self, count: int, at_once: int) -> list[tuple[int, float]]:
        """Send jobs, so many at a time."""
        requests = iter(self.uploads(count))

        async def client() -> list[tuple[int, float]]:
            return [await self.send(request) for request in requests]

        return at_the_same_time([client() for _ in range(at_once)])


def at_the_same_time(
    some: Sequence[Coroutine[Any, Any, list[tuple[int, float]]]],
) -> list[tuple[int, float]]:
    """The answers to all these clients."""

    async def run() -> list[list[tuple[int, float]]]:
        return await asyncio.gather(*some)

    return [answer for answers in uvloop.run(run()) for answer in answers]


def clients(bench: Bench) -> dict[str, Any]:
    """Many at once: bursts, then two each, then one each in 2 s and in 5 s."""
    found: dict[str, Any] = {}

    def measure(name: str, send: Callable[[], list[tuple[int, float]]]) -> None:
        before = loop_ms()
        found[name] = latencies(send())
        found[name]["loop ms"] = [round(each, 1) for each in (before, loop_ms())]
        print(f"  {name}: {found[name]} (load {os.getloadavg()[0]:.1f})", flush=True)

    bench.send_all(20, 4)  # the first ones start the worker processes
    for number in range(BURSTS):
        bench.wait(bench.sent)
        measure(f"burst {number + 1}", lambda: bench.send_all(CLIENTS, CLIENTS))
    bench.wait(bench.sent)
    measure("closed loop", lambda: bench.send_all(CLIENTS * EACH, CLIENTS))
    for pause in (2.0, 5.0):
        measure(f"every {pause:g} s", partial(paced, bench, pause))
    bench.wait(bench.sent, 1800.0)
    bursts = [found[f"burst {number + 1}"]["p95 ms"] for number in range(BURSTS)]
    found["burst, median p95 ms"] = statistics.median(bursts)
    return {**found, "states": bench.states(), "begun more than once": bench.twice()}


def loop_ms() -> float:
    """How long a fixed loop takes: how fast a core is now, which changes where it is shared."""
    times = []
    for _ in range(5):
        began = time.perf_counter()
        sum(range(500_000))
        times.append((time.perf_counter() - began) * 1000)
    return min(times)


def paced(bench: Bench, pause: float) -> list[tuple[int, float]]:
    """200 clients, each of which sends a job every ``pause`` seconds or as soon as it may."""
    requests = bench.uploads(CLIENTS * EACH)

    async def client(number: int) -> list[tuple[int, float]]:
        answers = []
        await asyncio.sleep(pause * number / CLIENTS)
        for request in requests[number::CLIENTS]:
            began = time.perf_counter()
            answers.append(await bench.send(request))
            await asyncio.sleep(max(0.0, pause - (time.perf_counter() - began)))
        return answers

    return at_the_same_time([client(number) for number in range(CLIENTS)])


def latencies(answers: list[tuple[int, float]]) -> dict[str, Any]:
    """What the answers say."""
    times = sorted(taken * 1000 for _, taken in answers)
    return {
        "requests": len(answers),
        "errors": sum(status not in {200, 202} for status, _ in answers),
        "p50 ms": round(times[len(times) // 2]),
        "p95 ms": round(times[int(len(times) * 0.95)]),
        "p99 ms": round(times[int(len(times) * 0.99)]),
    }


class Alone:
    """The same slots with the same pipelines, without a service."""

    def __init__(self, setting: Setting, slots: int) -> None:
        base = base_config(setting.read_settings().model_copy(update={"workers": slots}))
        self.slots = [Slot(base) for _ in range(slots)]
        self.asked = Asked.parse(ASKED)
        self.folder = Path(tempfile.mkdtemp(prefix="ensemble-bench-"))
        for number in range(len(self.slots)):
            self.run(self.slots[number], self.write(number))

    def write(self, number: int) -> Path:
        """Make a page."""
        path = self.folder / f"page-{number}.png"
        path.write_bytes(picture(number))
        return path

    def run(self, slot: Slot, path: Path) -> None:
        """One conversion."""
        result = slot.pipeline(self.asked).run([Input(path.name, (path,), (path.name,))])
        assert result.ok, result.documents
        path.unlink()

    def rate(self, count: int) -> float:
        """Conversions a second, in as many threads as there are slots."""
        # The pages are made before, as those of the queue are.
        pages: queue.SimpleQueue[Path | None] = queue.SimpleQueue()
        for page in [*map(self.write, range(count)), *([None] * len(self.slots))]:
            pages.put(page)

        def work(slot: Slot) -> None:
            while (page := pages.get()) is not None:
                self.run(slot, page)

        threads = [threading.Thread(target=work, args=(slot,)) for slot in self.slots]
        began = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return count / (time.perf_counter() - began)

    def close(self) -> None:
        """End the processes."""
        for slot in self.slots:
            slot.close()
        self.folder.rmdir()


def drain(bench: Bench, workers: int) -> dict[str, Any]:
    """A long queue against the slots alone, in turns, as the machine is not ours alone.

    The queue is filled while no worker runs; they are started for each turn.
    """
    print("  the slots alone", flush=True)
    alone = Alone(bench.setting, workers)
    nodes = bench.setting.work or [bench.setting.web]
    rates: list[tuple[float, float]] = []
    begun = bench.states().get("done", 0)
    for _ in range(DRAIN // BLOCK):
        before = alone.rate(BLOCK // 2)
        print(f"  alone: {before:.1f}/s", flush=True)
        fill(bench, BLOCK)
        for node in nodes:
            node.start()
        begun += BLOCK
        bench.wait(begun, pause=1.0)
        mine = bench.rate(BLOCK)
        after = alone.rate(BLOCK // 2)
        rates.append((mine, 2 / (1 / before + 1 / after)))
        print(f"  drain: {mine:.1f} jobs/s, alone {before:.1f} and {after:.1f}", flush=True)
        for node in nodes:
            node.stop()
    alone.close()
    for node in nodes:
        node.start()
    ratios = [mine / other for mine, other in rates]
    return {
        "jobs": DRAIN,
        "jobs/s": [round(mine, 1) for mine, _ in rates],
        "alone/s": [round(other, 1) for _, other in rates],
        "ratio": round(statistics.median(ratios), 3),
        "ratios": [round(each, 3) for each in ratios],
        "begun more than once": bench.twice(),
    }


def fill(bench: Bench, count: int) -> None:
    """Put jobs into the queue while nothing works on it."""
    from ensemble_server.auth import users
    from ensemble_server.service.intake import Wish

    for node in bench.setting.work or [bench.setting.web]:
        node.stop()
    user = users.user_id_of(bench.service.database, users.LOCAL, users.LOCAL)
    for number in range(bench.sent, bench.sent + count):
        wish = Wish(asked=Asked.parse(ASKED))
        bench.service.submit(user, [(f"page-{number}.png", picture(number))], wish)
    bench.sent += count


def resident(processes: list[psutil.Process]) -> float:
    """MiB of memory that is theirs alone, shared pages counted by halves and thirds (PSS)."""
    total = 0
    for process in processes:
        try:
            total += process.memory_full_info().pss
        except psutil.NoSuchProcess:
            continue
    return total / 2**20


def memory(bench: Bench, jobs: int) -> dict[str, Any]:
    """The server's processes along many jobs; what is done is not deleted."""
    points: list[tuple[int, float, float]] = []
    while bench.sent < jobs:
        answers = bench.send_all(500, 16)
        assert all(status == 202 for status, _ in answers), answers[:3]
        bench.wait(bench.sent)
        own = sum(resident([psutil.Process(node.pid)]) for node in bench.setting.nodes)
        tree = sum(resident(node.tree()) for node in bench.setting.nodes)
        points.append((bench.sent, own, tree))
        print(f"  {bench.sent} jobs: server {own:.1f} MiB, with workers {tree:.1f} MiB", flush=True)
    half = [point for point in points if point[0] > jobs * 0.3]
    return {
        "jobs": jobs,
        "MiB": [[count, round(own, 1), round(tree, 1)] for count, own, tree in points],
        "server KiB a job": round(slope([(p[0], p[1]) for p in half]) * 1024, 3),
        "tree KiB a job": round(slope([(p[0], p[2]) for p in half]) * 1024, 3),
        "states": bench.states(),
    }


def slope(points: list[tuple[int, float]]) -> float:
    """Of the straight line through the points."""
    if len(points) < 2:
        return 0.0
    return statistics.linear_regression(*zip(*points, strict=True)).slope


def cpu(pid: int) -> float:
    """CPU seconds a process has used, of all its threads, also those that ended (Linux)."""
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return 0.0


def cost(bench: Bench, jobs: int) -> dict[str, Any]:
    """CPU time a job, one after the other, beside that of the same conversions alone."""
    alone = Alone(bench.setting, 1)
    bench.send_all(20, 4)  # the first ones start the worker process
    bench.wait(bench.sent)
    mine: list[tuple[list[float], float]] = []
    other: list[list[float]] = []
    # In turns, as CPU time depends on what else the machine does.
    for start in range(0, jobs, 20):
        mine += one_by_one(bench, 20)
        pids = [os.getpid(), *converters(bench)]
        for number in range(start, start + 20):
            path = alone.write(number)
            before = [cpu(pid) for pid in pids]
            alone.run(alone.slots[0], path)
            other.append([cpu(pid) - then for pid, then in zip(pids, before, strict=True)])
    alone.close()
    service = statistics.median(sum(used) for used, _ in mine)
    conversion = statistics.median(sum(used) for used in other)
    return {
        "jobs": jobs,
        "service ms": round(service * 1000, 2),
        "conversion ms": round(conversion * 1000, 2),
        "beside ms": round((service - conversion) * 1000, 2),
        "service, first process ms": round(statistics.median(u[0] for u, _ in mine) * 1000, 2),
        "conversion, first process ms": round(statistics.median(u[0] for u in other) * 1000, 2),
        "wall ms": round(statistics.median(w for _, w in mine) * 1000, 1),
    }


def converters(bench: Bench) -> list[int]:
    """The worker processes of this process."""
    parts = {each.pid for each in [*bench.setting.nodes, *bench.setting.stores]}
    return [child.pid for child in psutil.Process().children() if child.pid not in parts]


def one_by_one(bench: Bench, count: int) -> list[tuple[list[float], float]]:
    """CPU time, by process, and wall time of each job: sent, converted, seen to have ended."""
    pids = [each.pid for node in bench.setting.nodes for each in node.tree()]

    found = []
    for request in bench.uploads(count):
        done = bench.states().get("done", 0)
        before, began = [cpu(pid) for pid in pids], time.perf_counter()
        uvloop.run(bench.send(request))
        until(lambda: bench.states().get("done", 0) > done, 60, "a job", 0.005)  # noqa: B023
        wall = time.perf_counter() - began
        time.sleep(0.02)  # what it does after the end belongs to it, too
        used = [cpu(pid) - then for pid, then in zip(pids, before, strict=True)]
        found.append((used, wall))
    return found


PARTS = ("clients", "drain", "cost", "memory")


def main() -> None:
    """Measure what is asked for; each part on a service of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []])
    parser.add_argument("--shared", action="store_true")
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--cost", type=int, default=COST, help="jobs of the part `cost`")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the service is stopped, too
    results: dict[str, Any] = {}
    for part in given.parts or PARTS:
        slots = 1 if part == "cost" else given.workers
        with tempfile.TemporaryDirectory(prefix="ensemble-load-") as folder:
            setting = Setting(
                Path(folder), shared=given.shared, workers=slots, work_nodes=int(given.shared)
            )
            setting.start()
            try:
                print(f"{part} (load {os.getloadavg()[0]:.1f})", flush=True)
                bench = Bench(setting)
                arguments = {"drain": (slots,), "memory": (given.jobs,), "cost": (given.cost,)}
                found = globals()[part](bench, *arguments.get(part, ()))
                bench.service.close()
            finally:
                setting.stop()
        results[part] = {**found, "load": [round(each, 1) for each in os.getloadavg()]}
        print(json.dumps(results[part], indent=1), flush=True)
        if given.json:
            given.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
