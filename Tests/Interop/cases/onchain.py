"""Channels that one side closes by force, with payments pending in both directions; every output must come home."""
import threading
from concurrent.futures import ThreadPoolExecutor

from cases.restarts import quietly
from cases.shared import secret, settle_held, wait_for_payment
from harness.cases import case
from harness.chain import follow, mine_until_home
from harness.processes import Failed, check, wait


class Pending:
    """A payment that waits in the channel."""

    def __init__(self, direction, satoshi, preimage=None, payment_hash=None):
        self.direction, self.satoshi, self.preimage, self.payment_hash = direction, satoshi, preimage, payment_hash


def towards_glcnode(w, channel, satoshi):
    preimage, payment_hash = secret()
    invoice = w.glc("glc-holdinvoice", payment_hash=payment_hash, amount_msat=satoshi * 1000, label=payment_hash,
                    description="pending", cltv=40)["bolt11"]
    threading.Thread(target=lambda: quietly(lambda: channel.electrum.pay(invoice)), daemon=True).start()
    wait_for_payment(channel, "in", payment_hash)
    return Pending("in", satoshi, preimage, payment_hash)


def towards_electrum(w, channel, satoshi):
    electrum = channel.electrum
    preimage, payment_hash = secret()
    if w.is_new:
        invoice = electrum("add_hold_invoice", payment_hash=payment_hash, amount=f"{satoshi / 1e8:.8f}",
                          memo="pending", min_final_cltv_expiry_delta=150)["invoice"]
    else:
        # It has the preimage and holds it back.
        invoice, preimage = electrum.invoice(satoshi, memo=f"pending {payment_hash[:8]}"), None
        payment_hash = w.glc("decode", string=invoice)["payment_hash"]
    threading.Thread(target=lambda: quietly(lambda: w.glc.pay(invoice)), daemon=True).start()
    wait_for_payment(channel, "out", payment_hash)
    return Pending("out", satoshi, preimage, payment_hash)


def all_signed(channel, count):
    return len(channel.ours["htlcs"]) == count and all(
        h["state"] in ("SENT_ADD_ACK_REVOCATION", "RCVD_ADD_ACK_REVOCATION") for h in channel.ours["htlcs"])


class Closed:
    """A channel with two payments of some size pending in each direction and one that is dust; then one side closes it by force."""

    def __init__(self, w, name, opener, closer):
        self.w, self.name, self.opener, self.closer = w, name, opener, closer
        self.electrum = getattr(w, name)
        self.failure = self.commitment = self.channel = None

    def open(self):
        self.channel = self.w.begin(self.opener, self.w.glc, self.electrum, capacity=2_000_000, push=900_000)

    def burden(self):
        w, channel = self.w, self.channel
        if not w.is_new:
            self.electrum("enable_htlc_settle", b=False)
        self.pending = [towards_glcnode(w, channel, s) for s in (60_000, 70_000, 300)]
        self.pending += [towards_electrum(w, channel, s) for s in (61_000, 71_000)]
        wait("the last commitments are signed", lambda: all_signed(channel, 5))
        total = sum(p.satoshi for p in self.pending)
        wait("Electrum has them all", lambda: channel.theirs["remote_unsettled_sent"]
             + channel.theirs["local_unsettled_sent"] == total)
        mine, theirs = channel.ours["to_us_msat"] // 1000, channel.theirs["local_balance"]
        # One payment of each direction is claimed with its preimage, the other one goes back when its time is over; Electrum 4.3
        # has both preimages.
        settled = self.pending[0].satoshi, self.pending[3].satoshi + (0 if w.is_new else self.pending[4].satoshi)
        self.expected = mine + settled[0] - settled[1], theirs + settled[1] - settled[0]
        self.before = self.electrum.coins()

    def close(self):
        if self.closer == "glcnode":
            self.w.glc("glc-forceclose", id=self.channel.id)
        else:
            self.electrum("close_channel", channel_point=self.channel.point, force=True)
        wait("the commitment waits for a block", lambda: self.w.bitcoind.spender(self.channel.txid, self.channel.output))

    def claim(self):
        self.commitment = self.w.bitcoind.spender(self.channel.txid, self.channel.output)
        settle_held(self.w.glc, self.pending[0].preimage)
        if self.w.is_new:
            self.electrum("settle_hold_invoice", preimage=self.pending[3].preimage)

    def judge(self, blocks):
        """Electrum's fees come off, at the rates of its own that it has on regtest, and the commitment's from the opener."""
        gained, wanted = self.electrum.coins() - self.before, self.expected[1]
        if not wanted - 350_000 <= gained <= wanted + 1_000:
            raise Failed(f"Electrum has {gained} sat more on the chain, should be about {wanted}")
        return f"all outputs are home after {blocks} blocks; Electrum has {gained} of {wanted} sat, the rest are its fees"


