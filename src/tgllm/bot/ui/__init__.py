"""Commands, buttons and menus: the tables and their words."""
