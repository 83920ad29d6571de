"""Torments the daemon: scripts/torture prepares the machine, this does it.

--kills: senders and a drop folder bring documents, the simulated DMP is in trouble, and the daemon is killed at random
moments and started again. The last line is "acknowledged A delivered D lost L duplicated U"; ends with 0 only if both
L and U are 0, each file is where it belongs, the chain of the ledger is whole, and what was counted is what all rows
come to.

--soak: N connections of all manners, slow and fast, for so many seconds, at so many messages a second (--rate; four
times the national peak is 256). The last line tells what was sent, answered, lost and wrong, and how the daemon's
memory and open files grew; ends with 0 only if every answer came, right and in order, and both stayed flat.
"""

from __future__ import annotations

import argparse
import pathlib
import random
import sys
import tempfile

SOURCE = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(SOURCE / "tests" / "system"), str(SOURCE / "tests" / "data")]
from gateway import Gateway, Simulator, TimedOut, free_port, make_pki  # noqa: E402
from kills import Account, Load, trouble_at_the_dmp  # noqa: E402
from soak import NATIONAL_PEAK, Soak  # noqa: E402


def tell(text: str):
    print(text, flush=True)


def torture(folder: pathlib.Path, kills: int, seed: int) -> bool:
    tell(f"{kills} kills, seed {seed}")
    chance, account, port = random.Random(seed), Account(), free_port()
    pki = make_pki(folder / "pki")
    with Simulator(pki, folder / "store") as simulator, \
            Gateway(folder / "gateway", simulator.url, pki, listen=f"127.0.0.1:{port}", log="info", first="100 ms",
                    most="300 ms", exchange="3 s") as gateway:
        load = Load(gateway, ("127.0.0.1", port), account, chance)
        trouble_at_the_dmp(simulator, seed)
        for number in range(1, kills + 1):
            load.kill_at_random(chance)
            if number % 10 == 0:
                tell(f"killed {number} times")
        repeated = load.end()
        simulator.faults()
        tell(f"{len(account.acknowledged)} messages acknowledged, {len(account.dropped)} files, {repeated} repeated; "
             "waiting for what is under way")
        is_settled = True
        try:
            account.settle(gateway, simulator)
        except (AssertionError, TimedOut) as trouble:
            tell(f"not settled: {trouble}")
            is_settled = False
        balance = account.balance(gateway, simulator)
        tell(f"{account.text()}; {balance.withdrawn} documents withdrawn before they were sent")
        for name in balance.lost:
            tell(f"lost: {name}")
        for name in balance.duplicated:
            tell(f"duplicated: {name}")
        tell(balance.text())
        return balance.is_even and is_settled


def soak(folder: pathlib.Path, seconds: float, connections: int, rate: float, seed: int) -> bool:
    tell(f"{connections} connections, {rate:.0f} messages a second for {seconds:.0f} s, seed {seed}")
    pki = make_pki(folder / "pki")
    with Simulator(pki, folder / "store") as simulator, \
            Gateway(folder / "gateway", simulator.url, pki, log="info",
                    listener=f", max_connections: {2 * connections}") as gateway:
        report = Soak(gateway, connections, seconds, seed, tell, rate).run()
        for trouble in report.troubles[:20]:
            tell(trouble)
        tell(report.text())
        return report.is_good


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/torture", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50, metavar="N")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), metavar="S")
    parser.add_argument("--soak", type=float, metavar="SECONDS")
    parser.add_argument("--connections", type=int, default=200, metavar="N")
    parser.add_argument("--rate", type=float, default=4 * NATIONAL_PEAK, metavar="MESSAGES")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dmpfeed-torture-") as folder:
        if arguments.soak:
            is_good = soak(pathlib.Path(folder), arguments.soak, arguments.connections, arguments.rate,
                           arguments.seed)
        else:
            is_good = torture(pathlib.Path(folder), arguments.kills, arguments.seed)
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