def together(w, closed, step):
    """A step of all of them at the same time. Who fails is out, and the others go on."""
    def run(one):
        try:
            getattr(one, step)()
        except (Failed, OSError, LookupError) as error:
            one.failure = error
    with ThreadPoolExecutor(len(closed)) as pool:
        list(pool.map(run, [one for one in closed if one.failure is None]))


def scene(w):
    """All four ways in which it can be opened and closed, each with a wallet of its own, in the same blocks."""
    known = w.__dict__.setdefault("shared", {})
    if "closed" in known:
        return known["closed"]
    closed = [Closed(w, "alice", "glcnode", "glcnode"), Closed(w, "bob", "glcnode", "electrum"),
              Closed(w, "carol", "electrum", "glcnode"), Closed(w, "dave", "electrum", "electrum")]
    known["closed"] = closed
    for one in closed:
        try:
            one.open()
        except (Failed, OSError) as error:
            one.failure = error
    w.confirm(*[one.channel for one in closed if one.failure is None])
    together(w, closed, "burden")
    known["coins"] = w.glc.coins()
    together(w, closed, "close")
    w.mine()
    together(w, closed, "claim")
    commitments = [one.commitment for one in closed if one.commitment]
    try:
        known["blocks"] = mine_until_home(w, commitments, [w.glc, w.alice, w.bob, w.carol, w.dave])
    except Failed as error:
        for one in closed:
            one.failure = one.failure or error
    if not w.is_new:
        for one in closed:
            one.electrum("enable_htlc_settle", b=True)
    return closed


def closed_by_force(w, index):
    one = scene(w)[index]
    if one.failure is not None:
        raise one.failure
    return one.judge(w.shared["blocks"])


@case("chain")
def glcnode_opened_and_closes_by_force_with_payments_pending_both_ways(w):
    return closed_by_force(w, 0)


@case("chain")
def glcnode_opened_and_Electrum_closes_by_force_with_payments_pending_both_ways(w):
    return closed_by_force(w, 1)


@case("chain")
def Electrum_opened_and_glcnode_closes_by_force_with_payments_pending_both_ways(w):
    return closed_by_force(w, 2)


@case("chain")
def Electrum_opened_and_closes_by_force_with_payments_pending_both_ways(w):
    return closed_by_force(w, 3)


@case("chain")
def of_the_four_not_a_satoshi_is_missing(w):
    """What all wallets have gained, all fees and the anchors that nobody took are the four channels."""
    closed = scene(w)
    for one in closed:
        if one.failure is not None:
            raise Failed(f"not to be counted: {one.failure}")
    gained = {}

    def all_is_counted():
        # Electrum takes a moment to see its own transactions confirmed.
        gained["glcnode"] = w.glc.coins() - w.shared["coins"]
        for one in closed:
            gained[one.name] = one.electrum.coins() - one.before
        return sum(gained.values()) + fees + 330 * spent.anchors == 8_000_000

    spent = follow(w, [one.commitment for one in closed], [w.glc, *(one.electrum for one in closed)])
    fees = spent.fees(w.bitcoind)
    try:
        wait("all is counted", all_is_counted, 30)
    except Failed:
        raise Failed(f"{gained}, {fees} sat of fees and {spent.anchors} anchors are not 8,000,000 sat") from None
    wanted = sum(one.expected[0] for one in closed)
    # A claim that could be lost pays up to half of what it is for: eight payments of 60,000 to 71,000 sat, each in a transaction of its own.
    check(gained["glcnode"] >= wanted - 8 * 36_000, f"glcnode has {gained['glcnode']} of {wanted} sat")
    return f"{sum(gained.values())} in wallets, {fees} of fees, {spent.anchors} anchors; glcnode has {gained['glcnode']} of {wanted}"
