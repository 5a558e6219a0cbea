"""Entry point of the command ``tgllm``, and of ``python -m tgllm``."""

from tgllm.cli.interrupts import end_in_silence

__all__ = ["run"]


def run() -> None:
    """Run the command line of this process."""
    end_in_silence()
    from tgllm.cli.main import run as run_main  # noqa: PLC0415  takes most of the time of a short command

    run_main()


if __name__ == "__main__":
    run()
