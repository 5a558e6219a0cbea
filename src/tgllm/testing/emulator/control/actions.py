"""Actions of the HTTP control API, for users and for the server itself."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, fields
from typing import Any, cast

from tgllm.testing.emulator.control.request import ControlRequest
from tgllm.testing.emulator.control.uploads import kind_of, send_file, send_files
from tgllm.testing.emulator.control.views import chat_view, message_view, user_view
from tgllm.testing.emulator.limits.faults import Fault
from tgllm.testing.emulator.limits.rates import RateLimits
from tgllm.testing.emulator.world.people import add_bot, add_group, add_topic, add_user, create_group

__all__ = ["ACTIONS", "Action"]

View = dict[str, Any]
Action = Callable[[ControlRequest], Awaitable[View]]

# Bot API: setChatTitle.
_LONGEST_TITLE = 128


async def _say(request: ControlRequest) -> View:
    chat = request.chat_or_private()
    message = await request.user().say(
        request.text("text"),
        chat=chat,
        topic=request.topic(chat),
        reply_to=request.reply_to(),
        entities=request.entities(),
    )
    return message_view(message)


async def _edit(request: ControlRequest) -> View:
    return message_view(await request.user().edit(request.message(), request.text("text"), entities=request.entities()))


async def _delete(request: ControlRequest) -> View:
    await request.user().delete(request.message())
    return {}


async def _press(request: ControlRequest) -> View:
    """Press a button without waiting for the answer, which ``/_control/callback`` returns."""
    query = await request.user().press(request.message(), request.text("button"))
    return {"callback_query_id": query.id}


async def _stop(request: ControlRequest) -> View:
    chat, draft_id = request.chat_or_private(), request.number("draft")
    draft = next((d for d in chat.drafts.values() if d.id == draft_id), None)
    if draft is None:
        raise LookupError(f"there is no draft {draft_id}")
    await request.user().stop(draft)
    return {}


async def _react(request: ControlRequest) -> View:
    await request.user().react(request.message(), request.fields.get("emoji") or None)
    return message_view(request.message())


async def _block(request: ControlRequest) -> View:
    await request.user().block()
    return {}


async def _unblock(request: ControlRequest) -> View:
    await request.user().unblock()
    return {}


async def _join(request: ControlRequest) -> View:
    await request.user().join(request.chat())
    return {}


async def _leave(request: ControlRequest) -> View:
    await request.user().leave(request.chat())
    return {}


async def _add(request: ControlRequest) -> View:
    await request.user().add(request.chat(), request.account())
    return {}


async def _remove(request: ControlRequest) -> View:
    await request.user().remove(request.chat(), request.account())
    return {}


async def _promote(request: ControlRequest) -> View:
    await request.user().promote(request.chat(), request.account())
    return {}


async def _upgrade(request: ControlRequest) -> View:
    return {"id": (await request.user().upgrade(request.chat())).id}


async def _add_bot(request: ControlRequest) -> View:
    bot = add_bot(
        request.world,
        token=request.text("token"),
        username=request.text("username"),
        first_name=request.optional_text("first_name"),
        reads_all_group_messages=bool(request.fields.get("reads_all_group_messages", True)),
    )
    return user_view(bot)


async def _add_user(request: ControlRequest) -> View:
    user = add_user(
        request.world,
        first_name=request.text("first_name"),
        last_name=request.optional_text("last_name"),
        username=request.optional_text("username"),
        language_code=request.optional_text("language_code"),
        user_id=request.optional_number("id"),
    )
    user.private_chat()
    return user_view(user)


async def _read(request: ControlRequest) -> View:
    """Mark the messages of a chat as seen by a user, up to one of them."""
    chat, user, number = request.chat_or_private(), request.user(), request.number("message")
    if number > chat.read.get(user.id, 0):
        chat.read[user.id] = min(number, chat.last_message_id)
        request.world.changes.bump()
    return {}


async def _suggest(request: ControlRequest) -> View:
    """Send a suggestion as the user, in the private chat with the first bot."""
    number, offered = request.number("number"), request.world.suggestions
    if not 0 <= number < len(offered):
        raise LookupError(f"there is no suggestion {number}")
    chosen, user = offered[number], request.user()
    if chosen.file is None:
        return message_view(await user.say(chosen.text))
    kind = kind_of(chosen.mime)
    sent = await user.upload(chosen.file, name=chosen.file_name, mime=chosen.mime, kind=kind, caption=chosen.text)
    return message_view(sent)


async def _add_group(request: ControlRequest) -> View:
    """Create a group: as ``user`` does in a client, or without ``user`` at once and without updates about it."""
    world = request.world
    numbers: object = request.fields.get("members") or []
    if not isinstance(numbers, list):
        raise ValueError("members must be an array of ids")  # noqa: TRY004 - invalid input, not a wrong argument
    members = [ControlRequest(world, {"user": number}).user() for number in cast("list[object]", numbers)]
    title, bots = request.text("title").strip(), list(world.bots.values())
    if not 1 <= len(title) <= _LONGEST_TITLE:
        raise ValueError(f"the title of a group has 1 to {_LONGEST_TITLE} characters")
    if request.fields.get("user") is None:
        return chat_view(world, add_group(world, title=title, members=members, bots=bots))
    return chat_view(world, await create_group(world, request.user(), title=title, members=members, bots=bots))


async def _add_topic(request: ControlRequest) -> View:
    topic = add_topic(request.world, request.chat(), request.text("name"))
    return {"id": topic.id, "name": topic.name}


async def _inject(request: ControlRequest) -> View:
    update = request.fields.get("update")
    if not isinstance(update, dict):
        raise ValueError("update must be a JSON object")  # noqa: TRY004 - invalid input, not a wrong argument
    return {"update_id": request.bot().queue.put_raw(cast("View", update))}


async def _repeat(request: ControlRequest) -> View:
    request.bot().queue.repeat(request.optional_number("update_id"))
    return {}


_FAULTS: Mapping[str, Callable[[ControlRequest, str, dict[str, Any]], Fault]] = {
    "retry_after": lambda r, m, scope: Fault.retry_after(m, r.number("seconds"), **scope),
    "api_error": lambda r, m, scope: Fault.api_error(m, r.number("code"), r.text("description"), **scope),
    "bad_gateway": lambda _r, m, scope: Fault.bad_gateway(m, **scope),
    "cut_before": lambda _r, m, scope: Fault.cut_before(m, **scope),
    "cut_after": lambda _r, m, scope: Fault.cut_after(m, **scope),
    "raw": lambda r, m, scope: Fault.raw(m, r.text("body").encode(), times=scope["times"]),
    "hold": lambda r, m, scope: Fault.hold(m, after=bool(r.fields.get("after")), **scope),
}


async def _add_fault(request: ControlRequest) -> View:
    kind = request.text("kind")
    if kind not in _FAULTS:
        raise ValueError(f"unknown kind of fault {kind!r}; there are: {', '.join(_FAULTS)}")
    lasts = "times" in request.fields and request.fields["times"] is None
    scope = {"times": None if lasts else request.number("times", 1), "chat_id": request.optional_number("chat_id")}
    request.world.faults.add(_FAULTS[kind](request, request.text("method"), scope))
    return {}


async def _clear_faults(request: ControlRequest) -> View:
    request.world.faults.clear()
    return {}


async def _set_rates(request: ControlRequest) -> View:
    """Set the rate limits; a request without fields disables them."""
    known = [field.name for field in fields(RateLimits)]
    unknown = next((name for name in request.fields if name not in known), None)
    if unknown is not None:
        raise ValueError(f"unknown field {unknown!r}; there are: {', '.join(known)}")
    limits = RateLimits(**request.fields) if request.fields else None
    request.world.meter.limits = limits
    return {"limits": asdict(limits) if limits else None, "violations": request.world.meter.violations}


ACTIONS: Mapping[str, Action] = {
    "say": _say,
    "upload": send_file,
    "album": send_files,
    "edit": _edit,
    "delete": _delete,
    "press": _press,
    "stop": _stop,
    "react": _react,
    "block": _block,
    "unblock": _unblock,
    "join": _join,
    "leave": _leave,
    "add": _add,
    "remove": _remove,
    "promote": _promote,
    "upgrade": _upgrade,
    "bots": _add_bot,
    "users": _add_user,
    "groups": _add_group,
    "read": _read,
    "suggest": _suggest,
    "topics": _add_topic,
    "updates": _inject,
    "repeat": _repeat,
    "faults": _add_fault,
    "faults/clear": _clear_faults,
    "rates": _set_rates,
}
