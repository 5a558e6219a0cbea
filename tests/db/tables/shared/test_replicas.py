"""Leases of replicas, and the lead, on both engines."""

from tgllm.db.engine.unit import Connection
from tgllm.db.tables.shared import replicas

A, B = 7, 8
LEASE = 30


def joined(conn: Connection, *ids: int, now: int = 100) -> None:
    for number in ids:
        replicas.join(conn, number, f"host-{number}", now, now + LEASE)


def test_a_lease_is_extended_until_the_row_is_removed(conn: Connection) -> None:
    joined(conn, A)

    assert replicas.beat(conn, A, 150)
    assert replicas.remove(conn, A, 150) is None
    removed = replicas.remove(conn, A, 151)

    assert removed is not None
    assert (removed.name, removed.kind, removed.state) == ("host-7", "bot", "ready")
    assert replicas.remove(conn, A, 151) is None
    assert not replicas.beat(conn, A, 200)


def test_a_row_of_the_starting_process_becomes_that_of_a_replica(conn: Connection) -> None:
    conn.execute(
        "INSERT INTO replicas (id, name, kind, started_at, alive_until, commits) VALUES (7, 's', 'shell', 1, 9, 4)"
    )

    joined(conn, A)

    assert [(row.id, row.name, row.commits) for row in replicas.everyone(conn, 100)] == [(A, "host-7", 4)]


def test_the_first_leads_until_it_leaves(conn: Connection) -> None:
    joined(conn, A, B)

    assert replicas.take_lead(conn, A, 130) == 1
    assert replicas.take_lead(conn, B, 130) is None
    assert replicas.take_lead(conn, A, 140) == 1
    assert replicas.leader(conn) == A
    replicas.leave(conn, A)
    assert replicas.leader(conn) is None
    assert replicas.take_lead(conn, B, 140) == 2


def test_only_the_leader_can_release_the_lead(conn: Connection) -> None:
    joined(conn, A, B)
    replicas.take_lead(conn, A, 130)

    replicas.release_lead(conn, B)
    assert replicas.leader(conn) == A
    replicas.release_lead(conn, A)
    assert replicas.leader(conn) is None


def test_the_lead_of_a_removed_replica_is_free(conn: Connection) -> None:
    joined(conn, A, B)
    replicas.take_lead(conn, A, 130)

    replicas.remove(conn, A, 1000)

    assert replicas.take_lead(conn, B, 1030) == 2


def test_what_a_removed_replica_held_is_free(conn: Connection) -> None:
    joined(conn, A, B)
    for holder in (A, B):
        conn.execute("INSERT INTO budget_reservations VALUES (?, 'k', ?, 1, 1)", (f"u{holder}", holder))
        conn.execute(
            "INSERT INTO turn_orders (lane, turn_id, kind, holder, created_at) VALUES ('1', 'u1', 'stop', ?, 1)",
            (holder,),
        )

    replicas.remove(conn, A, 1000)

    for table in ("budget_reservations", "turn_orders"):
        assert [row[0] for row in conn.execute(f"SELECT holder FROM {table}")] == [B]


def test_the_view_has_the_leader_and_who_is_late(conn: Connection) -> None:
    assert replicas.view(conn, 100) == replicas.View(None, 0, 0)
    joined(conn, A, now=50)
    joined(conn, B)
    replicas.take_lead(conn, B, 130)

    assert replicas.view(conn, 100) == replicas.View(B, 1, 1, (A,))


def test_a_draining_replica_lives_and_an_expired_one_does_not(conn: Connection) -> None:
    joined(conn, A, B)

    replicas.drain(conn, A)
    replicas.expire(conn, B)

    assert [(row.id, row.state) for row in replicas.everyone(conn, 100)] == [(A, "draining")]
    assert replicas.everyone(conn, 100, but=[A]) == []
    assert replicas.remove(conn, B, 100) is not None


def test_the_clock_goes_on_within_a_transaction(conn: Connection) -> None:
    year_2020, year_2100 = 1_577_836_800_000, 4_102_444_800_000
    first, second = replicas.clock(conn), replicas.clock(conn)

    assert year_2020 < first <= second < year_2100
