"""Builders of container images, and the containers that they run."""
