"""Chats, members, topics, pins, copies, and methods without a behaviour of their own."""

from typing import Any

import aiogram
import pytest
import telegram
from aiogram.methods.base import Response

from emulator_support import Call
from tgllm.testing.emulator import EmulatedChat, EmulatedUser, Emulator
from tgllm.testing.emulator.protocol.parameters import known_methods, method_spec


async def test_joining_and_leaving_are_told(emu: Emulator, ann: EmulatedUser, api: Call) -> None:
    await api("getUpdates", allowed_updates=["message", "chat_member", "my_chat_member"])
    bob = emu.add_user(first_name="Bob")
    group = emu.add_group(title="Team", members=[ann])
    await ann.promote(group, emu.bot)
    await bob.join(group)
    await bob.leave(group)
    told = [(kind, body) for u in await api("getUpdates") for kind, body in u.items() if kind != "update_id"]
    assert [kind for kind, _ in told] == ["my_chat_member", "chat_member", "message", "message", "chat_member"]
    assert told[2][1]["new_chat_members"][0]["first_name"] == "Bob"
    assert told[3][1]["left_chat_member"]["id"] == bob.id
    assert told[0][1]["new_chat_member"]["status"] == "administrator"
    with pytest.raises(ValueError, match="not a member"):
        await bob.say("let me in", chat=group)


async def test_a_group_becomes_a_supergroup(emu: Emulator, ann: EmulatedUser, raw: Call, api: Call) -> None:
    group = emu.add_group(title="Team", members=[ann], is_basic=True)
    grown = await ann.upgrade(group)
    ended, begun = [update["message"] for update in await api("getUpdates")]
    assert (ended["chat"]["id"], ended["migrate_to_chat_id"]) == (group.id, grown.id)
    assert (begun["chat"]["id"], begun["migrate_from_chat_id"]) == (grown.id, group.id)
    assert begun["chat"]["type"] == "supergroup"
    body = await raw("sendMessage", chat_id=group.id, text="x")
    assert body["error_code"] == 400
    assert body["description"] == "Bad Request: group chat was upgraded to a supergroup chat"
    assert body["parameters"] == {"migrate_to_chat_id": grown.id}
    await api("sendMessage", chat_id=grown.id, text="x")
    with pytest.raises(ValueError, match="has become the supergroup"):
        await ann.say("hi", chat=group)
    with pytest.raises(ValueError, match="no basic group"):
        await ann.upgrade(grown)


async def test_a_bot_outside_a_group_is_forbidden(emu: Emulator, ann: EmulatedUser, api: Call, refused: Call) -> None:
    group = emu.add_group(title="Team", members=[ann], bots=[])
    words = await refused("sendMessage", chat_id=group.id, text="x")
    assert words == "403 Forbidden: bot is not a member of the supergroup chat"
    await ann.add(group, emu.bot)
    await api("sendMessage", chat_id=group.id, text="x")
    assert [u["my_chat_member"]["new_chat_member"]["status"] for u in await api("getUpdates", limit=1)] == ["member"]
    await ann.remove(group, emu.bot)
    words = await refused("sendMessage", chat_id=group.id, text="x")
    assert words == "403 Forbidden: bot was kicked from the supergroup chat"


async def test_chats_and_members_can_be_asked_for(
    emu: Emulator, ann: EmulatedUser, chat: EmulatedChat, api: Call, refused: Call
) -> None:
    group = emu.add_group(title="Team", members=[ann])
    assert (await api("getChat", chat_id=chat.id))["first_name"] == "Ann"
    assert (await api("getChat", chat_id=group.id))["title"] == "Team"
    assert await api("getChatMemberCount", chat_id=group.id) == 2
    member = await api("getChatMember", chat_id=group.id, user_id=ann.id)
    assert member["status"] == "creator"
    assert await refused("getChatMember", chat_id=group.id, user_id=5) == "400 Bad Request: user not found"
    (admin,) = await api("getChatAdministrators", chat_id=group.id)
    assert admin["user"]["id"] == ann.id


