"""Metrics for Prometheus, made of the tallies that the server keeps anyway, each time somebody asks.

Nothing is counted here, so that nothing is locked or looked up while a call is answered. Labels are from short, fixed lists: methods,
transports, outcomes. Nobody's name, token or address is in any of them.
"""

import contextlib
import re
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path

import msgspec
from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from xirtam_core.errors import Malformed
from xirtam_core.rpc.service import MethodError
from xirtam_server.home.service import HomeService
from xirtam_server.storage.interface import StoreStats
from xirtam_server.tally import CallTally, Histogram
from xirtam_server.transports.connections import Connections
from xirtam_server.transports.door import Door

Families = Callable[[], Iterable[Metric]]


class Metrics:
    """All families of a process; `sampled` are the store's counts, which somebody else refreshes now and then."""

    def __init__(
        self,
        data_dir: Path,
        databases: Mapping[str, Path],
        home: HomeService | None,
        doors: Mapping[str, Door],
        connections: Connections,
    ) -> None:
        """`databases` are those that are files, by what they are of: "home" and "directory"."""
        self.sampled: StoreStats | None = None
        self._data_dir, self._databases = data_dir, databases
        self._home, self._doors, self._connections = home, doors, connections
        self._started = time.time()
        self._registry = CollectorRegistry(auto_describe=False)
        ProcessCollector(registry=self._registry)
        GCCollector(registry=self._registry)
        self._registry.register(_Collected(self._families))

    def render(self) -> bytes:
        """The text that Prometheus reads."""
        return generate_latest(self._registry)

    def _families(self) -> Iterator[Metric]:
        yield GaugeMetricFamily("xirtam_start_time_seconds", "When the server started, in Unix time.", self._started)
        build = GaugeMetricFamily("xirtam_build_info", "The version that runs.", labels=["version"])
        build.add_metric([version("xirtam")], 1)
        yield build
        yield from _calls(self._doors)
        yield from _connections(self._connections)
        yield from _disk(self._data_dir)
        yield from _database_files(self._databases)
        if self._home is not None:
            yield from _home(self._home)
            yield from _stats(self.sampled)


class _Collected(Collector):
    """Makes a collector of a function."""

    def __init__(self, families: Families) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families()


def _calls(doors: Mapping[str, Door]) -> Iterator[Metric]:
    requests = CounterMetricFamily(
        "xirtam_requests", "Calls that have ended, by what came of them.", labels=["service", "method", "outcome"]
    )
    seconds = HistogramMetricFamily(
        "xirtam_request_seconds", "How long calls took; long polls wait on purpose.", labels=["service", "method"]
    )
    for service, door in doors.items():
        for method, tally in door.calls.items():
            for outcome, count in _outcomes(tally).items():
                requests.add_metric([service, method, outcome], count)
            _add(seconds, [service, method], tally.seconds)
    return iter((requests, seconds))


def _outcomes(tally: CallTally) -> dict[str, int]:
    outcomes: dict[str, int] = {}
    for kind, count in tally.faults.copy().items():
        name = _outcome(kind)
        outcomes[name] = outcomes.get(name, 0) + count
    return {"ok": sum(tally.seconds.counts) - sum(outcomes.values())} | outcomes


def _outcome(kind: type[Exception]) -> str:
    """What a call that raised `kind` came to: refusals by what they are for, and all that nobody meant as one thing."""
    if kind is IndexError or issubclass(kind, Malformed):  # how the dispatcher calls a missing argument
        return "bad_arguments"
    if issubclass(kind, MethodError) or kind.__module__.startswith("xirtam"):
        return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()
    return "fault"


def _add(family: HistogramMetricFamily, labels: list[str], histogram: Histogram) -> None:
    total, buckets = 0, list[tuple[str, float]]()
    for edge, count in zip((*histogram.edges, float("inf")), tuple(histogram.counts), strict=True):
        total += count
        buckets.append(("+Inf" if edge == float("inf") else repr(float(edge)), total))
    family.add_metric(labels, buckets, histogram.total)


def _connections(connections: Connections) -> Iterator[Metric]:
    events = CounterMetricFamily("xirtam_connections", "What has become of connections.", labels=["transport", "event"])
    still = GaugeMetricFamily("xirtam_connections_open", "Connections right now.", labels=["transport"])
    for transport, counts in list(connections.counts.items()):
        for event, count in msgspec.structs.asdict(counts).items():
            if event == "open":
                still.add_metric([transport], count)
            else:
                events.add_metric([transport, event], count)
    return iter((events, still))


def _home(home: HomeService) -> Iterator[Metric]:
    yield GaugeMetricFamily("xirtam_parked_polls", "Long polls that wait for a message.", home.parked)
    yield GaugeMetricFamily("xirtam_store_waiting", "Changes that wait to be written.", home.store.waiting)
    refused = CounterMetricFamily("xirtam_rate_refusals", "Calls that were over a rate.", labels=["limit"])
    for limit, count in home.throttle.refused.copy().items():
        refused.add_metric([limit], count)
    yield refused
    yield CounterMetricFamily("xirtam_rate_waits", "Calls that were made to wait for a rate.", home.throttle.held_back)
    let_go = CounterMetricFamily(
        "xirtam_polls_let_go", "Long polls answered early to make room, by the bound reached.", labels=["limit"]
    )
    for limit, count in dict(home.polls_let_go).items():
        let_go.add_metric([limit], count)
    yield let_go
    yield CounterMetricFamily(
        "xirtam_forwarded_given_up", "Forwarded calls given up to make room for others.", home.forwarded_given_up
    )
    commits = home.store.commits
    if commits is not None:
        changes = HistogramMetricFamily("xirtam_commit_changes", "How many changes a commit held.", labels=[])
        _add(changes, [], commits.changes)
        seconds = HistogramMetricFamily(
            "xirtam_commit_seconds", "How long a commit took, its flush included.", labels=[]
        )
        _add(seconds, [], commits.seconds)
        yield from (changes, seconds)


def _stats(stats: StoreStats | None) -> Iterator[Metric]:
    if stats is not None:
        for name, value in msgspec.structs.asdict(stats).items():
            yield GaugeMetricFamily(f"xirtam_stored_{name}", f"What the store holds: {name.replace('_', ' ')}.", value)


def _disk(data_dir: Path) -> Iterator[Metric]:
    try:
        usage = shutil.disk_usage(data_dir)
    except OSError:
        return
    yield GaugeMetricFamily("xirtam_disk_free_bytes", "Free where the data directory is.", usage.free)
    yield GaugeMetricFamily("xirtam_disk_size_bytes", "Size of the disk where the data directory is.", usage.total)


def _database_files(databases: Mapping[str, Path]) -> Iterator[Metric]:
    size = GaugeMetricFamily(
        "xirtam_database_bytes", "Size of a database that is a file, its log included.", labels=["database"]
    )
    for name, path in databases.items():
        with contextlib.suppress(OSError):
            used = path.stat().st_size
            for suffix in ("-wal", "-shm"):
                with contextlib.suppress(FileNotFoundError):
                    used += path.with_name(path.name + suffix).stat().st_size
            size.add_metric([name], used)
    yield size
