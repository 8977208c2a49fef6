"""What the network says about itself, to and from Electrum."""
from cases.routes import far_channel, through_electrum
from cases.shared import channel_with
from harness.cases import case
from harness.processes import wait


@case("payments", v4_3_4="opens no channels that are announced")
def a_channel_with_Electrum_is_announced_and_both_tell_it(w):
    channel = w.open_from_electrum(w.bob, w.far, capacity=500_000, push=200_000, public=True)
    w.mine(4)
    scid = channel.ours["short_channel_id"]
    wait("both have signed, and `far` knows both directions", lambda: len(
        [c for c in w.far("listchannels", short_channel_id=scid)["channels"] if c["public"]]) == 2, 90)
    far_channel(w)
    wait("the other node has heard of it", lambda: len(w.glc("listchannels", short_channel_id=scid)["channels"]) == 2, 90)
    w.shared["announced"] = channel


def knows(w, electrum, scid):
    """Whether Electrum's graph has a channel. 4.8.3 does not list it, and counts."""
    if w.is_new:
        found = electrum("gossip_info")["database"]
        return found["channels"] >= 1 and found["channel_policies"] >= 2
    block, transaction, output = (int(part) for part in scid.split("x"))
    return f"{block:06x}{transaction:06x}{output:04x}" in str(electrum("dumpgraph"))


@case("payments")
def Electrum_learns_the_channel_of_two_glcnodes(w):
    """Its gossip connection, with a node id of its own, asks glcnode by gossip queries."""
    channel_with(w, "alice")
    point = far_channel(w)
    scid = w.glc.channel(point)["short_channel_id"]
    wait("it is announced", lambda: len(w.glc("listchannels", short_channel_id=scid)["channels"]) == 2)
    w.alice("add_peer", connection_string=w.glc.place, gossip=True)
    wait("the gossip connection stands", lambda: any(
        p["node_id"] == w.glc.id and p["initialized"] for p in w.alice("list_peers", gossip=True)))
    wait("Electrum knows the channel", lambda: knows(w, w.alice, scid), 90)


@case("payments", v4_3_4="passes no gossip on")
def glcnode_learns_a_channel_from_Electrum(w):
    """Of a channel that two Electrums have announced, from one of them: `far` has no other source."""
    point = w.alice("open_channel", connection_string=w.bob.place, amount="0.005", push_amount="0.002", public=True)
    w.mine(7)
    wait("the two have a channel", lambda: w.alice.channel(point)["state"] == "OPEN" and w.bob.channel(point)["state"] == "OPEN", 90)
    scid = w.alice.channel(point)["short_channel_id"]
    # Electrum tells of its own channels ten seconds after a connection is made, and then every ten minutes.
    through_electrum(w)
    w.connect(w.far, w.alice)
    w.far("disconnect", id=w.alice.id, force=True)
    wait("glcnode has heard of it", lambda: len(w.far("listchannels", short_channel_id=scid)["channels"]) >= 1, 120)