async def test_topics_of_a_forum_and_of_a_private_chat(
    emu: Emulator, ann: EmulatedUser, chat: EmulatedChat, api: Call, refused: Call
) -> None:
    group = emu.add_group(title="Team", members=[ann], is_forum=True)
    words = await refused("createForumTopic", chat_id=group.id, name="News")
    assert words == "400 Bad Request: not enough rights to create a topic"
    await ann.promote(group, emu.bot)
    for place in (group, chat):
        topic = await api("createForumTopic", chat_id=place.id, name="News")
        where = {"chat_id": place.id, "message_thread_id": topic["message_thread_id"]}
        sent = await api("sendMessage", **where, text="x")
        await api("editForumTopic", **where, name="Old news")
        await api("closeForumTopic", **where)
        assert await refused("sendMessage", **where, text="x") == "400 Bad Request: TOPIC_CLOSED"
        await api("reopenForumTopic", **where)
        assert place.topics[topic["message_thread_id"]].name == "Old news"
        await api("deleteForumTopic", **where)
        assert place.message(sent["message_id"]) is None


async def test_pins_and_copies(ann: EmulatedUser, chat: EmulatedChat, api: Call) -> None:
    message = await ann.say("keep this")
    await api("pinChatMessage", chat_id=chat.id, message_id=message.id)
    assert (await api("getChat", chat_id=chat.id))["pinned_message"]["text"] == "keep this"
    await api("unpinChatMessage", chat_id=chat.id)
    assert not message.is_pinned
    copy = {"chat_id": chat.id, "from_chat_id": chat.id, "message_id": message.id}
    forwarded = await api("forwardMessage", **copy)
    assert forwarded["forward_origin"]["sender_user"]["id"] == ann.id
    assert set(await api("copyMessage", **copy)) == {"message_id"}
    assert [m.text for m in chat.messages] == ["keep this"] * 3


async def test_deletes_follow_the_rights(emu: Emulator, ann: EmulatedUser, api: Call, refused: Call) -> None:
    group = emu.add_group(title="Team", members=[ann])
    message = await ann.say("mine", chat=group)
    where = {"chat_id": group.id, "message_id": message.id}
    assert await refused("deleteMessage", **where) == "400 Bad Request: message can't be deleted"
    await ann.promote(group, emu.bot)
    await api("deleteMessage", **where)
    assert message.is_deleted


async def test_every_method_of_aiogram_is_known_and_answers_in_form(raw: Call) -> None:
    names = known_methods()
    assert len(names) > 150
    statuses: dict[str, int] = {}
    for name in names:
        answer = await raw(name)
        statuses[name] = 200 if answer["ok"] else answer["error_code"]
    assert set(statuses.values()) <= {200, 400, 501}
    assert statuses["setMyDefaultAdministratorRights"] == 200


async def test_a_method_without_a_behaviour_says_so(refused: Call) -> None:
    words = await refused("getStarTransactions")
    assert words == "501 Not Implemented: the emulator does not model getStarTransactions"


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"chat_id": 1, "action": "typing", "message_thread_id": "x"}, "must be of type Integer"),
        ({"chat_id": 1}, 'parameter "action" is required'),
    ],
)
async def test_parameters_are_checked(refused: Call, params: dict[str, Any], words: str) -> None:
    assert words in await refused("sendChatAction", **params)


def test_parameters_come_from_aiograms_classes() -> None:
    spec = method_spec("SENDMESSAGEDRAFT")
    assert spec is not None
    assert spec.name == "sendMessageDraft"
    kinds = {name: p.kind.value for name, p in spec.parameters.items()}
    assert kinds["draft_id"] == "Integer"
    assert kinds["can_stop"] == "Boolean"
    assert kinds["entities"] == "JSON-serialized array of objects"
    assert [name for name, p in spec.parameters.items() if p.required] == ["chat_id", "draft_id"]


