"""Who somebody is: name, standing, decisions, search."""
