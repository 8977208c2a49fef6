"""Either side ends in the middle of payments, in good order or not, and comes back."""
import threading
from concurrent.futures import ThreadPoolExecutor

from cases.shared import channel_with, secret, settle_held, wait_for_payment
from harness.cases import case
from harness.processes import Failed, check, same, wait


def wait_until_open(channel):
    wait("the channel is in use again", lambda: channel.is_open, 90)


@case("payments")
def glcnode_is_killed_while_it_holds_a_payment_of_Electrum(w):
    channel = channel_with(w, "alice")
    before = channel.settled()
    preimage, payment_hash = secret()
    invoice = w.glc("glc-holdinvoice", payment_hash=payment_hash, amount_msat=33_000_000, label=payment_hash, description="kill")
    with ThreadPoolExecutor(1) as pool:
        paying = pool.submit(w.alice.pay, invoice["bolt11"])
        wait_for_payment(channel, "in", payment_hash)
        w.glc.kill()
        w.glc.start()
        wait_until_open(channel)
        wait_for_payment(channel, "in", payment_hash)
        settle_held(w.glc, preimage)
        reply = paying.result()
        check(reply["success"], f"the payment arrived: {reply['log']}")
    same(channel.settled(), before + 33_000_000, "glcnode's part")


@case("payments")
def glcnode_is_killed_while_its_payment_waits_at_Electrum(w):
    channel = channel_with(w, "alice")
    before = channel.settled()
    w.alice("enable_htlc_settle", b=False)
    try:
        invoice = w.alice.invoice(21_000, memo="held")
        payment_hash = w.glc("decode", string=invoice)["payment_hash"]
        # Its answer is lost with the process; what becomes of the payment is not.
        threading.Thread(target=lambda: quietly(lambda: w.glc.pay(invoice)), daemon=True).start()
        wait_for_payment(channel, "out", payment_hash)
        w.glc.kill()
        w.glc.start()
        wait_until_open(channel)
        wait_for_payment(channel, "out", payment_hash)
    finally:
        w.alice("enable_htlc_settle", b=True)
    wait("the payment is complete", lambda: w.glc("listpays", payment_hash=payment_hash)["pays"][0]["status"] == "complete")
    same(channel.settled(), before - 21_000_000, "glcnode's part")


@case("payments")
def Electrum_is_killed_while_it_waits_for_glcnode(w):
    channel = channel_with(w, "alice")
    before = channel.settled()
    preimage, payment_hash = secret()
    invoice = w.glc("glc-holdinvoice", payment_hash=payment_hash, amount_msat=12_000_000, label=payment_hash, description="kill")
    threading.Thread(target=lambda: quietly(lambda: w.alice.pay(invoice["bolt11"])), daemon=True).start()
    wait_for_payment(channel, "in", payment_hash)
    # Electrum writes what it has signed before it sends it; its file is complete whenever glcnode has the payment.
    w.alice.kill()
    try:
        settle_held(w.glc, preimage)
    finally:
        w.alice.start()
    wait_until_open(channel)
    same(channel.settled(), before + 12_000_000, "glcnode's part")


@case("payments")
def Electrum_restarts_while_it_holds_a_payment_of_glcnode(w):
    channel = channel_with(w, "alice")
    before = channel.settled()
    w.alice("enable_htlc_settle", b=False)
    invoice = w.alice.invoice(23_000, memo="held over a restart")
    with ThreadPoolExecutor(1) as pool:
        paying = pool.submit(w.glc.pay, invoice)
        wait_for_payment(channel, "out", w.glc("decode", string=invoice)["payment_hash"])
        w.alice.stop()
        # It settles as soon as it runs again: the switch is not remembered.
        w.alice.start()
        wait_until_open(channel)
        same(paying.result()["status"], "complete", "status")
    same(channel.settled(), before - 23_000_000, "glcnode's part")


@case("payments")
def payments_go_on_both_ways_while_glcnode_is_killed_three_times(w):
    channel = channel_with(w, "alice")
    before, total = channel.settled(), channel.ours["total_msat"]
    running, outcomes = threading.Event(), []
    running.set()

    def pay(direction):
        while running.is_set():
            try:
                if direction == "out":
                    invoice = w.alice.invoice(3_000, memo="again and again")
                    outcomes.append(("out", w.glc("decode", string=invoice)["payment_hash"]))
                    w.glc.pay(invoice, retry_for=5)
                else:
                    invoice = w.glc.invoice(4_000_000)
                    outcomes.append(("in", invoice["payment_hash"]))
                    w.alice.pay(invoice["bolt11"])
            except (OSError, Failed, ValueError):
                threading.Event().wait(0.1)

    threads = [threading.Thread(target=pay, args=(d,), daemon=True) for d in ("out", "in")]
    for thread in threads:
        thread.start()
    for _ in range(3):
        done = len(outcomes)
        wait("some payments are made", lambda: len(outcomes) > done + 3)
        w.glc.kill()
        w.glc.start()
        wait_until_open(channel)
    running.clear()
    for thread in threads:
        thread.join(120)
    after = channel.settled()
    paid = {p["payment_hash"] for p in w.glc("listpays", status="complete")["pays"]}
    got = {i["payment_hash"] for i in w.glc("listinvoices")["invoices"] if i["status"] == "paid"}
    sent = sum(h in paid for d, h in outcomes if d == "out")
    came = sum(h in got for d, h in outcomes if d == "in")
    same(after, before - sent * 3_000_000 + came * 4_000_000, f"glcnode's part of {total} after {sent} out and {came} in")
    return f"{sent} payments out, {came} in"


def quietly(body):
    try:
        body()
    except (OSError, Failed, ValueError):
        pass
