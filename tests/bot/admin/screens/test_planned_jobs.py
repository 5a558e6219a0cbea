"""Admins see the one-shot jobs of plugins without their data, and cancel one after a confirmation."""

from bot_support import Ask, Menus, Start
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import audit, groups
from tgllm.db.tables.plugins import jobs
from tgllm.db.tables.plugins.jobs import NewJob
from tgllm.testing.emulator.users import EmulatedUser

LATER = 4_102_444_800_000
"""2100-01-01 00:00 UTC."""
GROUP = -1_005


async def test_jobs_are_listed_and_cancelled_after_a_confirmation(
    ask: Ask, ann: EmulatedUser, menus: Menus, start: Start
) -> None:
    def plan(conn: Connection) -> None:
        groups.request(conn, GROUP, "Team", 1)
        jobs.plan(conn, NewJob("tea", ann.id, "kettle\nand more", {"said": "secret"}, LATER), 1)
        jobs.plan(conn, NewJob("tea", GROUP, "cups", None, LATER + 60_000), 1)
        jobs.plan(conn, NewJob("weather", 0, "look", None, LATER + 120_000), 1)

    def left(conn: Connection) -> list[str]:
        return [job.job_id for job in jobs.page_of_planned(conn, 10, 0)]

    async with start() as bot:
        assert all("One-shot jobs" not in label for label in (await ask("/admin jobs")).labels)
        await bot.core.database.write(plan)
        shown = await ask("/admin jobs")
        await menus.press(ann, shown, "One-shot jobs of plugins: 3")
        assert shown.text.splitlines()[2:] == [
            f"1: tea, kettle and more, 2100-01-01 00:00, for Ann ({ann.id})",
            f"2: tea, cups, 2100-01-01 00:01, for Team ({GROUP})",
            "3: weather, look, 2100-01-01 00:02, for the plugin itself",
        ]
        assert "secret" not in shown.text
        again = await ask("/admin planned")
        await menus.press(ann, shown, "❌ 1")
        assert "kettle" in shown.text
        assert "cups" not in shown.text
        assert len(await bot.core.database.read(left)) == 3
        await menus.press(ann, shown, "Keep it")
        assert len(await bot.core.database.read(left)) == 3
        await menus.press(ann, shown, "❌ 1")
        await menus.press(ann, shown, "Cancel the job")
        assert await bot.core.database.read(left) == ["cups", "look"]
        (entry,) = await bot.core.database.read(lambda conn: audit.list_recent(conn, 1))
        assert (entry.actor_id, entry.action, entry.details) == (ann.id, "job.cancel", {"owner": ann.id})
        assert entry.target.startswith("tea/kettle")
        # A screen from before the cancellation, and a job that was planned anew under the same name.
        await menus.press(ann, again, "❌ 1")
        assert "kettle" not in again.text
        stale = await ask("/admin planned")
        await bot.core.database.write(lambda conn: jobs.plan(conn, NewJob("tea", GROUP, "cups", None, LATER), 2))
        await menus.press(ann, stale, "❌ 2")
        assert "Cancel this job?" not in stale.text
        assert sorted(await bot.core.database.read(left)) == ["cups", "look"]
        for forged in ("cancel", "confirm 2", "confirm x y", "confirm 3 0", f"confirm {'9' * 18} 1", "confirm ٣ ٣"):
            assert "cups" in (await ask(f"/admin planned {forged}")).text
        assert len(await bot.core.database.read(left)) == 2
