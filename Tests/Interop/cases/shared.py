"""Channels that several cases of a group use, opened when the first of them needs them."""
import hashlib
import os

from harness.processes import check, wait


def channel_with(w, name):
    """alice's channel was opened by glcnode, bob's by Electrum."""
    known = w.__dict__.setdefault("shared", {})
    channel = known.get(name)
    if channel is not None:
        # A case before may have ended a process or a connection.
        wait(f"{name}'s channel is in use", lambda: channel.is_open, 60)
    else:
        if name == "alice":
            channel = w.open_from_glcnode(w.glc, w.alice, capacity=5_000_000, push=2_000_000)
        else:
            channel = w.open_from_electrum(w.bob, w.glc, capacity=5_000_000, push=2_000_000)
        known[name] = channel
    return channel


def secret():
    """A preimage and its hash, in hex."""
    preimage = os.urandom(32)
    return preimage.hex(), hashlib.sha256(preimage).hexdigest()


def electrum_pays(electrum, invoice):
    """A payment of Electrum's that has to arrive."""
    reply = electrum.pay(invoice)
    check(reply["success"], f"{electrum.name} could not pay: {reply['log']}")
    return reply["preimage"]


def electrum_fails(electrum, invoice):
    """A payment of Electrum's that has to fail; what it read in the failures."""
    reply = electrum.pay(invoice)
    check(not reply["success"], f"{electrum.name} could pay, and should not")
    return " ".join(str(line) for line in reply["log"])


def wait_for_payment(channel, direction, payment_hash, seconds=30):
    """Until a payment is in both commitments of glcnode's channel, `in` towards it or `out`."""
    return wait(f"payment {payment_hash[:8]} is pending", lambda: next(
        (h for h in channel.pending() if h["direction"] == direction and h["payment_hash"] == payment_hash
         and h["state"] in ("SENT_ADD_ACK_REVOCATION", "RCVD_ADD_ACK_REVOCATION")), None), seconds)


def settle_held(node, preimage):
    """As soon as the payment is there: what stands in the channel is looked at a moment later."""
    wait("the held payment is there and is settled", lambda: node("glc-holdinvoice-settle", preimage=preimage))
