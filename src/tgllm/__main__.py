"""Entry point of ``python -m tgllm``, the same as the command ``tgllm``."""

from tgllm.cli.main import run

if __name__ == "__main__":
    run()
