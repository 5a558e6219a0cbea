"""Emoji allowed as reactions. Source: Bot API, ReactionTypeEmoji."""

__all__ = ["is_reaction"]

_LIST = """
❤ 👍 👎 🔥 🥰 👏 😁 🤔 🤯 😱 🤬 😢 🎉 🤩 🤮 💩 🙏 👌
🕊 🤡 🥱 🥴 😍 🐳 ❤‍🔥 🌚 🌭 💯 🤣 ⚡ 🍌 🏆 💔 🤨 😐 🍓
🍾 💋 🖕 😈 😴 😭 🤓 👻 👨‍💻 👀 🎃 🙈 😇 😨 🤝 ✍ 🤗 🫡
🎅 🎄 ☃ 💅 🤪 🗿 🆒 💘 🙉 🦄 😘 💊 🙊 😎 👾 🤷‍♂ 🤷 🤷‍♀
😡
"""
_EMOJI = frozenset(_LIST.split())
_EMOJI_STYLE = "\ufe0f"


def is_reaction(emoji: object) -> bool:
    """Return whether a bot can react with this emoji, with or without the variation selector for emoji style."""
    return isinstance(emoji, str) and emoji.replace(_EMOJI_STYLE, "") in _EMOJI
