"""Command table, press table, menus, and the builders of their texts."""
