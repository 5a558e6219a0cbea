"""Messages from admins to everybody."""
