"""Channels from either side."""
from harness.cases import case
from harness.glcnode import Refused
from harness.processes import check, same, wait


@case("payments")
def glcnode_opens_a_channel(w):
    channel = w.open_from_glcnode(w.glc, w.alice, capacity=1_000_000, push=300_000)
    same(channel.ours["channel_type"]["bits"] and sorted(channel.ours["channel_type"]["bits"]), w.channel_type, "channel type")
    same(channel.settled(), 700_000_000, "glcnode's part")
    same(channel.ours["opener"], "local", "opener")
    check(channel.theirs["short_channel_id"] == channel.ours["short_channel_id"], "both name the channel alike")
    w.glc("close", id=channel.id)
    w.mine()


@case("payments")
def Electrum_opens_a_channel(w):
    channel = w.open_from_electrum(w.alice, w.glc, capacity=1_000_000, push=300_000)
    same(sorted(channel.ours["channel_type"]["bits"]), w.channel_type, "channel type")
    same(channel.settled(), 300_000_000, "glcnode's part")
    same(channel.ours["opener"], "remote", "opener")
    w.alice("close_channel", channel_point=channel.point)
    w.mine()


@case("payments")
def Electrum_refuses_a_channel_that_is_too_small_and_nothing_is_left_of_it(w):
    w.connect(w.glc, w.alice)
    before = len(w.glc.channels(w.alice.id))
    try:
        w.glc("fundchannel", id=w.alice.id, amount=150_000)
    except Refused as error:
        # Electrum says nothing: it closes the connection. The caller hears of it at once, and the peers are together again.
        wait("nothing is left of it", lambda: len(w.glc.channels(w.alice.id)) <= before)
        wait("both are connected again", lambda: w.glc.is_connected(w.alice.id))
        return error.error["message"]
    check(False, "a channel of 150,000 sat was opened")


@case("payments", v4_3_4="has no zeroconf channels")
def glcnode_refuses_a_zeroconf_channel_of_a_peer_that_it_does_not_trust(w):
    w.connect(w.glc, w.alice)
    point = None
    try:
        point = w.alice("open_channel", connection_string=w.glc.place, amount="0.005", zeroconf=True)
    except Exception as error:  # pylint: disable=broad-except
        return str(error)[:200]
    check(False, f"a zeroconf channel was opened: {point}")
