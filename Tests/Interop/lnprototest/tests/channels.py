"""What tests about channels begin with: a channel that the test opens and funds."""
import lnprototest
from lnprototest import (
    Block, Commit, Connect, CreateFunding, ExpectMsg, Msg, Side, msat, remote_delayed_payment_basepoint,
    remote_funding_privkey, remote_funding_pubkey, remote_htlc_basepoint, remote_payment_basepoint,
    remote_per_commitment_point, remote_revocation_basepoint)
from lnprototest.stash import (
    channel_id, commitsig_to_recv, commitsig_to_send, funding, funding_tx, funding_txid, rcvd, sent)
from lnprototest.utils import BitcoinUtils, gen_random_keyset, pubkey_of
from lnprototest.utils.bitcoin_utils import funding_amount_for_utxo, tx_spendable, utxo

FEATURES = lnprototest.bitfield(1, 9, 13, 15, 45)
FUNDING_KEY = "20"
PUSHED = 300_000_000


def greeting(key="02"):
    return [
        Block(blockheight=102, txs=[tx_spendable]), Connect(connprivkey=key), ExpectMsg("init"),
        Msg("init", globalfeatures="", features=FEATURES)]


def open_channel(keys, **changes):
    fields = {
        "chain_hash": BitcoinUtils.blockchain_hash(), "temporary_channel_id": "00" * 32,
        "funding_satoshis": funding_amount_for_utxo(0), "push_msat": PUSHED, "dust_limit_satoshis": 546,
        "max_htlc_value_in_flight_msat": 4294967295, "channel_reserve_satoshis": 9998, "htlc_minimum_msat": 0,
        "feerate_per_kw": 253, "to_self_delay": 5, "max_accepted_htlcs": 483, "funding_pubkey": pubkey_of(FUNDING_KEY),
        "revocation_basepoint": keys.revocation_basepoint(), "payment_basepoint": keys.payment_basepoint(),
        "delayed_payment_basepoint": keys.delayed_payment_basepoint(), "htlc_basepoint": keys.htlc_basepoint(),
        "first_per_commitment_point": keys.per_commit_point(0), "channel_flags": 0,
        # static_remotekey: the commitments that lnprototest can build.
        "tlvs": "{channel_type={type=1000}}"}
    return Msg("open_channel", **{**fields, **changes})


def opened(runner, keys):
    """Up to channel_ready of both; every key and signature of the node is what its secrets make of it."""
    return greeting() + [
        open_channel(keys),
        ExpectMsg(
            "accept_channel", funding_pubkey=remote_funding_pubkey(), revocation_basepoint=remote_revocation_basepoint(),
            payment_basepoint=remote_payment_basepoint(), delayed_payment_basepoint=remote_delayed_payment_basepoint(),
            htlc_basepoint=remote_htlc_basepoint(), first_per_commitment_point=remote_per_commitment_point(0),
            minimum_depth=3),
        CreateFunding(
            *utxo(0), local_node_privkey="02", local_funding_privkey=FUNDING_KEY, remote_node_privkey=runner.get_node_privkey(),
            remote_funding_privkey=remote_funding_privkey()),
        Commit(
            funding=funding(), opener=Side.local, local_keyset=keys, local_to_self_delay=rcvd("to_self_delay", int),
            remote_to_self_delay=sent("to_self_delay", int), local_amount=funding_amount_for_utxo(0) * 1000 - PUSHED,
            remote_amount=PUSHED, local_dust_limit=546, remote_dust_limit=546, feerate=253,
            local_features=sent("init.features"), remote_features=rcvd("init.features")),
        Msg("funding_created", temporary_channel_id=rcvd(), funding_txid=funding_txid(), funding_output_index=0,
            signature=commitsig_to_send()),
        ExpectMsg("funding_signed", channel_id=channel_id(), signature=commitsig_to_recv()),
        Block(blockheight=103, number=3, txs=[funding_tx()]),
        ExpectMsg("channel_ready", channel_id=channel_id(), second_per_commitment_point=remote_per_commitment_point(1)),
        Msg("channel_ready", channel_id=channel_id(), second_per_commitment_point=keys.per_commit_point(1),
            tlvs="{}"),
    ]


def ignore_updates(message):
    """The node tells its policy for the channel at a time of its own."""
    return ExpectMsg.ignore_channel_update(message) if message.messagetype.name == "channel_update" else \
        ExpectMsg.ignore_gossip_queries(message)


__all__ = ["greeting", "open_channel", "opened", "ignore_updates", "gen_random_keyset", "msat"]
