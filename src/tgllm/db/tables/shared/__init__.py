"""Tables of what several processes on one database share out: their rows, the lead, and orders to each other."""
