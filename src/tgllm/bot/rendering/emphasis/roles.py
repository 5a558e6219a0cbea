"""How well a run of marks opens and closes emphasis."""

__all__ = ["BOTH", "NEITHER", "NONE", "STRONG", "WEAK", "Role"]

NONE, WEAK, STRONG = 0, 1, 2
"""A weak run may as well be an operator, part of a name, or the like: its partner must be strong."""

Role = tuple[int, int]
"""How well a run opens, and how well it closes emphasis."""

NEITHER: Role = NONE, NONE
BOTH: Role = STRONG, STRONG
