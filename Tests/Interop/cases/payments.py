"""Payments both ways, of many sizes and in several ways."""
from concurrent.futures import ThreadPoolExecutor

from cases.shared import channel_with, electrum_pays, secret, settle_held, wait_for_payment
from harness.cases import case
from harness.glcnode import Refused
from harness.processes import Failed, check, same, wait


def sizes(w, channel):
    """In satoshi: dust, around the dust limit, around where an output is worth its second stage's fee, and large ones."""
    limits = {546}
    if not w.is_new:
        # BOLT 3 §Trimmed Outputs, without anchors: the fee of the second stage comes on top of the dust limit.
        rate = channel.ours["feerate"]["perkw"]
        limits |= {546 + rate * weight // 1000 for weight in (663, 703)}
    small = {1, 2, 353, 354}
    return sorted(small | {limit + d for limit in limits for d in (-1, 0, 1)} | {100_000, 500_000})


def pays_both_ways(w, name):
    channel, peer = channel_with(w, name), getattr(w, name)
    amounts = sizes(w, channel)
    expected = channel.settled()
    for amount in amounts:
        paid = w.glc.pay(peer.invoice(amount))
        same(paid["amount_sent_msat"], amount * 1000, f"glcnode pays {amount} sat")
        expected -= amount * 1000
    same(channel.settled(), expected, "glcnode's part after paying")
    for amount in amounts:
        invoice = w.glc.invoice(amount * 1000)
        electrum_pays(peer, invoice["bolt11"])
        same(w.glc.invoice_of(invoice["payment_hash"])["amount_received_msat"], amount * 1000, f"Electrum pays {amount} sat")
        expected += amount * 1000
    same(channel.settled(), expected, "glcnode's part after being paid")
    return "sat: " + ", ".join(str(a) for a in amounts)


@case("payments")
def payments_of_many_sizes_both_ways_where_glcnode_opened(w):
    return pays_both_ways(w, "alice")


@case("payments")
def payments_of_many_sizes_both_ways_where_Electrum_opened(w):
    return pays_both_ways(w, "bob")


@case("payments")
def amounts_with_millisatoshi_arrive_exactly(w):
    channel = channel_with(w, "alice")
    before = channel.settled()
    # From a satoshi on: with less, Electrum's split of the amount runs for ever.
    for amount in (1_000, 1_001, 546_001, 3_000_999):
        invoice = w.glc.invoice(amount)
        electrum_pays(w.alice, invoice["bolt11"])
        same(w.glc.invoice_of(invoice["payment_hash"])["amount_received_msat"], amount, "what came")
        before += amount
    same(channel.settled(), before, "glcnode's part")


@case("payments")
def the_proof_of_payment_is_the_preimage_on_both_sides(w):
    channel_with(w, "alice")
    preimage, payment_hash = secret()
    invoice = w.glc.invoice(10_000_000, preimage=preimage)
    same(invoice["payment_hash"], payment_hash, "hash")
    same(electrum_pays(w.alice, invoice["bolt11"]), preimage, "the preimage that Electrum got")
    paid = w.glc.pay(w.alice.invoice(10_000))
    same(w.glc("decode", string=w.glc("listpays", payment_hash=paid["payment_hash"])["pays"][0]["bolt11"])["payment_hash"],
         paid["payment_hash"], "the invoice's hash")


@case("payments")
def twenty_payments_at_the_same_time_in_both_directions(w):
    channel = channel_with(w, "alice")
    before = channel.settled()
    ours = [w.glc.invoice(7_000_000 + i)["bolt11"] for i in range(10)]
    theirs = [w.alice.invoice(6_000 + i, memo=f"at once {i}") for i in range(10)]
    with ThreadPoolExecutor(20) as pool:
        for result in [pool.submit(electrum_pays, w.alice, i) for i in ours] + [pool.submit(w.glc.pay, i) for i in theirs]:
            result.result()
    same(channel.settled(), before + sum(7_000_000 + i for i in range(10)) - sum(6_000_000 + i * 1000 for i in range(10)),
         "glcnode's part")


@case("payments")
def an_invoice_without_an_amount_is_paid_with_any(w):
    channel_with(w, "alice")
    reply = w.glc.pay(w.alice.invoice(0) if not w.is_new else w.alice.invoice(0), amount_msat=12_345_000)
    same(reply["amount_msat"], 12_345_000, "amount")


@case("payments")
def glcnode_pays_in_several_parts_over_two_channels(w):
    """Neither channel with Electrum can carry it alone."""
    first = channel_with(w, "alice")
    second = w.open_from_glcnode(w.glc, w.alice, capacity=1_500_000, push=300_000)
    try:
        note = several_parts(w, first, second)
    finally:
        w.glc("close", id=second.id)
        w.mine()
    if not w.is_new:
        # So that both have something in the channel that is left, for the cases that follow.
        wait("the other channel is in use", lambda: first.is_open, 60)
        electrum_pays(w.alice, w.glc.invoice(first.theirs["local_balance"] // 2 * 1000)["bolt11"])
        first.settled()
    return note


def several_parts(w, first, second):
    spendable = sorted(c["spendable_msat"] // 1000 for c in (first.ours, second.ours))
    amount = spendable[1] + spendable[0] // 2
    reply = w.glc.pay(w.alice.invoice(amount))
    check(reply["parts"] >= 2, f"several parts, not {reply['parts']}")
    first.settled()
    second.settled()
    note = f"{amount} sat in {reply['parts']} parts"
    if not w.is_new:
        # It splits, and then looks for a way for each part without knowing that it has two channels with the same peer.
        return note + "; not back: Electrum sends both parts over the same channel"
    # Back again, also in parts: Electrum cannot send it over one channel either.
    theirs = sorted(c["local_balance"] for c in (first.theirs, second.theirs))
    back = theirs[1] + theirs[0] // 4
    invoice = w.glc.invoice(back * 1000)
    electrum_pays(w.alice, invoice["bolt11"])
    same(w.glc.invoice_of(invoice["payment_hash"])["amount_received_msat"], back * 1000, "what came")
    return note


@case("payments")
def Electrum_splits_although_it_need_not(w):
    channel = channel_with(w, "alice")
    w.alice.set("test_force_mpp", True)
    try:
        amount = channel.theirs["local_balance"] // 3 * 1000
        invoice = w.glc.invoice(amount)
        electrum_pays(w.alice, invoice["bolt11"])
        same(w.glc.invoice_of(invoice["payment_hash"])["amount_received_msat"], amount, "what came")
        channel.settled()
    finally:
        w.alice.set("test_force_mpp", False)


@case("payments")
def keysend_to_Electrum_fails_with_a_reason_that_is_read(w):
    """Neither Electrum has keysend."""
    channel_with(w, "alice")
    try:
        w.glc("keysend", destination=w.alice.id, amount_msat=10_000_000)
    except Refused as error:
        check(error.code in (203, 205, 210), f"the code is that of a failure at the destination: {error.error}")
        return error.error["message"]
    raise Failed("Electrum took a spontaneous payment")


def holds(w, settle):
    channel = channel_with(w, "alice")
    preimage, payment_hash = secret()
    invoice = w.glc("glc-holdinvoice", payment_hash=payment_hash, amount_msat=55_000_000, label=payment_hash, description="hold")
    with ThreadPoolExecutor(1) as pool:
        paying = pool.submit(w.alice.pay, invoice["bolt11"])
        wait_for_payment(channel, "in", payment_hash)
        check(not paying.done(), "the payment waits")
        if settle:
            settle_held(w.glc, preimage)
            reply = paying.result()
            check(reply["success"] and reply["preimage"] == preimage, f"Electrum has the preimage: {reply}")
        else:
            w.glc("glc-holdinvoice-cancel", payment_hash=payment_hash)
            reply = paying.result()
            check(not reply["success"], "the payment failed")
    channel.settled()


@case("payments")
def a_hold_invoice_of_glcnode_is_settled(w):
    holds(w, True)


@case("payments")
def a_hold_invoice_of_glcnode_is_cancelled(w):
    holds(w, False)


def is_held(w, channel, settle):
    preimage, payment_hash = secret()
    invoice = w.alice("add_hold_invoice", payment_hash=payment_hash, amount="0.0006", memo="hold")["invoice"]
    with ThreadPoolExecutor(1) as pool:
        paying = pool.submit(w.glc.pay, invoice)
        wait_for_payment(channel, "out", payment_hash)
        wait("Electrum has it", lambda: w.alice("check_hold_invoice", payment_hash=payment_hash)["status"] == "paid")
        check(not paying.done(), "the payment waits")
        if settle:
            w.alice("settle_hold_invoice", preimage=preimage)
            same(paying.result()["payment_preimage"], preimage, "preimage")
        else:
            w.alice("cancel_hold_invoice", payment_hash=payment_hash)
            try:
                paying.result()
            except Refused as error:
                same(error.code, 203, "the code of a failure at the destination")
            else:
                raise Failed("the payment arrived")
    channel.settled()


@case("payments", v4_3_4="has no hold invoices")
def a_hold_invoice_of_Electrum_is_settled(w):
    is_held(w, channel_with(w, "alice"), True)


@case("payments", v4_3_4="has no hold invoices")
def a_hold_invoice_of_Electrum_is_cancelled(w):
    is_held(w, channel_with(w, "alice"), False)


@case("payments")
def an_HTLC_that_Electrum_holds_back_is_settled_when_it_lets_go(w):
    channel = channel_with(w, "alice")
    w.alice("enable_htlc_settle", b=False)
    try:
        with ThreadPoolExecutor(1) as pool:
            invoice = w.alice.invoice(44_000)
            paying = pool.submit(w.glc.pay, invoice)
            wait_for_payment(channel, "out", w.glc("decode", string=invoice)["payment_hash"])
            w.alice("enable_htlc_settle", b=True)
            same(paying.result()["status"], "complete", "status")
    finally:
        w.alice("enable_htlc_settle", b=True)
    channel.settled()