async def test_the_bot_tells_about_itself(api: Call) -> None:
    await api("setMyDescription", description="Talks", language_code="en")
    assert await api("getMyDescription", language_code="en") == {"description": "Talks"}
    assert await api("getMyDescription") == {"description": ""}
    assert await api("getMyName") == {"name": "demo_bot"}
    me = await api("GETME")
    assert (me["id"], me["username"], me["is_bot"]) == (42, "demo_bot", True)


async def test_a_bot_in_privacy_mode_hears_only_what_is_for_it(emu: Emulator, ann: EmulatedUser) -> None:
    shy = emu.add_bot(token="43:SHY", username="shy_bot", reads_all_group_messages=False)
    group = emu.add_group(title="Team", members=[ann], bots=[shy])
    for text in ("just talk", "/start", "hey @Shy_Bot"):
        await ann.say(text, chat=group)
    assert [u.body["message"]["text"] for u in shy.queue.pending] == ["/start", "hey @Shy_Bot"]
    await ann.promote(group, shy)
    await ann.say("more talk", chat=group)
    assert shy.queue.pending[-1].body["message"]["text"] == "more talk"


async def test_ephemeral_messages_are_for_one_member(
    emu: Emulator, ann: EmulatedUser, api: Call, refused: Call
) -> None:
    group = emu.add_group(title="Team", members=[ann])
    to_ann = {"receiver_user_id": ann.id}
    sent = await api("sendMessage", chat_id=group.id, text="your usage", ephemeral_message_parameters=to_ann)
    assert (sent["message_id"], sent["ephemeral_message_id"]) == (0, 1)
    assert group.messages == []
    where = {"chat_id": group.id, "ephemeral_message_id": 1, **to_ann}
    await api("editEphemeralMessageText", **where, text="0 tokens")
    assert group.ephemeral[1].text == "0 tokens"
    await api("deleteEphemeralMessage", **where)
    assert group.ephemeral == {}
    assert (await refused("deleteEphemeralMessage", **where)).startswith("400 ")


async def test_several_bots_have_chats_of_their_own(emu: Emulator, ann: EmulatedUser) -> None:
    other = emu.add_bot(token="43:OTHER", username="other_bot")
    await ann.say("for the first")
    await ann.say("for the other", chat=ann.private_chat(other))
    assert [u.body["message"]["text"] for u in emu.bot.queue.pending] == ["for the first"]
    assert [u.body["message"]["text"] for u in other.queue.pending] == ["for the other"]
    with pytest.raises(ValueError, match="already"):
        emu.add_bot(token="43:AGAIN", username="again_bot")


async def test_what_only_administrators_are_told(emu: Emulator, ann: EmulatedUser, api: Call) -> None:
    await api("getUpdates", allowed_updates=["chat_member", "message_reaction"])
    bob = emu.add_user(first_name="Bob")
    group = emu.add_group(title="Team", members=[ann])
    message = await ann.say("hi", chat=group)
    await bob.join(group)
    await ann.react(message, "👍")
    assert await api("getUpdates") == []
    await ann.promote(group, emu.bot)
    await bob.leave(group)
    await ann.react(message, "👎")
    assert [set(u) - {"update_id"} for u in await api("getUpdates")] == [{"chat_member"}, {"message_reaction"}]


async def test_changes_of_members_can_be_read_by_aiogram_and_ptb(emu: Emulator, ann: EmulatedUser, api: Call) -> None:
    await api("getUpdates", allowed_updates=["chat_member", "my_chat_member"])
    bob = emu.add_user(first_name="Bob")
    group = emu.add_group(title="Team", members=[ann])
    await ann.promote(group, emu.bot)
    await bob.join(group)
    await ann.promote(group, bob)
    await ann.remove(group, bob)
    updates = await api("getUpdates")
    assert len(updates) == 4
    client = telegram.Bot(emu.token)
    for update in updates:
        read = aiogram.types.Update.model_validate(update)
        assert read.my_chat_member or read.chat_member
        other = telegram.Update.de_json(update, client)
        assert other.my_chat_member or other.chat_member
    for user in (ann, emu.bot, bob):
        member = await api("getChatMember", chat_id=group.id, user_id=user.id)
        assert telegram.ChatMember.de_json(member, client).user.id == user.id
        answer = {"ok": True, "result": member}
        assert Response[aiogram.methods.GetChatMember.__returning__].model_validate(answer).result is not None


