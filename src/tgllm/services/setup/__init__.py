"""Set-up of a bot by ``tgllm init``: the admin's code, providers, the choice of a model, the systemd unit."""
