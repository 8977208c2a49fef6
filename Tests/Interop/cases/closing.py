"""Channels that both sides close together."""
from cases.shared import electrum_pays
from harness.cases import case
from harness.processes import check, same, wait


def open_and_use(w, opener):
    """A channel in which both have something, and have paid."""
    opens = w.open_from_glcnode if opener == "glcnode" else lambda e, n, **more: w.open_from_electrum(n, e, **more)
    channel = opens(w.glc, w.alice, capacity=1_000_000, push=400_000)
    w.glc.pay(w.alice.invoice(50_000))
    electrum_pays(w.alice, w.glc.invoice(20_000_000)["bolt11"])
    channel.settled()
    return channel


def close_together(w, opener, closer):
    channel = open_and_use(w, opener)
    mine = channel.settled() // 1000
    if closer == "glcnode":
        closing = w.glc("close", id=channel.id)
        same(closing["type"], "mutual", "type of the close")
        txid = closing["txid"]
    else:
        txid = w.alice("close_channel", channel_point=channel.point)
    w.mine()
    check(w.bitcoind.confirmations(txid) > 0, "the closing transaction is in a block")
    outputs = [round(o["value"] * 1e8) for o in w.bitcoind.transaction(txid)["vout"]]
    fee = 1_000_000 - sum(outputs)
    # The opener pays the fee; the other side has to the satoshi what it had.
    others = 1_000_000 - mine if opener == "glcnode" else mine
    check(others in outputs, f"who did not open has all of its {others} sat: {outputs}")
    check(0 < fee < 60_000, f"a fee of {fee} sat")
    wait("glcnode says that it is over", lambda: not any(
        c.get("funding_txid") == channel.txid and c["state"] in ("CHANNELD_NORMAL", "CLOSINGD_SIGEXCHANGE")
        for c in w.glc.channels()))
    wait("Electrum says that it is over", lambda: channel.theirs["state"] in ("CLOSED", "REDEEMED"))
    return f"fee {fee} sat"


@case("chain")
def glcnode_opened_and_closes(w):
    return close_together(w, "glcnode", "glcnode")


@case("chain")
def glcnode_opened_and_Electrum_closes(w):
    return close_together(w, "glcnode", "electrum")


@case("chain")
def Electrum_opened_and_closes(w):
    return close_together(w, "electrum", "electrum")


@case("chain")
def Electrum_opened_and_glcnode_closes(w):
    return close_together(w, "electrum", "glcnode")


@case("chain")
def glcnode_changes_the_fee_rate_and_both_go_on_paying(w):
    """update_fee up and down again, with payments before and after, by the opener."""
    channel = open_and_use(w, "glcnode")
    first = channel.ours["feerate"]["perkw"]
    try:
        for rate in (first * 3, first):
            w.glc("glc-dev-feerate", perkw=rate)
            w.mine()
            wait(f"the fee rate is {rate}", lambda: channel.ours["feerate"]["perkw"] == rate)
            w.glc.pay(w.alice.invoice(1_500))
            electrum_pays(w.alice, w.glc.invoice(2_500_000)["bolt11"])
            channel.settled()
    finally:
        w.glc("glc-dev-feerate")
    w.glc("close", id=channel.id)
    w.mine()
    return f"{first} to {first * 3} per kw and back"


@case("chain")
def Electrum_changes_the_fee_rate_right_after_opening(w):
    """Electrum's own `update_fee` that moves the commitment numbers away from 0: it does that when it is the opener."""
    channel = w.open_from_electrum(w.alice, w.glc, capacity=1_000_000, push=400_000)
    rate = channel.ours["feerate"]["perkw"]
    # Electrum looks at it with every new block.
    w.mine_until("Electrum has sent update_fee", lambda: channel.theirs["remote_ctn"] > 0, limit=3, seconds=40)
    changed = channel.ours["feerate"]["perkw"]
    electrum_pays(w.alice, w.glc.invoice(2_500_000)["bolt11"])
    channel.settled()
    w.alice("close_channel", channel_point=channel.point)
    w.mine()
    return f"{rate} to {changed} per kw"
