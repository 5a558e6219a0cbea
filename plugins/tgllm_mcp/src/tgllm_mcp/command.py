"""``tgllm mcp``: the tools of the servers, and what is wrong with a server."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, cast

import typer  # noqa: TID251  this is a command line

if TYPE_CHECKING:
    from tgllm.api.shell import Shell
    from tgllm.api.tools import ToolSpec
    from tgllm_mcp.owner import Owner

# Imports are inside functions: --help needs none of them, and has to be fast.

__all__ = ["app"]

ServersArgument = Annotated[list[str] | None, typer.Argument(metavar="[SERVER]...", help="Names; all by default.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]

app = typer.Typer(rich_markup_mode=None, add_completion=False, no_args_is_help=True)


@app.callback()
def mcp() -> None:
    """Show the tools of MCP servers, and check the servers."""


@app.command("list")
def list_tools(ctx: typer.Context, servers: ServersArgument = None, *, as_json: JsonOption = False) -> None:
    """Connect to the servers, and list their tools: what a call can do, and who may use it.

    Exits with 1 if a server does not work.
    """
    shell = cast("Shell", ctx.obj)
    owners = asyncio.run(_connected(shell, servers or ()))
    rows = [(owner.name, spec) for owner in owners if owner.listed for spec in owner.listed.specs]
    if as_json:
        shell.json([_object(name, spec) for name, spec in rows])
    else:
        shell.table(
            ("Server", "Tool", "Danger", "Who", "Description"),
            [(name, spec.name, spec.danger, _who(spec), spec.description.partition("\n")[0]) for name, spec in rows],
        )
        for owner in owners:
            for reason in owner.listed.left_out if owner.listed else ():
                shell.say(f"{owner.name}: left out: {reason}")
    _tell_failures(owners)


@app.command()
def check(ctx: typer.Context, servers: ServersArgument = None, *, as_json: JsonOption = False) -> None:
    """Connect to the servers, and say in words what is wrong with them.

    Exits with 1 if a server does not work.
    """
    shell = cast("Shell", ctx.obj)
    owners = asyncio.run(_connected(shell, servers or ()))
    rows = [
        (owner.name, owner.server.place, "failed" if owner.listed is None else "ok", _detail(owner)) for owner in owners
    ]
    if as_json:
        shell.json([dict(zip(("server", "place", "state", "detail"), row, strict=True)) for row in rows])
    else:
        shell.table(("Server", "Place", "State", "Detail"), rows)
    if any(owner.listed is None for owner in owners):
        raise typer.Exit(1)


async def _connected(shell: "Shell", names: Sequence[str]) -> Sequence["Owner"]:
    """Connect to servers until each has answered or failed once; then end the connections."""
    from tgllm.api.errors import ConfigError  # noqa: PLC0415  so that --help is fast
    from tgllm_mcp.servers import Servers  # noqa: PLC0415  so that --help is fast

    async with shell.plugin("mcp") as ctx:
        servers = Servers(ctx, frozenset(names) or None)
        if unknown := sorted(set(names) - servers.owners.keys()):
            raise ConfigError(f"there is no server {unknown[0]} that is switched on in [plugins.mcp.servers]")
        if not servers.owners:
            raise ConfigError("there is no server yet: add one to the config, in [plugins.mcp.servers.NAME]")
        try:
            await servers.start()
            # Beside the time for the connection, the program and the SDK have to be loaded.
            await servers.wait(20.0 + max(owner.server.connect_timeout for owner in servers.owners.values()))
        finally:
            await servers.aclose()
        return tuple(servers.owners.values())


def _who(spec: "ToolSpec") -> str:
    role = spec.access if spec.access == "owner" else f"{spec.access} and above"
    if spec.danger == "read":
        return role
    return f"{role}, once opened by /admin tools or the config"


def _object(server: str, spec: "ToolSpec") -> dict[str, object]:
    return {
        "server": server,
        "tool": spec.name,
        "danger": spec.danger,
        "access": spec.access,
        "open": spec.danger == "read",
        "description": spec.description,
        "schema": spec.schema,
    }


def _detail(owner: "Owner") -> str:
    if owner.listed is not None:
        left_out = f", {len(owner.listed.left_out)} left out" if owner.listed.left_out else ""
        return f"tools: {len(owner.listed.specs)}{left_out}"
    said = f'; it has written: "{owner.last_words}"' if owner.last_words else ""
    return f"{owner.failure or 'it has not answered'}{said}"


def _tell_failures(owners: Sequence["Owner"]) -> None:
    from tgllm.api.errors import PluginError  # noqa: PLC0415  so that --help is fast

    if failed := [f"{owner.name}: {_detail(owner)}" for owner in owners if owner.listed is None]:
        raise PluginError("These servers do not work:\n" + "\n".join(failed))
