"""The admin suite: each screen by text and by button, and that only admins get anything."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

from tgllm.bot.admin.assembly import admin_table
from tgllm.db import users
from tgllm.i18n.catalogue import texts_of
from tgllm.testing.bot import RunningBot
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.state import EmulatedMessage
from tgllm.testing.emulator.users import EmulatedUser

Start = Callable[..., AbstractAsyncContextManager[RunningBot]]
Ask = Callable[..., Awaitable[EmulatedMessage]]


async def let_in(bot: RunningBot, person: EmulatedUser) -> None:
    await bot.core.database.write(lambda conn: users.upsert_seen(conn, users.SeenUser(person.id, first_name="Eve"), 1))
    await bot.core.database.write(lambda conn: users.set_status(conn, person.id, "active", 1))


class TestTable:
    def test_every_row_is_described_and_no_text_is_left_over(self) -> None:
        rows = [row for row in admin_table().rows if row.name != "menu"]
        wanted = {f"admin.{row.name}.about" for row in rows} | {f"admin.{row.name}.label" for row in rows if row.menu}

        assert {key for key in texts_of("en") if key.endswith((".about", ".label"))} == wanted

    async def test_an_unknown_command_names_the_nearest(self, ask: Ask, start: Start) -> None:
        async with start():
            assert (await ask("/admin mneu")).text == "I don't know /admin mneu. Did you mean /admin menu?"
            assert (await ask("/admin xyzzy")).text == "I don't know /admin xyzzy. /admin shows what there is."

    async def test_who_is_no_admin_gets_nothing(
        self, emu: Emulator, ask: Ask, ann: EmulatedUser, eve: EmulatedUser, start: Start
    ) -> None:
        async with start() as bot:
            await let_in(bot, eve)
            menu = await ask("/admin")
            await eve.say("/admin stats")
            refused = await emu.wait_for_message(eve.private_chat(), lambda message: message.from_bot)
            query = eve._query(menu, "admin:stats")
            answer = await emu.wait_for(lambda: query.answer)
        assert refused.text == answer["text"] == "Only admins of the bot can use this command."

    async def test_a_group_does_not_read_along(self, emu: Emulator, ask: Ask, ann: EmulatedUser, start: Start) -> None:
        group, admins = emu.add_group(title="Team", members=[ann]), emu.add_group(title="Admins", members=[ann])
        async with start(admin_chat_id=admins.id):
            assert "in the admin chat only" in (await ask("/admin@demo_bot", chat=group)).text
            assert (await ask("/admin@demo_bot", chat=admins)).text.startswith("Administration.")
