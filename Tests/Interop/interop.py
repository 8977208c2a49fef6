#!/usr/bin/env python3
"""glcnode against nodes that nobody here wrote: real Electrum daemons of two versions, on a real bitcoind.

    Tests/Interop/interop.py [--glcnode PATH] [--peers DIR] [--peer 4.8.3] [--only TEXT] [--group NAME] [--output DIR]

The peers are looked for in DIR as `make interop` installs them. Every case is a line of the report; the report is printed at the end
and is a file in the output folder, and beside it lies a folder for each case that failed, with what every process logged
meanwhile. Exit status: 0 when every case that ran passed, 1 when one failed, 3 when there was a peer missing (and none failed).
"""
import argparse
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# In the order in which they run: routes and gossip add channels over which payments may take other ways.
from cases import opening, payments, restarts, failures, routes, gossip  # noqa: E402,F401
from cases import closing, onchain, theft  # noqa: E402,F401
from harness.cases import all_cases  # noqa: E402
from harness.processes import Failed  # noqa: E402
from harness.report import Report, Result  # noqa: E402
from harness.world import World  # noqa: E402

VERSIONS = {"4.8.3": "electrum-4.8.3", "4.3.4": "electrum-4.3.4"}

# Each group has a world of its own for each peer, and they all run at the same time: a case that mines a hundred blocks must not
# disturb one that has a payment pending.
GROUPS = {
    "payments": {"electrum": {"alice": {"lightning_forward_payments": True}, "bob": {"lightning_forward_payments": True}},
                 "glcnode": {"glc": [], "far": []}},
    # With short delays: every block costs everybody a moment.
    "chain": {"electrum": {"alice": {"lightning_to_self_delay": 30}}, "wallets": ["bob", "carol", "dave"],
              "glcnode": {"glc": ["--dev-methods", "--to-self-delay", "30"]}},
}


class Tools:
    def __init__(self, options):
        self.glcnode = os.path.abspath(options.glcnode)
        self.bitcoind = os.path.abspath(options.bitcoind or os.environ.get("GLC_BITCOIND") or ".bitcoind/bin/bitcoind")
        self.electrumx = os.path.abspath(f"{options.peers}/electrum-server")
        self.electrum = {v: os.path.abspath(f"{options.peers}/{folder}") for v, folder in VERSIONS.items()}

    def missing(self, version):
        """What is not there, in words; None when all is."""
        for what, path in [("glcnode", self.glcnode), ("bitcoind", self.bitcoind),
                           ("the Electrum server", f"{self.electrumx}/bin/electrumx_server"),
                           (f"Electrum {version}", f"{self.electrum[version]}/bin/electrum")]:
            if not os.access(path, os.X_OK):
                return f"{what} is not installed ({path})"
        return None


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--glcnode", default=".build/debug/glcnode")
    parser.add_argument("--peers", default=".build/peers", help="where the peers are installed")
    parser.add_argument("--bitcoind", help="default: GLC_BITCOIND, or .bitcoind/bin/bitcoind")
    parser.add_argument("--output", default=".build/interop", help="for the report and the logs of what failed")
    parser.add_argument("--peer", action="append", choices=sorted(VERSIONS), help="only this peer")
    parser.add_argument("--group", action="append", choices=sorted(GROUPS), help="only this group of cases")
    parser.add_argument("--only", help="only cases with this in their names")
    parser.add_argument("--keep-logs", action="store_true", help="keep the logs of everything, also of what passed")
    return parser.parse_args()


class Logs:
    """What the processes of a world have written since a moment."""

    def __init__(self, folder):
        self.folder = folder
        self.marks = {name: os.path.getsize(f"{folder}/{name}") for name in os.listdir(folder)}

    def keep(self, target):
        os.makedirs(target, exist_ok=True)
        for name in os.listdir(self.folder):
            with open(f"{self.folder}/{name}", "rb") as source, open(f"{target}/{name}", "wb") as copy:
                source.seek(self.marks.get(name, 0))
                shutil.copyfileobj(source, copy)


def play(world, cases, output, report):
    """The cases of one group with one peer, in a world of their own."""
    version, group, logs = world.version, world.name, world.logs
    begun = Logs(logs)
    try:
        world.start()
    except (Failed, OSError) as error:
        begun.keep(f"{output}/failed/{version}-{group}-start")
        for number, case in enumerate(cases):
            report.add(Result(version, group, case.name, "FAILED", f"nothing started: {error}" if number == 0 else "as above"))
        world.stop()
        return
    try:
        for case in cases:
            if version in case.unless:
                report.add(Result(version, group, case.name, "not there", case.unless[version]))
                continue
            mark, start = Logs(logs), time.monotonic()
            try:
                note = case.function(world)
                report.add(Result(version, group, case.name, "passed", note or "", time.monotonic() - start))
            except Exception as error:  # pylint: disable=broad-except
                place = f"{output}/failed/{version}-{case.name.replace(' ', '-')}"
                mark.keep(place)
                with open(f"{place}/failure.txt", "w") as file:
                    file.write(f"{case.name}\n{case.place}\n\n{traceback.format_exc()}")
                text = str(error) if isinstance(error, Failed) else repr(error)
                report.add(Result(version, group, case.name, "FAILED", f"{text} — logs: {place}", time.monotonic() - start))
    finally:
        world.stop()


def main():
    options = arguments()
    tools = Tools(options)
    output = os.path.abspath(options.output)
    shutil.rmtree(output, ignore_errors=True)
    os.makedirs(output)
    report = Report()
    # Short, because the paths of Unix sockets may have 107 bytes; in memory where there is such a place: a dozen databases that wait
    # for one disk take minutes.
    base = tempfile.mkdtemp(prefix="glc-io-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else "/tmp")
    threads, worlds = [], []
    # Asked to end, it ends everything that it has started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    for version in options.peer or VERSIONS:
        chosen = [c for c in all_cases() if not options.only or options.only in c.name]
        reason = tools.missing(version)
        if reason:
            report.missing(version, reason)
            continue
        for group in options.group or GROUPS:
            cases = [c for c in chosen if c.group == group]
            if cases:
                world = World(
                    group, version, tools, f"{base}/{version}{group[0]}", f"{base}/logs/{version}-{group}", GROUPS[group])
                worlds.append(world)
                threads.append(threading.Thread(target=play, args=(world, cases, output, report), daemon=True))
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        for world in worlds:
            world.stop()
        if options.keep_logs:
            shutil.copytree(f"{base}/logs", f"{output}/logs", dirs_exist_ok=True)
        shutil.rmtree(base, ignore_errors=True)
    report.write(f"{output}/report.md")
    print(report.text())
    print(f"The report: {output}/report.md")
    return report.status


if __name__ == "__main__":
    sys.exit(main())