async def test_copying_several_messages_skips_what_is_not_there(
    chat: EmulatedChat, ann: EmulatedUser, api: Call
) -> None:
    first, second = await ann.say("a"), await ann.say("b")
    ids = [first.id, 99, second.id]
    for method in ("copyMessages", "forwardMessages"):
        assert len(await api(method, chat_id=chat.id, from_chat_id=chat.id, message_ids=ids)) == 2
    assert [message.text for message in chat.messages] == ["a", "b"] * 3


async def test_a_bot_in_privacy_mode_does_not_hear_what_is_for_another_bot(emu: Emulator, ann: EmulatedUser) -> None:
    shy = emu.add_bot(token="43:SHY", username="shy_bot", reads_all_group_messages=False)
    group = emu.add_group(title="Team", members=[ann], bots=[shy])
    for text in ("/start@other_bot", "hey @shy_bot2", "/start@SHY_bot", "/start"):
        await ann.say(text, chat=group)
    assert [u.body["message"]["text"] for u in shy.queue.pending] == ["/start@SHY_bot", "/start"]


async def test_direct_messages_have_a_topic_for_each_user(emu: Emulator, ann: EmulatedUser, api: Call) -> None:
    news, bob = emu.add_direct_messages(title="News"), emu.add_user(first_name="Bob")
    await ann.say("hi", chat=news)
    asked = await bob.say("hello", chat=news)
    first, second = [update["message"] for update in await api("getUpdates")]
    assert first["chat"] == {"id": news.id, "type": "supergroup", "title": "News", "is_direct_messages": True}
    topics = [message["direct_messages_topic"] for message in (first, second)]
    assert [topic["user"]["first_name"] for topic in topics] == ["Ann", "Bob"]
    where = {"chat_id": news.id, "direct_messages_topic_id": topics[1]["topic_id"]}
    sent = await api("sendMessage", **where, text="yes?", reply_parameters={"message_id": asked.id})
    assert sent["direct_messages_topic"] == topics[1]
    assert news.messages[-1].direct_topic == asked.direct_topic
    with pytest.raises(ValueError, match="another user's topic"):
        await ann.say("me too", chat=news, reply_to=asked)


@pytest.mark.parametrize("topic", [{}, {"direct_messages_topic_id": 5}])
async def test_a_message_to_a_channel_needs_a_topic(
    emu: Emulator, ann: EmulatedUser, refused: Call, topic: dict[str, int]
) -> None:
    news = emu.add_direct_messages(title="News")
    await ann.say("hi", chat=news)
    assert "direct messages topic not found" in await refused("sendMessage", chat_id=news.id, text="to all", **topic)


async def test_other_chats_have_no_topics_of_direct_messages(ann: EmulatedUser, refused: Call) -> None:
    await ann.say("hi")
    answer = await refused("sendMessage", chat_id=ann.id, text="hi", direct_messages_topic_id=5)
    assert "chat of another kind" in answer


async def test_an_ephemeral_message_is_for_one_bot(emu: Emulator, ann: EmulatedUser, api: Call) -> None:
    group = emu.add_group(title="Team", members=[ann])
    said = await ann.say_ephemeral("/usage", chat=group)
    (update,) = await api("getUpdates")
    message = update["message"]
    assert (message["message_id"], message["ephemeral_message_id"]) == (0, 1)
    assert message["receiver_user"]["id"] == emu.bot.id
    assert (group.messages, group.ephemeral) == ([], {1: said})
