"""However much is asked, the server holds as much as before."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from small_runs import small_run

from untaught.explorer.serving import free_socket

SECONDS = float(os.environ.get("UNTAUGHT_FLOOD_SECONDS", "8"))
CLIENTS = 8
MIB = 2**20


def resident(pid: int) -> int:
    """Bytes that a process has in memory."""
    text = Path(f"/proc/{pid}/statm").read_text()
    return int(text.split()[1]) * os.sysconf("SC_PAGE_SIZE")


def request(port: int, method: str, path: str, body: bytes) -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def flood(port: int, seconds: float) -> int:
    """Ask as fast as answers come, over some connections; gives how many there were."""
    code = np.zeros(4, "<f4").tobytes()
    chains = np.concatenate([np.zeros(64, "<f4"), np.full(64, np.nan, "<f4")]).tobytes()
    kinds = [("/api/latent/decode", code), ("/api/chains/step?count=1", chains), ("/api/latent/decode", b"bad")]
    sent = [request(port, "POST", path, body) for path, body in kinds]
    sent.append(request(port, "GET", "/page/style.css", b""))
    end = time.monotonic() + seconds

    async def client(number: int) -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        count = number
        while time.monotonic() < end:
            writer.write(sent[count % len(sent)])
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.split(b" ", 2)[1] in (b"200", b"400", b"503"), head
            length = head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]
            await reader.readexactly(int(length))
            count += 1
        writer.close()
        return count - number

    return sum(await asyncio.gather(*(client(number) for number in range(CLIENTS))))


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read as Linux tells it")
def test_memory_is_where_it_was_after_many_requests(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """UNTAUGHT_FLOOD_SECONDS=60 asks for a minute."""
    run = small_run(tmp_path, "rbm")
    with free_socket(22000) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "untaught", "explore", str(run.path), "--port", str(port), "--no-open"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    server.stdout.readline()
    asyncio.run(flood(port, 2))
    before = resident(server.pid)
    count = asyncio.run(flood(port, SECONDS))
    grown = resident(server.pid) - before
    server.send_signal(signal.SIGINT)
    assert server.wait(60) == 0
    with capsys.disabled():
        print(f"\n{count / SECONDS:,.0f} requests a second for {SECONDS:g} s: {grown / MIB:+.1f} MiB")
    assert grown < 8 * MIB
