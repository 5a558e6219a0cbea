"""A server written by hand, of the old era, that misbehaves in the way named by its argument."""

import json
import os
import sys
import time

kind = sys.argv[1] if len(sys.argv) > 1 else "good"


def send(**message: object) -> None:
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def tool(name: str, **more: object) -> dict[str, object]:
    return {"name": name, "description": f"Tool {name}", "inputSchema": {"type": "object"}, **more}


TOOLS = {
    "good": [tool("echo")],
    "names": [
        tool("with space"),
        tool("with.space"),
        tool("x" * 100),
        tool("ü"),
        tool("large", inputSchema={"type": "object", "description": "x" * 40_000}),
    ],
    "bad list": [tool("bad", inputSchema={"type": "array"})],
}

if kind == "exits":
    sys.exit("API_KEY=topsecret123 is wrong, giving up")
if kind == "silent":
    time.sleep(60)
if kind == "stubborn":
    import signal

    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if kind == "noise":
    for _ in range(100):
        sys.stdout.write("not json at all\n")
    sys.stderr.write("x" * 3_000_000 + "\n")
if kind == "endless noise":
    while True:
        sys.stdout.write("not json at all\n")

calls = 0
for line in sys.stdin:
    request = json.loads(line)
    method, number = request.get("method"), request.get("id")
    if method == "initialize":
        send(
            id=number,
            result={
                "protocolVersion": "2025-06-18",
                "capabilities": {"tools": {"listChanged": True}},
                "serverInfo": {"name": "raw", "version": "1"},
            },
        )
    elif method == "notifications/initialized":
        while kind == "storm" and calls < 5_000:
            calls += 1
            send(method="notifications/tools/list_changed")
    elif method == "tools/list":
        if kind == "many":
            page = int((request.get("params") or {}).get("cursor", "0"))
            tools = [tool(f"tool_{page}_{one}") for one in range(20)]
            send(id=number, result={"tools": tools, "nextCursor": str(page + 1)})
        elif kind == "storm":
            calls += 1
            send(id=number, result={"tools": [tool("echo"), tool(f"call_{min(calls, 5_001)}")]})
        else:
            send(id=number, result={"tools": TOOLS.get(kind, [tool("echo")])})
    elif method == "tools/call":
        if kind == "huge":
            sys.stdout.write(f'{{"jsonrpc": "2.0", "id": {number}, "result": "')
            for _ in range(100):
                sys.stdout.write("x" * 1_000_000)
            sys.stdout.write('"}\n')
            sys.stdout.flush()
        elif kind == "killed":
            os.kill(os.getpid(), 9)
        elif kind == "silent calls":
            continue
        elif kind == "odd result":
            send(id=number, result={"content": "no list"})
        elif kind == "no schema":
            send(id=number, result={"content": [], "structuredContent": {"a": 1}})
        elif kind == "odd progress":
            token = request["params"]["_meta"]["progressToken"]
            for odd in ("1e999", "NaN", "-1e308", '"x"', "null", "[]", "1"):
                note = f'"progressToken": {json.dumps(token)}, "progress": {odd}, "total": {odd}'
                sys.stdout.write(f'{{"jsonrpc": "2.0", "method": "notifications/progress", "params": {{{note}}}}}\n')
            send(id=number, result={"content": [{"type": "text", "text": "done"}]})
        elif kind == "asks and ends":
            form = {"message": "Really?", "requestedSchema": {"type": "object", "properties": {}}}
            for one in range(3):
                send(id=f"ask {one}", method="elicitation/create", params=form)
            time.sleep(0.5)  # until the first question is asked
            send(id=number, result={"content": [{"type": "text", "text": "done"}]})
        elif kind == "error":
            send(id=number, error={"code": -32602, "message": "wrong\u202e arguments"})
        else:
            text = json.dumps(request["params"].get("arguments", {}))
            send(id=number, result={"content": [{"type": "text", "text": text}]})
    elif number is not None:
        send(id=number, error={"code": -32601, "message": "unknown method"})
if kind == "stubborn":
    time.sleep(60)
