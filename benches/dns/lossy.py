#!/usr/bin/env python3
"""How the DNS forwarder does behind a network that loses and delays, without a kernel that can.

    benches/dns/lossy.py PROGRAM [--delay MS] [--loss SHARE] [--questions N]

Starts PROGRAM (the example `dns`) in front of an upstream of its own, which takes the round trip of MS and loses this share
of the packets on each way. Asks N different names, 20 at a time, and prints how many were answered, tries a question, and
latencies. Fails if a question has no answer, or at more than 1.5 tries.
"""

import argparse
import asyncio
import random
import struct
import sys
import time

PORT, UPSTREAM = 5396, 5397


class Origin(asyncio.DatagramProtocol):
    """Answers whatever it is asked by one address, late and not always."""

    def __init__(self, options):
        self.options, self.asked = options, 0

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, packet, client):
        self.asked += 1
        lost = random.random() < self.options.loss or random.random() < self.options.loss
        if not lost:
            end = packet.index(0, 12) + 5
            reply = packet[:2] + b"\x84\x00\x00\x01\x00\x01\x00\x00\x00\x00" + packet[12:end]
            reply += b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x01\x2c\x00\x04\xc0\x00\x02\x07"
            loop = asyncio.get_running_loop()
            loop.call_later(self.options.delay / 1000, self.transport.sendto, reply, client)


class Client(asyncio.DatagramProtocol):
    """Asks by ids, and keeps what comes by them."""

    def __init__(self):
        self.waiting = {}

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, packet, _):
        waiting = self.waiting.pop(packet[:2], None)
        if waiting:
            waiting.set_result(packet[3] & 15)

    async def ask(self, number):
        name = b"".join(bytes([len(label)]) + label for label in (b"h%d" % number, b"example", b"test")) + b"\0"
        ident = struct.pack("!H", number & 0xFFFF)
        self.waiting[ident] = asyncio.get_running_loop().create_future()
        answer, begin = self.waiting[ident], time.monotonic()
        self.transport.sendto(ident + b"\x01\0\0\x01\0\0\0\0\0\0" + name + b"\0\x01\0\x01")
        try:
            return await asyncio.wait_for(answer, 5), time.monotonic() - begin
        except asyncio.TimeoutError:
            return None, 5.0


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--delay", type=float, default=20)
    parser.add_argument("--loss", type=float, default=0.1)
    parser.add_argument("--questions", type=int, default=2000)
    options = parser.parse_args()
    loop = asyncio.get_running_loop()
    _, origin = await loop.create_datagram_endpoint(lambda: Origin(options), local_addr=("127.0.0.1", UPSTREAM))
    program = await asyncio.create_subprocess_exec(
        options.program, "--listen", f"127.0.0.1:{PORT}", "--upstream", f"127.0.0.1:{UPSTREAM}",
        stdout=asyncio.subprocess.PIPE)
    await program.stdout.readline()
    _, client = await loop.create_datagram_endpoint(Client, remote_addr=("127.0.0.1", PORT))
    numbers, found = iter(range(options.questions)), []

    async def ask_all():
        for number in numbers:
            found.append(await client.ask(number))

    await asyncio.gather(*(ask_all() for _ in range(20)))
    program.terminate()
    await program.wait()
    answered = sum(code == 0 for code, _ in found)
    times = sorted(took * 1000 for _, took in found)
    tries = origin.asked / options.questions
    print(f"{answered} of {options.questions} answered, {tries:.2f} tries each; "
          + ", ".join(f"{name} {times[int(len(times) * share)]:.0f} ms"
                      for name, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99))))
    if answered < options.questions or tries > 1.5:
        sys.exit(1)


asyncio.run(main())
