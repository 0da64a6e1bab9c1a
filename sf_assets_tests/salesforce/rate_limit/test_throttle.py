"""The pace as a value: tables of events, and long stories against a token bucket on a clock that is passed in."""

import pytest

from sf_assets.salesforce.rate_limit.throttle import FLOOR_PER_SECOND, HORIZON_SECONDS, Throttle


def take(pace, now):
    """The next permit that is given, waiting as long as it takes: the new pace, and the slot."""
    pace, permit = pace.permit(now)
    while not permit.is_kept:
        now += permit.wait_seconds
        pace, permit = pace.permit(now, previous=permit)
    return pace, permit.slot


def test_the_first_requests_do_not_burst():
    pace = Throttle.at_ceiling(2.0, now=100.0)

    slots = []
    for _ in range(5):
        pace, slot = take(pace, 100.0)
        slots.append(slot)

    assert slots == [100.0, 100.5, 101.0, 101.5, 102.0]


def test_slots_lie_further_apart_by_the_spacing_at_any_rate():
    pace = Throttle.at_ceiling(2.0, now=100.0, spacing=1.04)

    slots = []
    for _ in range(3):
        pace, slot = take(pace, 100.0)
        slots.append(slot)
    slower = pace.pushed_back(now=200.0, sent_at=101.0)

    assert slots == pytest.approx([100.0, 100.52, 101.04])
    assert (take(slower, 200.0)[1], slower.rate) == pytest.approx((200.0, 1.4))
    assert take(take(slower, 200.0)[0], 200.0)[1] == pytest.approx(200.0 + 1.04 / 1.4)


def test_an_idle_hour_saves_up_no_burst():
    pace, _ = take(Throttle.at_ceiling(2.0, now=0.0), 0.0)

    slots = []
    for _ in range(3):
        pace, slot = take(pace, 3600.0)
        slots.append(slot)

    assert slots == [3600.0, 3600.5, 3601.0]


def test_a_pushback_cuts_the_rate_to_seven_tenths():
    pace = Throttle.at_ceiling(2.0, now=0.0).pushed_back(now=1.0, sent_at=0.5)

    assert pace.rate == pytest.approx(1.4)


def test_refusals_of_requests_sent_before_the_last_cut_cut_no_more():
    pace = Throttle.at_ceiling(2.0, now=0.0).pushed_back(now=2.0, sent_at=0.5)

    for sent_at in (1.0, 1.5, 1.9):
        pace = pace.pushed_back(now=2.5, sent_at=sent_at)

    assert pace.rate == pytest.approx(1.4)
    assert pace.pushed_back(now=3.0, sent_at=2.1).rate == pytest.approx(1.42 * 0.7)


RECOVERY = [(0.0, 1.4), (2.5, 1.45), (5.0, 1.5), (15.0, 1.7), (30.0, 2.0), (3600.0, 2.0)]


@pytest.mark.parametrize(("seconds", "rate"), RECOVERY)
def test_the_rate_recovers_by_a_tenth_each_five_seconds_up_to_the_ceiling(seconds, rate):
    pace = Throttle.at_ceiling(2.0, now=0.0).pushed_back(now=10.0, sent_at=9.0)

    assert pace.eased(10.0 + seconds).rate == pytest.approx(rate)


def test_the_rate_never_falls_under_its_floor():
    pace = Throttle.at_ceiling(2.0, now=0.0)

    for second in range(50):
        pace = pace.pushed_back(now=second + 0.5, sent_at=float(second))

    assert pace.rate == pytest.approx(FLOOR_PER_SECOND, abs=0.02)


def test_a_ceiling_under_the_floor_is_kept():
    pace = Throttle.at_ceiling(0.01, now=0.0).pushed_back(now=1.0, sent_at=0.5)

    assert pace.rate == 0.01


def test_no_permit_is_before_a_retry_after_not_even_an_earlier_one():
    pace = Throttle.at_ceiling(2.0, now=0.0)
    pace, _ = pace.permit(0.0)
    pace, permit = pace.permit(0.0)

    pace = pace.pushed_back(now=0.1, sent_at=0.0, retry_after=10.0)
    pace, again = pace.permit(0.5, previous=permit)

    assert again.wait_seconds > 0
    assert take(pace, 0.5)[1] >= 10.1


