"""Small values that every service uses: text, calendar, times, lane, actor, wake-ups."""
