"""Revoked commitments: each side tries it, and the other takes everything."""
import shutil

from cases.onchain import towards_electrum, towards_glcnode
from cases.shared import electrum_pays, settle_held
from harness.cases import case
from harness.chain import follow, mine_until_home
from harness.electrum import Electrum
from harness.processes import check, same, wait


def with_a_past(w, opener):
    """A channel with payments of both directions pending; then they are settled, and the side that is to be robbed gets more."""
    opens = w.open_from_glcnode if opener == "glcnode" else lambda e, n, **more: w.open_from_electrum(n, e, **more)
    channel = opens(w.glc, w.alice, capacity=1_000_000, push=400_000)
    if not w.is_new:
        w.alice("enable_htlc_settle", b=False)
    pending = [towards_glcnode(w, channel, 60_000), towards_electrum(w, channel, 70_000)]
    wait("all is signed", lambda: all(
        h["state"] in ("SENT_ADD_ACK_REVOCATION", "RCVD_ADD_ACK_REVOCATION") for h in channel.ours["htlcs"])
        and channel.theirs["local_unsettled_sent"] == 60_000 and channel.theirs["remote_unsettled_sent"] == 70_000)
    return channel, pending


def settle(w, channel, pending):
    settle_held(w.glc, pending[0].preimage)
    if w.is_new:
        w.alice("settle_hold_invoice", preimage=pending[1].preimage)
    else:
        w.alice("enable_htlc_settle", b=True)
    channel.settled()


@case("chain")
def glcnode_publishes_a_revoked_commitment_and_Electrum_takes_everything(w):
    channel, pending = with_a_past(w, "glcnode")
    number = w.glc("glc-stack", id=channel.id)["commitment_number"]
    settle(w, channel, pending)
    w.glc.pay(w.alice.invoice(300_000))
    channel.settled()
    stolen = w.glc("glc-dev-revoked", id=channel.id, number=number)
    w.mine()
    check(w.bitcoind.confirmations(stolen["txid"]) > 0, "the revoked commitment is in a block")
    commitment = w.bitcoind.transaction(stolen["txid"])
    blocks = mine_until_home(w, [commitment], [w.alice, w.glc])
    spent = follow(w, [commitment], [w.alice, w.glc])
    gained = spent.owned.get("alice", 0) - spent.brought(w.bitcoind, {commitment["txid"]})
    check(gained > 800_000, f"Electrum has {gained} of 1,000,000 sat: {spent.owned}")
    return f"Electrum has {gained} of 1000000 sat after {blocks} blocks"


@case("chain")
def Electrum_publishes_a_revoked_commitment_and_glcnode_takes_everything(w):
    """A copy of Electrum's folder, made while payments were pending; started again after they were settled."""
    channel, pending = with_a_past(w, "electrum")
    w.alice.stop()
    copy = f"{w.folder}/copy"
    shutil.copytree(w.alice.folder, copy, ignore=shutil.ignore_patterns("daemon*", "*.lock"))
    w.alice.start()
    wait("the channel is in use again", lambda: channel.is_open, 90)
    settle(w, channel, pending)
    electrum_pays(w.alice, w.glc.invoice(200_000_000)["bolt11"])
    channel.settled()
    # The thief comes with the old folder, and glcnode is away so that it does not tell it how old it is.
    w.alice.stop()
    w.glc.stop()
    thief = Electrum(w.tools.electrum[w.version], w.version, "thief", copy, f"{w.logs}/thief.log", w.server)
    try:
        thief.start()
        thief("close_channel", channel_point=channel.point, force=True)
        wait("the revoked commitment waits for a block", lambda: w.bitcoind.spender(channel.txid, channel.output))
    finally:
        thief.stop()
        shutil.rmtree(copy)
    w.bitcoind.mine(1)
    w.glc.start()
    commitment = w.bitcoind.spender(channel.txid, channel.output)
    blocks = mine_until_home(w, [commitment], [w.glc])
    spent = follow(w, [commitment], [w.glc])
    gained = spent.owned.get("glc", 0) - spent.brought(w.bitcoind, {commitment["txid"]})
    w.alice.start()
    same(spent.open, [], "outputs that nobody has taken")
    check(gained > 1_000_000 - 200_000, f"glcnode has {gained} of 1,000,000 sat: {spent.owned}")
    return f"glcnode has {gained} of 1000000 sat after {blocks} blocks"
