"""A person's usage by day, month and model."""

from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import usage
from tgllm.db.tables.usage import ModelTotal, Spent, Total
from tgllm.services.common.calendar import Days
from tgllm.services.usage.report import usage_report

NOON = 1_762_862_400_000  # 2025-11-11 12:00 UTC


async def test_each_sum_begins_where_its_name_says(database: Database) -> None:
    def spend(conn: Connection) -> None:
        for day, tokens in (("2025-10-31", 1000), ("2025-11-01", 100), ("2025-11-10", 10), ("2025-11-11", 1)):
            usage.add(conn, 7, day, "echo", "a", Spent(input_tokens=tokens, cost_micros=tokens))
        usage.add(conn, 8, "2025-11-11", "echo", "b", Spent(input_tokens=1, cost_micros=1))

    await database.write(spend)
    report = await database.read(lambda conn: usage_report(conn, 7, NOON, Days()))
    assert report.today == Total(1, 1, 0, 1, 0)
    assert report.month == Total(3, 111, 0, 111, 0)
    assert report.ever == Total(4, 1111, 0, 1111, 0)
    assert report.models == [ModelTotal(4, 1111, 0, 1111, 0, "echo", "a")]
