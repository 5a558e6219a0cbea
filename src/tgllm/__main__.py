"""``python -m tgllm`` is the same as ``tgllm``."""

from tgllm.cli.main import run

if __name__ == "__main__":
    run()
