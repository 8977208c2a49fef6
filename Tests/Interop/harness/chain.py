"""Where the money of a commitment went."""
import time

from .electrum import Electrum
from .processes import Failed


class Spent:
    """Everything that came of a transaction."""

    def __init__(self):
        self.transactions, self.open, self.owned, self.anchors = {}, [], {}, 0

    def brought(self, bitcoind, roots):
        """What wallets have put in beside, to pay fees with, in satoshi."""
        return sum(
            value(bitcoind, used) for txid in self.transactions if txid not in roots
            for used in bitcoind("getrawtransaction", txid, 1)["vin"] if used["txid"] not in self.transactions)

    def fees(self, bitcoind):
        """Of all of them, in satoshi."""
        total = 0
        for txid in self.transactions:
            transaction = bitcoind("getrawtransaction", txid, 1)
            total += sum(value(bitcoind, used) for used in transaction["vin"])
            total -= sum(round(output["value"] * 1e8) for output in transaction["vout"])
        return total


def value(bitcoind, used):
    """Of what an input spends, in satoshi. bitcoind itself tells it, and the fee, of confirmed transactions alone."""
    return round(bitcoind("getrawtransaction", used["txid"], 1)["vout"][used["vout"]]["value"] * 1e8)


def own_outputs(member):
    """Of a wallet: the outputs that it can spend."""
    if isinstance(member, Electrum):
        return {(c["prevout_hash"], c["prevout_n"]) for c in member("listunspent")}
    return {(o["txid"], o["output"]) for o in member("listfunds")["outputs"]}


def follow(w, transactions, members):
    """Follows each output until it belongs to a wallet. What is neither in a wallet nor spent is `open`; anchors may stay."""
    spent, wallets = Spent(), {m.name: own_outputs(m) for m in members}
    waiting = list(transactions)
    while waiting:
        current = waiting.pop()
        if current["txid"] in spent.transactions:
            continue
        spent.transactions[current["txid"]] = current
        for output in current["vout"]:
            place = (current["txid"], output["n"])
            satoshi = round(output["value"] * 1e8)
            owner = next((name for name, own in wallets.items() if place in own), None)
            if owner is not None:
                spent.owned[owner] = spent.owned.get(owner, 0) + satoshi
                continue
            if not w.bitcoind.is_spent(*place):
                if satoshi == 330:
                    spent.anchors += 1
                else:
                    spent.open.append((*place, satoshi))
                continue
            following = w.bitcoind.spender(*place)
            if following is not None:
                waiting.append(following)
    return spent


def mine_until_home(w, transactions, members, limit=900):
    """Blocks until every output of the transactions is in somebody's wallet. In strides, with a little time after each for
    whoever has something to publish; the number of blocks."""
    start = w.bitcoind.height
    for stride in [1, 1] + [1, 28, 1] * 60:
        if w.bitcoind.height - start > limit:
            break
        w.mine(stride)
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            if w.bitcoind("getrawmempool"):
                break
            if not follow(w, transactions, members).open:
                # Wallets count what is not in a block too; here nothing waits for one.
                return w.bitcoind.height - start
            time.sleep(0.1)
    found = follow(w, transactions, members)
    raise Failed(f"after {w.bitcoind.height - start} blocks these outputs are still there: {found.open}")
