"""The emoji that a reaction may be. Source: Bot API, ReactionTypeEmoji."""

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
    """Whether a bot may react with it; the mark that asks for a coloured picture does not count."""
    return isinstance(emoji, str) and emoji.replace(_EMOJI_STYLE, "") in _EMOJI
