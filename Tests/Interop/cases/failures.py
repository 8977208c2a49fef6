"""Failures that each side produces, and that the other reads."""
from cases.shared import channel_with, electrum_fails, electrum_pays, secret
from harness.cases import case
from harness.glcnode import Refused
from harness.processes import Failed, check, same


def fails(w, invoice, codes, **more):
    try:
        w.glc.pay(invoice, **more)
    except Refused as error:
        check(error.code in codes, f"code {error.code}, should be one of {codes}: {error.error}")
        return error
    raise Failed("the payment arrived, and should not")


def failing_with(w, setting):
    channel = channel_with(w, "alice")
    before = channel.settled()
    w.alice.set(setting, True)
    try:
        error = fails(w, w.alice.invoice(20_000), (202, 203, 204, 205, 210), retry_for=5)
    finally:
        w.alice.set(setting, False)
    same(channel.settled(), before, "glcnode's part")
    return error.error["message"]


@case("payments")
def Electrum_fails_with_malformed_and_glcnode_reads_it(w):
    return failing_with(w, "test_fail_malformed_htlc")


@case("payments")
def Electrum_fails_with_temporary_node_failure_and_glcnode_reads_it(w):
    return failing_with(w, "test_fail_htlcs_with_temp_node_failure")


@case("payments")
def a_hash_that_Electrum_does_not_know_is_refused_at_the_destination(w):
    channel = channel_with(w, "alice")
    before = channel.settled()
    _, payment_hash = secret()
    ours = channel.ours
    route = [{"id": w.alice.id, "channel": ours["short_channel_id"], "amount_msat": 5_000_000, "delay": 160}]
    w.glc("sendpay", route=route, payment_hash=payment_hash, payment_secret=secret()[0])
    try:
        w.glc("waitsendpay", payment_hash=payment_hash, timeout=60)
    except Refused as error:
        same(error.code, 203, "the code of a failure at the destination")
        same(error.error["data"]["failcodename"], "WIRE_INCORRECT_OR_UNKNOWN_PAYMENT_DETAILS", "the failure")
    else:
        raise Failed("the payment arrived")
    same(channel.settled(), before, "glcnode's part")


@case("payments")
def an_invoice_that_was_paid_costs_once(w):
    channel = channel_with(w, "alice")
    before = channel.settled()
    invoice = w.alice.invoice(33_000, memo="once")
    first = w.glc.pay(invoice)
    channel.settled()
    same(w.glc.pay(invoice)["payment_preimage"], first["payment_preimage"], "paying twice gives the first payment")
    same(channel.settled(), before - 33_000_000, "and costs once")


@case("payments")
def an_invoice_that_glcnode_has_deleted_is_refused_and_Electrum_reads_why(w):
    channel = channel_with(w, "alice")
    before = channel.settled()
    invoice = w.glc.invoice(20_000_000, label="deleted")
    w.glc("delinvoice", label="deleted", status="unpaid")
    text = electrum_fails(w.alice, invoice["bolt11"])
    check("INCORRECT_OR_UNKNOWN_PAYMENT_DETAILS" in text, f"Electrum reads the reason: {text}")
    same(channel.settled(), before, "glcnode's part")


@case("payments")
def an_invoice_that_is_paid_already_is_not_paid_twice_by_Electrum(w):
    channel = channel_with(w, "alice")
    preimage, _ = secret()
    invoice = w.glc.invoice(20_000_000, preimage=preimage)
    electrum_pays(w.alice, invoice["bolt11"])
    before = channel.settled()
    try:
        w.alice.pay(invoice["bolt11"])
    except Failed:
        pass
    same(channel.settled(), before, "glcnode's part")


@case("payments")
def what_neither_can_afford_is_not_tried_on_the_wire(w):
    channel = channel_with(w, "alice")
    before = channel.settled()
    invoice = w.glc.invoice(4_900_000_000)
    try:
        reply = w.alice.pay(invoice["bolt11"])
        check(not reply["success"], "Electrum paid more than it has")
    except Failed as error:
        if "more than it has" in str(error):
            raise
    same(channel.settled(), before, "glcnode's part")
