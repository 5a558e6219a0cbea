"""What happens at set times: when a job is due, and that it is done once."""