def test_a_permit_that_is_shown_again_after_its_wait_is_good():
    pace, _ = Throttle.at_ceiling(2.0, now=0.0).permit(0.0)
    pace, permit = pace.permit(0.0)

    pace_after, confirmed_permit = pace.permit(0.5, previous=permit)

    assert confirmed_permit.wait_seconds == 0
    assert pace_after == pace


def test_a_holder_who_comes_late_keeps_his_distance_from_what_follows():
    pace, _ = Throttle.at_ceiling(2.0, now=0.0).permit(0.0)
    pace, permit = pace.permit(0.0)

    alone, _ = pace.permit(permit.slot + 0.1, previous=permit)
    next_permit, behind = pace.permit(0.2)
    next_permit, _ = next_permit.permit(permit.slot + 0.1, previous=permit)

    assert take(alone, 0.7)[1] == pytest.approx(permit.slot + 0.1 + 0.5)
    assert (behind.slot, take(next_permit, 0.7)[1]) == (permit.slot + 0.5, permit.slot + 1.0)


@pytest.mark.parametrize(("late_seconds", "is_good"), [(0.0, True), (0.2, True), (0.3, False), (60.0, False)])
def test_a_permit_whose_holder_overslept_is_given_up(late_seconds, is_good):
    pace, _ = Throttle.at_ceiling(2.0, now=0.0).permit(0.0)
    pace, permit = pace.permit(0.0)
    pace, _ = pace.permit(0.0)

    _, new_permit = pace.permit(permit.slot + late_seconds, previous=permit)

    assert (new_permit.slot == permit.slot) is is_good


def test_slots_are_given_away_only_a_few_seconds_ahead():
    pace = Throttle.at_ceiling(2.0, now=0.0)

    permits = []
    for _ in range(30):
        pace, permit = pace.permit(0.0)
        permits.append(permit)

    slots = [permit for permit in permits if permit.is_kept]
    assert max(permit.slot for permit in slots) <= HORIZON_SECONDS
    assert all(permit.wait_seconds > 0 for permit in permits if not permit.is_kept)


def test_a_clock_that_was_set_back_an_hour_holds_nobody_up_for_an_hour():
    pace, _ = take(Throttle.at_ceiling(2.0, now=7200.0), 7200.0)

    _, slot = take(pace, 3600.0)

    assert slot - 3600.0 < 30


class Bucket:
    """An org's own limiter: a token bucket of one second's burst; refusals cost nothing."""

    def __init__(self, limit):
        self.limit, self.level, self.at = limit, 1.0, 0.0

    def takes(self, now):
        rate = self.limit(now)
        self.level = min(max(1.0, rate), self.level + (now - self.at) * rate)
        self.at = now
        if self.level < 1.0:
            return False
        self.level -= 1.0
        return True


def play(limit, seconds, latency=0.8):
    """One sender who learns of a refusal `latency` later and sends nothing before: moments answered, refused."""
    pace, bucket, now = Throttle.at_ceiling(2.0, now=0.0), Bucket(limit), 0.0
    answers, refusals = [], []
    while now < seconds:
        pace, now = take(pace, now)
        if bucket.takes(now):
            answers.append(now)
        else:
            refusals.append(now)
            pace = pace.pushed_back(now=now + latency, sent_at=now)
            now += latency
    return answers, refusals


def test_most_of_a_bucket_of_1_3_is_used_with_few_refusals():
    answers, refusals = play(lambda _: 1.3, 600)

    assert len(answers) >= 0.88 * 1.3 * 600
    assert len(refusals) <= 30


def test_the_full_rate_is_back_within_a_minute_of_a_limits_return():
    answers, refusals = play(lambda now: 0.7 if 300 <= now < 600 else 2.0, 900)

    assert len(refusals) <= 30
    assert len([moment for moment in answers if 660 <= moment < 690]) >= 0.95 * 60
    assert len(answers) >= 0.9 * (600 * 2 + 300 * 0.7)


def test_far_below_the_start_most_of_the_limit_is_still_used():
    answers, refusals = play(lambda _: 0.2, 600)

    assert len(answers) >= 0.75 * 0.2 * 600
    assert len(refusals) <= 110
