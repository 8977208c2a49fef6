"""Payments over several hops, with glcnode first, in the middle and last; and what is said about channels on the way."""
from cases.shared import channel_with, electrum_fails, electrum_pays
from harness.cases import case
from harness.glcnode import Refused
from harness.processes import Failed, check, same, wait


def far_channel(w):
    """Between the two glcnodes, announced."""
    known = w.__dict__.setdefault("shared", {})
    if "far" not in known:
        known["far"] = w.connect_nodes(w.glc, w.far, capacity=2_000_000, push=1_000_000, announce=True)
    return known["far"]


def hinted(w, msat):
    """An invoice of the far node with the channel of the two as a hint, although it is announced: Electrum need not know it."""
    return w.far.invoice(msat, exposeprivatechannels=[w.far.channel(far_channel(w))["short_channel_id"]])


def last_forward(node):
    return node("listforwards", status="settled")["forwards"][-1]


@case("payments")
def Electrum_pays_Electrum_through_glcnode(w):
    """Neither knows a channel of the other but from the hint in the invoice."""
    alice, bob = channel_with(w, "alice"), channel_with(w, "bob")
    before = len(w.glc("listforwards", status="settled")["forwards"])
    for payer, payee in ((w.alice, w.bob), (w.bob, w.alice)):
        invoice = payee.invoice(70_000, memo="through glcnode")
        electrum_pays(payer, invoice)
    alice.settled()
    bob.settled()
    forwards = w.glc("listforwards", status="settled")["forwards"]
    same(len(forwards), before + 2, "forwards")
    check(all(f["fee_msat"] > 0 for f in forwards[before:]), "glcnode has earned fees")


def through_electrum(w):
    """A channel of alice's with the far glcnode, which has none with the near one yet."""
    channel_with(w, "alice")
    if "alice-far" not in w.shared:
        w.shared["alice-far"] = w.open_from_electrum(w.alice, w.far, capacity=1_000_000, push=300_000)
    channel = w.shared["alice-far"]
    return channel, channel.ours["short_channel_id"]


@case("payments")
def glcnode_pays_a_glcnode_through_Electrum(w):
    """glcnode first and last, Electrum forwards over channels that are not announced."""
    channel, scid = through_electrum(w)
    invoice = w.far.invoice(40_000_000, exposeprivatechannels=[scid])
    reply = w.glc.pay(invoice["bolt11"], maxfeepercent=5)
    check(reply["amount_sent_msat"] > 40_000_000, f"Electrum has taken a fee: {reply}")
    same(w.far.invoice_of(invoice["payment_hash"])["status"], "paid", "status")
    channel.settled()
    return f"fee {reply['amount_sent_msat'] - 40_000_000} msat"


@case("payments")
def glcnode_reads_that_Electrum_cannot_forward(w):
    """Electrum has too little towards `far`."""
    channel, scid = through_electrum(w)
    # More than alice has there, and little enough that it fits into the channel at all. One attempt, over this way alone.
    invoice = w.far.invoice("any")
    amount = (channel.theirs["local_balance"] + 1_000) * 1000
    route = [{"id": w.alice.id, "channel": w.shared["alice"].ours["short_channel_id"], "amount_msat": amount + 100_000, "delay": 800},
             {"id": w.far.id, "channel": scid, "amount_msat": amount, "delay": 60}]
    w.glc("sendpay", route=route, payment_hash=invoice["payment_hash"], payment_secret=invoice["payment_secret"])
    try:
        w.glc("waitsendpay", payment_hash=invoice["payment_hash"], timeout=60)
    except Refused as error:
        same(error.error["data"]["failcodename"], "WIRE_TEMPORARY_CHANNEL_FAILURE", "what Electrum says")
        same(error.error["data"]["erring_index"], 1, "who says it")
        return error.error["message"]
    raise Failed("more was forwarded than the channel holds")


@case("payments")
def Electrum_pays_a_glcnode_behind_a_glcnode(w):
    """glcnode in the middle and last. The far channel stands in the invoice as a hint, with fees."""
    channel_with(w, "alice")
    far_channel(w)
    invoice = hinted(w, 80_000_000)
    electrum_pays(w.alice, invoice["bolt11"])
    same(w.far.invoice_of(invoice["payment_hash"])["amount_received_msat"], 80_000_000, "what came")
    check(last_forward(w.glc)["fee_msat"] > 0, "the node in the middle has earned fees")


@case("payments")
def a_glcnode_behind_a_glcnode_pays_Electrum(w):
    channel_with(w, "bob")
    far_channel(w)
    reply = w.far.pay(w.bob.invoice(60_000), maxfeepercent=5)
    check(reply["amount_sent_msat"] > 60_000_000, "the sender has paid fees")


@case("payments")
def Electrum_reads_that_glcnode_wants_a_higher_fee(w):
    """The hint in the invoice is older than the fee: the first attempt fails with fee_insufficient and a channel_update."""
    channel_with(w, "alice")
    far_channel(w)
    invoice = hinted(w, 50_000_000)
    point = w.shared["far"]
    w.glc("setchannel", id=w.glc.channel(point)["channel_id"], feebase=3_000, feeppm=300)
    try:
        reply = w.alice.pay(invoice["bolt11"])
        text = " ".join(str(line) for line in reply["log"])
        check(reply["success"] or "FEE_INSUFFICIENT" in text, f"Electrum reads the failure: {text}")
        return "paid after: " * bool(reply["success"]) + text[:150]
    finally:
        w.glc("setchannel", id=w.glc.channel(point)["channel_id"])


@case("payments")
def Electrum_reads_that_the_next_hop_is_away(w):
    channel_with(w, "alice")
    far_channel(w)
    invoice = hinted(w, 50_000_000)
    w.far.stop()
    try:
        text = electrum_fails(w.alice, invoice["bolt11"])
        check("TEMPORARY_CHANNEL_FAILURE" in text or "UNKNOWN_NEXT_PEER" in text, f"Electrum reads the failure: {text}")
    finally:
        w.far.start()
        wait("the nodes are connected again", lambda: w.far.is_connected(w.glc.id))
    return text[:150]


