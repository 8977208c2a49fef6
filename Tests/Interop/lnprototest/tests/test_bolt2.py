"""BOLT 2: opening, a payment and its end, and finding each other again."""
import lnprototest
from channels import FEATURES, gen_random_keyset, greeting, ignore_updates, open_channel, opened
from lnprototest import (
    HTLC, AddHtlc, Connect, Disconnect, ExpectError, ExpectMsg, Msg, Side, TryAll, UpdateCommit,
    remote_per_commitment_point, remote_per_commitment_secret)
from lnprototest.stash import channel_id, commitsig_to_recv, commitsig_to_send, htlc_sigs_to_recv, htlc_sigs_to_send
from lnprototest.utils import run_runner
from lnprototest.utils.bitcoin_utils import funding_amount_for_utxo

PREIMAGE = "05" * 32
AMOUNT = 100_000_000


def test_a_channel_opens_with_the_keys_and_signatures_that_its_secrets_make(runner):
    run_runner(runner, opened(runner, gen_random_keyset()))


def test_what_may_not_be_asked_for_is_refused_with_an_error(runner):
    """BOLT 2 §The `open_channel` Message: the receiving node MUST fail the channel if …"""
    keys = gen_random_keyset()
    run_runner(runner, greeting() + [
        TryAll(
            open_channel(keys, push_msat=funding_amount_for_utxo(0) * 1000 + 1),
            open_channel(keys, to_self_delay=65535),
            open_channel(keys, max_accepted_htlcs=484),
            open_channel(keys, dust_limit_satoshis=9_999),
            open_channel(keys, dust_limit_satoshis=353),
            open_channel(keys, feerate_per_kw=1),
            open_channel(keys, chain_hash="06" * 32),
            # No channel_type at all.
            open_channel(keys, tlvs="{}")),
        ExpectError()])


def added(keys, htlc):
    """The node's payment, irrevocable on both sides."""
    return [
        AddHtlc(AMOUNT, PREIMAGE),
        ExpectMsg("update_add_htlc", channel_id=channel_id(), id=0, amount_msat=AMOUNT, payment_hash=htlc.payment_hash(),
                  cltv_expiry=htlc.cltv_expiry, ignore=ignore_updates),
        UpdateCommit(new_htlcs=[(htlc, 0)]),
        ExpectMsg("commitment_signed", channel_id=channel_id(), signature=commitsig_to_recv(),
                  htlc_signature=htlc_sigs_to_recv(), ignore=ignore_updates),
        Msg("revoke_and_ack", channel_id=channel_id(), per_commitment_secret=keys.per_commit_secret(0),
            next_per_commitment_point=keys.per_commit_point(2)),
        Msg("commitment_signed", channel_id=channel_id(), signature=commitsig_to_send(), htlc_signature=htlc_sigs_to_send()),
        ExpectMsg("revoke_and_ack", channel_id=channel_id(), per_commitment_secret=remote_per_commitment_secret(0),
                  next_per_commitment_point=remote_per_commitment_point(2), ignore=ignore_updates)]


def payment():
    return HTLC(owner=Side.remote, amount_msat=AMOUNT, payment_secret=PREIMAGE, cltv_expiry=110,
                onion_routing_packet="00" * 1366)


def test_a_payment_of_the_node_is_added_and_fulfilled_with_the_signatures_of_BOLT_3(runner):
    keys, htlc = gen_random_keyset(), payment()
    run_runner(runner, opened(runner, keys) + added(keys, htlc) + [
        Msg("update_fulfill_htlc", channel_id=channel_id(), id=0, payment_preimage=PREIMAGE),
        UpdateCommit(resolved_htlcs=[htlc]),
        Msg("commitment_signed", channel_id=channel_id(), signature=commitsig_to_send(), htlc_signature="[]"),
        ExpectMsg("revoke_and_ack", channel_id=channel_id(), per_commitment_secret=remote_per_commitment_secret(1),
                  next_per_commitment_point=remote_per_commitment_point(3), ignore=ignore_updates),
        ExpectMsg("commitment_signed", channel_id=channel_id(), signature=commitsig_to_recv(), htlc_signature="[]",
                  ignore=ignore_updates),
        Msg("revoke_and_ack", channel_id=channel_id(), per_commitment_secret=keys.per_commit_secret(1),
            next_per_commitment_point=keys.per_commit_point(3))])


def test_a_wrong_secret_fails_the_channel(runner):
    """BOLT 2: if `per_commitment_secret` is not a valid secret key or does not generate the previous `per_commitment_point`: …"""
    keys, htlc = gen_random_keyset(), payment()
    run_runner(runner, opened(runner, keys) + added(keys, htlc)[:4] + [
        Msg("revoke_and_ack", channel_id=channel_id(), per_commitment_secret=keys.per_commit_secret(5),
            next_per_commitment_point=keys.per_commit_point(2)),
        ExpectError()])


def test_a_connection_that_comes_back_begins_with_what_both_expect_next(runner):
    keys = gen_random_keyset()
    tlvs = {} if lnprototest.namespace().get_msgtype("channel_reestablish").find_field("tlvs") is None else {"tlvs": "{}"}
    run_runner(runner, opened(runner, keys) + [
        Disconnect(), Connect(connprivkey="02"), ExpectMsg("init"), Msg("init", globalfeatures="", features=FEATURES),
        ExpectMsg("channel_reestablish", channel_id=channel_id(), next_commitment_number=1, next_revocation_number=0,
                  your_last_per_commitment_secret="00" * 32, ignore=ignore_updates),
        Msg("channel_reestablish", channel_id=channel_id(), next_commitment_number=1, next_revocation_number=0,
            your_last_per_commitment_secret="00" * 32, my_current_per_commitment_point=keys.per_commit_point(0), **tlvs),
        # BOLT 2: if `next_commitment_number` is 1 in both: MUST retransmit `channel_ready`.
        ExpectMsg("channel_ready", channel_id=channel_id(), second_per_commitment_point=remote_per_commitment_point(1),
                  ignore=ignore_updates)])
