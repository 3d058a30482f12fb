"""Rates for many sources in bounded memory, and what counts as one source."""

from hypothesis import given
from hypothesis import strategies as st

from xirtam_server.sources import source_of
from xirtam_server.token_buckets import TokenBuckets


def test_a_source_may_ask_again_after_a_while() -> None:
    rates = TokenBuckets[str](2.0, 4, 10)
    assert [rates.takes("a", 0.0) for _ in range(5)] == [True] * 4 + [False]
    assert [rates.takes("a", 1.0) for _ in range(3)] == [True, True, False]


def test_being_forgotten_gains_nobody_anything() -> None:
    rates = TokenBuckets[str](1.0, 2, 3)
    allowed = sum(rates.takes(str(number % 50), 0.0) for number in range(500))
    assert allowed <= 8


def test_an_ipv6_network_is_one_source() -> None:
    assert source_of("2001:db8:1:2::5") == source_of("2001:db8:1:2:ffff::1") != source_of("2001:db8:1:3::5")
    assert source_of("::ffff:192.0.2.1") == source_of("192.0.2.1") == "192.0.2.1"
    assert source_of("fe80::1%eth0") == source_of("fe80::2%eth1")
    assert source_of("no:address") == "no:address"


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(0, 3)), max_size=200))
def test_being_forgotten_never_gains_a_token(steps: list[tuple[int, float]]) -> None:
    small, large = TokenBuckets[int](1, 3, 2), TokenBuckets[int](1, 3, 100)
    now = 0.0
    for key, pause in steps:
        now += pause
        assert small.wait_s(key, now) >= large.wait_s(key, now)
        if small.wait_s(key, now) <= 0:
            small.take(key, now)
            large.take(key, now)
        assert len(small) <= 2


def test_somebody_new_is_not_held_to_account_for_those_whose_buckets_are_full_again() -> None:
    buckets = TokenBuckets[int](1, 3, 10)
    for key in range(1000):
        buckets.take(key, now=float(key))
    assert buckets.wait_s(5000, 1000.0) == -2.0, "it has its whole burst"
