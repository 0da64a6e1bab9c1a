"""Histories of the simulator: a few random ones, and those in which it found a fault of the product once."""

import pytest

from sf_assets_tests.sync.simulator import history as names
from sf_assets_tests.sync.simulator import rules
from sf_assets_tests.sync.simulator.generator import generate
from sf_assets_tests.sync.simulator.history import Edit, Fault, History, Pass, RollBack, Strike, Sync, as_test
from sf_assets_tests.sync.simulator.oracle import Claim, check_always, check_claim
from sf_assets_tests.sync.simulator.player import play
from sf_assets_tests.sync.simulator.shrink import shrink
from sf_assets_tests.sync.simulator.world import World, table_names


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_after_a_random_history_every_table_is_equal_to_the_org(tmp_path, seed):
    play(generate(seed), tmp_path)


def test_a_seed_always_gives_the_same_history():
    assert generate(5) == generate(5)
    assert generate(5) != generate(6)


def test_a_printed_history_can_be_pasted():
    history = generate(3)
    text = as_test(history, name="pasted", why="why")
    scope = {"Edit": Edit, "Fault": Fault, "History": History, "Pass": Pass, "Strike": Strike, "Sync": Sync}
    scope |= {name: getattr(names, name) for name in ("RollBack", "Upkeep")}
    histories = []
    exec(text, {**scope, "play": lambda one, folder: histories.append(one)}, scope)  # noqa: S102
    scope["test_pasted"](None)
    assert histories == [history]


@pytest.mark.parametrize("name", rules.BREAKS)
def test_each_rule_can_still_be_broken_by_its_change(name):
    rule = rules.BREAKS[name]
    assert (rules.ROOT / "sf_assets" / rule.path).read_text(encoding="utf-8").count(rule.old) == 1


def test_a_failing_history_is_shrunk_to_the_steps_that_matter():
    history = generate(11)
    steps = [step for step in history.steps if isinstance(step, Sync)][:2]

    small = shrink(history, lambda one: all(any(_alike(step, want) for step in one.steps) for want in steps))

    assert len(small.steps) <= len(steps)


def _alike(step: object, other: Sync) -> bool:
    return isinstance(step, Sync) and step.full_refresh == other.full_refresh


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"name": "never"}, "values"),
        ({"id": "001000000000000AAA"}, "values"),
        ({}, "doubled"),
    ],
)
def test_the_oracle_notices_what_the_org_never_had(change, kind):
    world = World(("Account",), rows=1, page_rows=2, locator_rows="live")
    row = table_names(next(iter(world.present("Account").values())))

    findings = check_always([row, row | change], world.books["Account"], may_be_null=())

    assert getattr(findings, kind)


@pytest.mark.parametrize("table", ["empty", "old"])
def test_the_oracle_notices_a_row_that_is_lost_or_old(table):
    world = World(("Account",), rows=1, page_rows=2, locator_rows="live")
    old = table_names(next(iter(world.present("Account").values())))
    world.edit(Edit("update", "Account", value=3))
    claim = Claim(world.seq, frozenset(world.readable("Account")))

    rows = [] if table == "empty" else [old]
    assert check_claim(rows, world, "Account", claim, is_snapshot=False, removes=False).lost


@pytest.mark.slow
def test_hidden_rows_come_back_with_the_versions_of_meanwhile(tmp_path):
    history = History(
        endpoints=("contact",),
        comparison="counts",
        steps=(
            Sync(("contact",)),
            Edit("hide", "Contact", row=2),
            Edit("update", "Contact", row=1, value=3),
            Pass(90_000),
            Sync(("contact",)),
            Edit("show", "Contact"),
            Sync(("contact",)),
        ),
    )
    play(history, tmp_path)


def test_a_full_refresh_that_compares_too_reads_no_row_twice(tmp_path):
    history = History(
        endpoints=("account",), comparison="values", steps=(Sync(("account",), full_refresh=True, reconcile=True),)
    )
    play(history, tmp_path)


@pytest.mark.slow
def test_a_disk_that_fails_during_a_comparison_has_a_named_error(tmp_path):
    steps = [Edit("update", "Account", row=1, value=7)]
    for at in range(1, 24, 2):
        steps += [Pass(90_000), Sync(("account",), strike=Strike("EIO", at))]
    play(History(endpoints=("account",), steps=tuple(steps)), tmp_path)


def test_the_run_shows_the_table_after_an_erasure_that_had_no_rows(tmp_path):
    history = History(
        endpoints=("contact",), deleted="remove", steps=(Sync(("contact",)), Edit("hide", "Contact", row=1))
    )
    play(history, tmp_path)


@pytest.mark.slow
def test_rows_of_a_reread_are_read_again_with_a_column_refused_then(tmp_path):
    history = History(
        endpoints=("contact",),
        steps=(
            Sync(("contact",)),
            Edit("insert", "Contact", value=33, late=1199),
            Edit("refuse_column", "Contact"),
            Sync(("contact",), until=600),
        ),
    )
    play(history, tmp_path)


