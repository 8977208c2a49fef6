"""Peer × action × result."""
import threading
import time


class Result:
    def __init__(self, peer, group, action, result, note="", seconds=None):
        self.peer, self.group, self.action, self.result, self.note, self.seconds = peer, group, action, result, note, seconds


class Report:
    def __init__(self, kind="Electrum"):
        self.kind = kind
        self.results, self.absent = [], []
        self.lock, self.begun = threading.Lock(), time.monotonic()

    def add(self, result):
        with self.lock:
            self.results.append(result)
            seconds = f" ({result.seconds:.1f} s)" if result.seconds is not None else ""
            print(f"[{time.monotonic() - self.begun:5.0f} s] {self.kind} {result.peer}: {result.action}: {result.result}{seconds}"
                  + (f": {result.note}" if result.note else ""), flush=True)

    def missing(self, peer, reason):
        with self.lock:
            self.absent.append((peer, reason))
            print(f"*** NOTHING WAS RUN WITH {self.kind} {peer}: {reason}", flush=True)

    @property
    def failed(self):
        return [r for r in self.results if r.result == "FAILED"]

    @property
    def status(self):
        return 1 if self.failed else 3 if self.absent else 0

    def rows(self):
        peers = list(dict.fromkeys(r.peer for r in sorted(self.results, key=lambda r: r.peer, reverse=True)))
        actions = list(dict.fromkeys((r.group, r.action) for r in sorted(self.results, key=lambda r: r.group)))
        known = {(r.peer, r.group, r.action): r for r in self.results}
        yield ["action", *(f"{self.kind} {p}" for p in peers)]
        for group, action in actions:
            row = [action]
            for peer in peers:
                result = known.get((peer, group, action))
                row.append("—" if result is None else result.result
                           + (f" ({result.seconds:.1f} s)" if result.seconds is not None else ""))
            yield row

    def text(self):
        rows = list(self.rows())
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        lines = ["", "  ".join(cell.ljust(width) for cell, width in zip(rows[0], widths)).rstrip(),
                 "  ".join("-" * width for width in widths)]
        lines += ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows[1:]]
        return "\n".join([*lines, "", self.summary()])

    def summary(self):
        passed = sum(r.result == "passed" for r in self.results)
        lines = [f"{passed} passed, {len(self.failed)} failed, in {time.monotonic() - self.begun:.0f} s."]
        lines += [f"FAILED with {r.peer}: {r.action}: {r.note}" for r in self.failed]
        lines += [f"NOT RUN: {self.kind} {peer}: {reason}" for peer, reason in self.absent]
        return "\n".join(lines)

    def write(self, path):
        rows = list(self.rows())
        with open(path, "w") as file:
            file.write(f"# glcnode and {self.kind}\n\n")
            file.write("| " + " | ".join(rows[0]) + " |\n|" + "---|" * len(rows[0]) + "\n")
            for row in rows[1:]:
                file.write("| " + " | ".join(row) + " |\n")
            notes = [r for r in self.results if r.note]
            if notes:
                file.write("\n" + "\n".join(f"- {r.peer}, {r.action}: {r.note}" for r in notes) + "\n")
            file.write("\n" + self.summary() + "\n")
