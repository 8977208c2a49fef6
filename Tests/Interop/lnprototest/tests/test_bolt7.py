"""BOLT 7: what others say about the network is checked before it is passed on."""
import time

from lnprototest import Block, Connect, CreateFunding, Disconnect, ExpectMsg, Msg, MustNotMsg, RawMsg, bitfield
from lnprototest.stash import funding_tx
from lnprototest.utils import Side, run_runner
from lnprototest.utils.bitcoin_utils import tx_spendable, utxo

# Bit 7: gossip queries.
FEATURES = bitfield(1, 7, 9, 13, 15)
SCID = "103x1x0"
FILTER = {"chain_hash": "06226e46111a0b59caaf126043eb5bbf28c34f3a5e332a1fc7b2b73cf188910f",
          "first_timestamp": 0, "timestamp_range": 4294967295}


def greeting(key):
    return [Connect(connprivkey=key), ExpectMsg("init"), Msg("init", globalfeatures="", features=FEATURES)]


def chain():
    """A channel of nodes 02 and 03, whom the node under test does not know otherwise, seven blocks deep."""
    return [
        Block(blockheight=102, txs=[tx_spendable]),
        CreateFunding(*utxo(0), local_node_privkey="02", local_funding_privkey="10", remote_node_privkey="03",
                      remote_funding_privkey="20"),
        Block(blockheight=103, number=7, txs=[funding_tx()])]


def announcement(scid):
    return lambda runner, event, _: runner.get_stash(event, "Funding").channel_announcement(scid, "")


def update(side):
    return lambda runner, event, _: runner.get_stash(event, "Funding").channel_update(
        SCID, side, disable=False, cltv_expiry_delta=6, htlc_minimum_msat=0, fee_base_msat=1000,
        fee_proportional_millionths=10, timestamp=int(time.time()), htlc_maximum_msat=900_000_000)


def test_an_announced_channel_is_passed_on_to_who_asks_for_gossip(runner):
    run_runner(runner, chain() + greeting("04") + [
        RawMsg(announcement(SCID)), RawMsg(update(Side.local))] + greeting("05") + [
        Msg("gossip_timestamp_filter", **FILTER),
        ExpectMsg("channel_announcement", short_channel_id=SCID), ExpectMsg("channel_update", short_channel_id=SCID),
        Disconnect(), Disconnect(connprivkey="04")])


def test_a_channel_that_is_not_in_the_chain_is_passed_on_to_nobody(runner):
    run_runner(runner, chain() + greeting("04") + [
        RawMsg(announcement("103x1x1"))] + greeting("05") + [
        MustNotMsg("channel_announcement"), Msg("gossip_timestamp_filter", **FILTER),
        Msg("ping", num_pong_bytes=1, ignored=""), ExpectMsg("pong", ignored="00"),
        Disconnect(), Disconnect(connprivkey="04")])


def test_an_update_without_its_announcement_is_passed_on_to_nobody(runner):
    run_runner(runner, chain() + greeting("04") + [
        RawMsg(update(Side.local))] + greeting("05") + [
        MustNotMsg("channel_update"), Msg("gossip_timestamp_filter", **FILTER),
        Msg("ping", num_pong_bytes=1, ignored=""), ExpectMsg("pong", ignored="00"),
        Disconnect(), Disconnect(connprivkey="04")])
