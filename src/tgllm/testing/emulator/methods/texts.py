"""Profile of a bot: name, description, short description, menu button."""

from tgllm.testing.emulator.markup.text import utf16_len
from tgllm.testing.emulator.methods.call import MethodCall
from tgllm.testing.emulator.methods.registry import handles
from tgllm.testing.emulator.protocol.errors import bad_request

__all__ = ["get_text", "set_text"]

# Method suffix -> (field of the result, maximum length in UTF-16 units).
_TEXTS = {
    "MyName": ("name", 64),
    "MyDescription": ("description", 512),
    "MyShortDescription": ("short_description", 120),
}


@handles(*(f"set{suffix}" for suffix in _TEXTS))
def set_text(call: MethodCall) -> object:
    """Bot API: setMyName, setMyDescription, setMyShortDescription."""
    field, limit = _TEXTS[call.spec.name.removeprefix("set")]
    value = str(call.get(field, ""))
    if utf16_len(value) > limit:
        raise bad_request(f"{field} is too long")
    call.bot.texts[field, str(call.get("language_code", ""))] = value
    call.world.changes.bump()
    return True


@handles(*(f"get{suffix}" for suffix in _TEXTS))
def get_text(call: MethodCall) -> object:
    """Bot API: getMyName, getMyDescription, getMyShortDescription; a missing language falls back to the default."""
    field, _ = _TEXTS[call.spec.name.removeprefix("get")]
    texts = call.bot.texts
    fallback = texts.get((field, ""), call.bot.first_name if field == "name" else "")
    return {field: texts.get((field, str(call.get("language_code", ""))), fallback)}


@handles("setChatMenuButton")
def set_chat_menu_button(call: MethodCall) -> object:
    """Bot API: setChatMenuButton."""
    call.bot.properties[f"menu_button:{call.get('chat_id', '')}"] = call.get("menu_button")
    return True


@handles("getChatMenuButton")
def get_chat_menu_button(call: MethodCall) -> object:
    """Bot API: getChatMenuButton."""
    button = call.bot.properties.get(f"menu_button:{call.get('chat_id', '')}")
    return button or {"type": "commands" if call.bot.commands else "default"}
