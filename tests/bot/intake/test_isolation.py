"""What crashes the program is found by running it alone, and whatever ran beside it is answered."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from engines import Engine
from tgllm.bot.intake.isolation import ALONE_SECONDS, HOLD_SECONDS, Isolation
from tgllm.config.model import TurnsSection
from tgllm.db.engine.unit import Connection
from tgllm.db.queries import inbox_claims
from tgllm.db.queries.shared import inbox_recovery
from tgllm.db.tables import inbox
from tgllm.db.tables.inbox import NewUpdate
from tgllm.testing.clock import ManualClock

pytestmark = pytest.mark.once

ATTEMPTS = 2
PLACES = 8


@pytest.fixture
def conn(tmp_path: Path, engine: Engine) -> Iterator[Connection]:
    with engine.connected(tmp_path / "tgllm.db") as conn:
        yield conn


def ask(conn: Connection, ids: Sequence[int], lane: Callable[[int], str] = str) -> None:
    rows = [NewUpdate(i, f":{lane(i)}:", "message", control=False, payload="{}") for i in ids]
    inbox.add_updates(conn, rows, 1)


@dataclass
class Run:
    """The program from a start to its end, with virtual time."""

    conn: Connection
    crashed: bool = True
    attempts: int = ATTEMPTS
    clock: ManualClock = field(default_factory=ManualClock)
    running: dict[int, float] = field(default_factory=dict[int, float])
    spent: list[int] = field(default_factory=list[int])

    def __post_init__(self) -> None:
        found = inbox_recovery.recover(self.conn, 2, max_attempts=self.attempts, crashed=self.crashed)
        self.spent = [row.update_id for row in found.spent]
        self.isolation = Isolation(self.clock)
        self.isolation.permit(0, 0, 0)

    @property
    def now(self) -> float:
        return self.clock.monotonic()

    def claim(self, lasts: Callable[[int], float] = lambda _: 1.0) -> list[int]:
        permit = self.isolation.permit(PLACES - len(self.running), 4, len(self.running))
        selected = permit.claim(self.conn, 2, self.attempts)
        self.isolation.begun(selected)
        ids = [row.update_id for row in selected.rows]
        for row in selected.rows:
            if row.crashes:
                inbox.mark_asked(self.conn, row.update_id)
            self.running[row.update_id] = self.now + lasts(row.update_id)
        return ids

    def end(self, update_id: int) -> None:
        inbox.finish(self.conn, update_id, "done", 2)
        del self.running[update_id]
        self.isolation.ended(update_id)

    def pass_to(self, when: float) -> None:
        self.clock._elapsed = max(self.now, when)


def crashes(conn: Connection, count: int) -> Run:
    """Crash so often at the very start, and start once more."""
    for _ in range(count):
        Run(conn).claim()
    return Run(conn)


def test_after_one_crash_all_run_together_again(conn: Connection) -> None:
    ask(conn, range(20))
    assert crashes(conn, 1).claim() == list(range(PLACES))


def test_after_two_crashes_the_suspects_run_one_by_one(conn: Connection) -> None:
    ask(conn, range(PLACES))
    run = crashes(conn, 2)
    for number in range(PLACES):
        assert run.claim() == [number]
        assert run.claim() == [], "nothing runs beside it"
        run.end(number)


def test_others_wait_for_one_suspect_only(conn: Connection) -> None:
    ask(conn, range(12))
    run = crashes(conn, 2)
    assert run.claim() == [0]
    run.end(0)
    assert run.claim() == [8, 9, 10, 11]
    ask(conn, range(20, 22))
    assert run.claim() == [], "a suspect is next"
    for number in (8, 9, 10, 11):
        assert run.claim() == [], "it runs alone"
        run.end(number)
    assert run.claim() == [1]
    run.end(1)
    assert run.claim() == [20, 21]


def test_an_orderly_end_makes_nobody_suspect(conn: Connection) -> None:
    ask(conn, range(12))
    for _ in range(5):
        assert Run(conn, crashed=False).claim() == list(range(PLACES))


def test_the_guilty_is_found_and_given_up(conn: Connection) -> None:
    ask(conn, range(12))
    run = crashes(conn, 2)
    assert run.claim() == [0]
    run.end(0)
    for number in run.claim():
        run.end(number)
    assert run.claim() == [1]
    run = Run(conn)  # 1 has crashed it
    assert run.claim() == [2], "what has a strike comes last"
    run.end(2)
    for number in (3, 4, 5, 6, 7):
        assert run.claim() == [number]
        run.end(number)
    ask(conn, [12])
    assert run.claim() == [12]
    run.pass_to(HOLD_SECONDS)
    assert run.claim() == [], "it waits until the others have ended"
    run.end(12)
    assert run.claim() == [1]
    run = Run(conn)
    assert run.spent == [1]
    assert inbox.counts(conn) == {"done": 12, "failed": 1}


def test_the_isolation_has_an_end_and_is_longer_after_each_crash(conn: Connection) -> None:
    ask(conn, range(3))
    run = crashes(conn, 2)
    assert run.claim() == [0]
    assert run.isolation.next_look() == ALONE_SECONDS
    run.pass_to(ALONE_SECONDS - 0.1)
    assert run.claim() == []
    run.pass_to(ALONE_SECONDS)
    assert run.claim() == [1], "the next suspect"
    run = Run(conn)  # two have run, so nobody has a strike
    assert [row.strikes for row in inbox_claims.suspects(conn)] == [0, 0, 0]
    assert run.claim() == [0]
    assert run.isolation.next_look() == 2 * ALONE_SECONDS


@pytest.mark.parametrize("asked", [False, True])
def test_a_single_question_that_crashes_the_program_is_given_up(conn: Connection, asked: bool) -> None:
    ask(conn, [1])
    for _ in range(3 if asked else 4):
        run = Run(conn)
        assert run.spent == []
        run.pass_to(100)
        assert run.claim() == [1]
        if not asked:
            conn.execute("UPDATE inbox SET asked = 0")
    assert Run(conn).spent == [1]


def test_what_had_not_asked_yet_at_a_first_crash_has_no_strike(conn: Connection) -> None:
    ask(conn, [1])
    run = Run(conn)
    run.claim()
    conn.execute("UPDATE inbox SET asked = 0")
    Run(conn)
    row = inbox.get(conn, 1)
    assert row is not None
    assert (row.crashes, row.strikes) == (1, 0)


def test_the_order_of_a_lane_is_kept(conn: Connection) -> None:
    ask(conn, range(4), lane=lambda _: "7")
    run = crashes(conn, 2)
    run.pass_to(HOLD_SECONDS)
    for number in range(4):
        assert run.claim() == [number]
        run.end(number)


def test_a_control_update_runs_beside_a_suspect(conn: Connection) -> None:
    ask(conn, range(2))
    run = crashes(conn, 2)
    run.claim()
    inbox.add_updates(conn, [NewUpdate(9, ":0:", "message", control=True, payload="{}")], 1)
    assert run.claim() == [9]


@pytest.mark.parametrize("late", [0.0, 0.5, 60.0])
def test_a_suspect_that_becomes_due_during_a_claim_starts_with_the_next_one(conn: Connection, late: float) -> None:
    """A slow disk, or a timer that fires early, must not leave it waiting for an event that never comes."""
    ask(conn, [1])
    run = crashes(conn, 2)
    run.pass_to(HOLD_SECONDS - 0.001)
    assert run.claim() == [], "not due yet"
    run.pass_to(HOLD_SECONDS + late)
    assert run.isolation.next_look() == 0.0
    assert run.claim() == [1]


def test_quick_kills_at_the_start_cost_no_question(conn: Connection) -> None:
    ask(conn, range(120))
    for _ in range(100):
        run = Run(conn)
        assert run.spent == []
        run.claim()
    answered = finish_all(Run(conn))
    assert answered == set(range(120))


def finish_all(run: Run) -> set[int]:
    """Let the program run until everything is answered."""
    answered: set[int] = set()
    for _ in range(1000):
        run.claim()
        if run.running:
            first = min(run.running, key=lambda each: run.running[each])
            run.pass_to(run.running[first])
            run.end(first)
            answered.add(first)
        elif (seconds := run.isolation.next_look()) is not None:
            run.pass_to(run.now + seconds)
        else:
            break
    return answered


def simulate(conn: Connection, seed: int, most_kills: int, attempts: int) -> tuple[set[int], set[int], list[int], int]:
    """Run 120 questions, of which some kill the process, under a supervisor; a stranger kills it too.

    Returns:
        The killers, the answered, the ids given up, and the number of crashes.
    """
    chance = random.Random(seed)
    killers = set(chance.sample(range(120), chance.randint(1, 3)))
    kill_after = {killer: chance.choice([0.0, 0.3, 2.0, 40.0]) for killer in killers}
    kills = [chance.choice([0.1, 0.5, 3.0, chance.uniform(0, 30)]) for _ in range(chance.randint(0, most_kills))]
    lasts = {number: chance.uniform(0.5, 5.0) for number in range(120)} | kill_after
    ask(conn, range(120), lane=lambda number: str(number % 60))
    answered: list[int] = []
    given_up: list[int] = []
    for count in range(150):
        run = Run(conn, attempts=attempts)
        given_up += run.spent
        killed_at = kills.pop() if kills else float("inf")
        while True:
            run.claim(lambda update_id: lasts[update_id])
            first = min(run.running, key=lambda each: run.running[each], default=None)
            look = run.isolation.next_look()
            times = [killed_at, *([run.running[first]] if first is not None else [])]
            times += [run.now + look] if look is not None else []
            when = min(times)
            if when == float("inf"):
                return killers, set(answered), given_up, count
            run.pass_to(when)
            if when == killed_at:
                break
            if first is not None and when == run.running[first]:
                if first in killers:
                    break
                run.end(first)
                answered.append(first)
    raise AssertionError("it crashes without end")


@pytest.mark.parametrize("block", range(4))
@pytest.mark.parametrize(("most_kills", "attempts"), [(4, 2), (40, TurnsSection().attempts)])
def test_no_innocent_is_given_up_and_every_killer_is(
    tmp_path: Path, engine: Engine, block: int, most_kills: int, attempts: int
) -> None:
    for seed in range(block * 25, block * 25 + 25):
        with engine.transaction(tmp_path / "tgllm.db") as conn:
            killers, answered, given_up, count = simulate(conn, seed, most_kills, attempts)
        assert set(given_up) == killers, seed
        assert len(given_up) == len(killers)
        assert answered == set(range(120)) - killers, seed
        assert count <= 8 + most_kills + (4 + attempts) * len(killers), seed
