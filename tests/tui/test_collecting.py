"""Garbage collections are short while the app is used, and leave nothing behind once it is not."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from xirtam_tui import collecting
from xirtam_tui.collecting import LOOK_S, Collector


class _Ring:
    """Garbage of the kind that only the collector finds."""

    def __init__(self) -> None:
        self.me = self


class _Clock:
    """Time as the collector sees it: the day's, and what its thread has worked."""

    def __init__(self) -> None:
        self.now_s = self.worked_s = 1000.0

    def monotonic(self) -> float:
        return self.now_s

    def thread_time(self) -> float:
        return self.worked_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> _Clock:
    clock = _Clock()
    monkeypatch.setattr(collecting, "time", clock)
    return clock


@pytest.fixture
def collector(clock: _Clock) -> Iterator[Collector]:
    collector = Collector()
    collector.start()
    yield collector
    collector.stop()


def _old_garbage() -> "weakref.ref[_Ring]":
    """Garbage that was in use while everything was collected."""
    ring = _Ring()
    gc.collect()
    return weakref.ref(ring)


def _live(collector: Collector, clock: _Clock, seconds: float, *, busy: float) -> None:
    for _ in range(int(seconds / LOOK_S)):
        clock.now_s += LOOK_S
        clock.worked_s += busy * LOOK_S
        collector.look()


@pytest.mark.usefixtures("collector")
def test_a_full_collection_does_not_walk_what_an_earlier_one_has_left() -> None:
    gc.collect()
    assert len(gc.get_objects()) < 1000
    assert gc.get_freeze_count() > 1000


@pytest.mark.usefixtures("collector")
def test_what_became_garbage_since_the_last_full_collection_goes_with_the_next() -> None:
    gc.collect()
    ring = weakref.ref(_Ring())
    gc.collect()
    assert ring() is None


@pytest.mark.usefixtures("collector")
def test_however_much_is_kept_no_collection_walks_more_than_some_thousands() -> None:
    kept: list[list[int]] = []
    most = 0
    for number in range(50_000):
        kept.append([number])
        if number % 500 == 0:
            most = max(most, len(gc.get_objects()))
    assert len(kept) > 5 * most


def test_the_interpreter_gets_its_own_ways_back() -> None:
    before = gc.get_threshold()
    collector = Collector()
    collector.start()
    collector.stop()
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0


def test_old_garbage_goes_when_nobody_uses_the_app(collector: Collector, clock: _Clock) -> None:
    ring = _old_garbage()
    _live(collector, clock, 600, busy=0.1)
    assert ring() is not None, "a long collection while somebody types"
    _live(collector, clock, 60, busy=0.001)
    assert ring() is None


def test_old_garbage_goes_in_the_end_though_the_app_is_never_idle(collector: Collector, clock: _Clock) -> None:
    ring = _old_garbage()
    _live(collector, clock, 4000, busy=0.5)
    assert ring() is None