@pytest.mark.slow
def test_rows_back_in_sight_are_read_again_with_a_column_hidden_then(tmp_path):
    history = History(
        endpoints=("contact",),
        comparison="counts",
        steps=(
            Edit("hide", "Contact", row=1),
            Sync(("contact",)),
            Edit("hide_column", "Contact"),
            Pass(90_000),
            Sync(("contact",)),
            Edit("show", "Contact"),
            Pass(90_000),
            Sync(("contact",)),
            Edit("show_column", "Contact"),
            Pass(600),
            Sync(("contact",)),
        ),
    )
    play(history, tmp_path)


@pytest.mark.slow
def test_a_page_that_lacks_a_row_and_a_kill_after_it_lose_nothing(tmp_path):
    history = History(
        endpoints=("contact",),
        page_rows=3,
        commit_rows=1,
        steps=(Sync(("contact",), faults=(Fault("short_middle"),), strike=Strike("batch", 1)), Sync(("contact",))),
    )
    play(history, tmp_path)


@pytest.mark.slow
def test_a_row_that_is_deleted_and_then_hidden_is_out_of_sight(tmp_path):
    hide = Edit("hide", "Contact", row=9, count=20)
    steps = (
        Sync(("contact",)),
        Edit("delete", "Contact", row=11),
        Sync(("contact",), during=((2, hide),)),
        Pass(200_000),
        Sync(("contact",)),
    )
    play(History(("contact",), steps), tmp_path)


@pytest.mark.slow
def test_a_table_of_a_failed_first_copy_is_not_asked_for_a_re_read(tmp_path):
    steps = (Sync(("account",)), Sync(("contact",), strike=Strike("ENOSPC", 10)), Sync(("contact",), since=100_000))
    play(History(("account", "contact"), steps, rows=3, deleted="remove"), tmp_path)


@pytest.mark.slow
def test_what_the_log_names_after_the_comparison_is_not_expected_of_it(tmp_path):
    purge = Edit("purge", "Account", row=3, count=2)
    steps = (
        Edit("insert", "Account", value=8, count=5, late=1199),
        Sync(("account",)),
        Edit("purge", "Account", row=1, count=6, quiet=True),
        Pass(1_300),
        Sync(("account",), during=((1, purge),)),
        Sync(("account",), reconcile=True),
    )
    play(History(("account",), steps), tmp_path)


def test_a_rollback_past_a_replaced_column_leaves_it_empty(tmp_path):
    steps = (
        Sync(("user_role",)),
        Edit("delete", "UserRole", row=5, late=1199),
        Edit("retype_column", "UserRole", row=9, value=47),
        Sync(("user_role",), full_refresh=True),
        RollBack("user_role"),
    )
    play(History(("user_role",), steps, rows=3), tmp_path)


def test_an_org_that_shows_no_row_at_first_needs_no_comparison(tmp_path):
    play(History(("account",), (Edit("hide", "Account", row=3, count=20),), rows=3), tmp_path)


def test_an_object_that_was_off_and_is_then_empty_is_read_once(tmp_path):
    steps = (Edit("switch_off", "Account"), Edit("hide", "Account", row=3, count=20), Sync(("account",)))
    play(History(("account",), steps, rows=3), tmp_path)


@pytest.mark.slow
def test_a_walk_that_dies_claims_only_the_columns_that_it_reads(tmp_path):
    steps = (
        Edit("hide", "Account", row=11, count=5),
        Sync(("account",)),
        Edit("hide_column", "Account", row=7, value=79),
        Edit("insert", "Account", value=49, late=60, how="early"),
        Sync(("account",), strike=Strike("batch", 3)),
    )
    play(History(("account",), steps, rows=3, commit_rows=1), tmp_path)


def test_a_first_copy_whose_rows_vanish_meanwhile_is_not_compared(tmp_path):
    hide = Edit("hide", "Account", row=11, count=20)
    steps = (Sync(("account", "user_role"), during=((3, hide),), confirm_shrink=True),)
    play(History(("account", "user_role"), steps, rows=3), tmp_path)


@pytest.mark.parametrize("out_of_sight", [True, False])
def test_a_row_back_in_sight_is_open_only_if_its_loss_was_named(out_of_sight):
    """Too many rows are out of sight to be marked; one comes back in a newer version before the next comparison."""
    world = World(("Contact",), 3, 2_000, "live")
    rows = [table_names(row) for row in world.present("Contact").values()]
    for verb in ("restamp", "hide"):
        world.edit(Edit(verb, "Contact"))
    claim = Claim(world.seq, frozenset({"Id", "SystemModstamp"}), out_of_sight=out_of_sight)
    world.edit(Edit("show", "Contact"))

    findings = check_claim(rows, world, "Contact", claim, is_snapshot=False, removes=False)

    assert bool(findings.lost) is not out_of_sight


def test_a_purge_after_a_short_page_hides_no_row_of_a_tail(tmp_path):
    """The org counts a row less, as if the page had been whole."""
    during = ((5, Edit("insert", "Account", value=37)), (7, Edit("purge", "Account", row=6, quiet=True)))
    steps = (
        Edit("insert", "Account", value=50, count=8),
        Sync(("account",)),
        Edit("insert", "Account", value=75, count=8),
        Pass(90_000),
        Edit("restamp", "Account", count=20),
        Pass(4_000),
        Edit("update", "Account", row=3, value=98),
        Sync(("account",), during=during, faults=(Fault("short_first", after=4),), reconcile=True),
    )
    play(History(("account",), steps, page_rows=3, comparison="counts", commit_rows=1), tmp_path)
