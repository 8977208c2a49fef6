extension NodeAPI {
  /// What docs/RPC.md begins with.
  public static let introduction = """
    # The API

    <!-- Made by `glcnode help --markdown`; a test says when it is not current. -->

    A node answers JSON-RPC 2.0 on a Unix stream socket, `DATA-DIR/NETWORK/lightning-rpc`, which only its owner can open. Names of methods,
    parameters and members of replies are Core Lightning's wherever the notion is the same, so what was written for it works:

    ```python
    from pyln.client import LightningRpc
    rpc = LightningRpc("/home/me/.glc/regtest/lightning-rpc")
    print(rpc.getinfo()["id"])
    ```

    A request is one JSON object. Nothing needs to stand behind it, and the next may follow before the reply has come; calls of one connection
    run at the same time. A reply is one object on one line and an empty line.

    ```json
    {"jsonrpc": "2.0", "id": 1, "method": "newaddr", "params": {"addresstype": "bech32"}}
    {"jsonrpc":"2.0","id":1,"result":{"bech32":"bcrt1…"}}
    ```

    - `id` is any JSON and comes back as it is; it must be there.
    - `params` is an object by name, or an array in the order given below. Null counts as left out. What a method does not know is refused by name.
    - `filter` trims the reply: it has the reply's shape with `true` where a value is wanted, `{"outputs": [{"txid": true}]}`.
    - After a call of `notifications` with `{"enable": true}`, calls that take long send `{"method": "message", "params": {"id", "message",
      "progress"}}` on the same connection before their reply.
    - A caller that hangs up cancels what only waits for it. Payments and channels go on.
    - Requests have at most 4 MiB and 64 levels; a connection runs 64 calls at a time.

    Amounts in replies are integers; names that end in `_msat` are millisatoshi. In parameters of kind *msat*, `1000`, `"1000msat"`,
    `"1sat"` and `"0.00000001btc"` are the same amount; in those of kind *sat*, a bare number is satoshi. Bytes are hex.

    Errors are `{"code", "message"}`: −32600 for what is no request, −32601 for an unknown method, −32602 for a wrong parameter, −1 for other
    refusals, and Core Lightning's numbers for the rest (2xx payments, 3xx funding, 4xx connecting, 9xx invoices).

    ## Differences from Core Lightning

    Replies have the members of Core Lightning 26.06 with their types, and some of their own; a script that pyln-client runs compares them.
    Not there:

    - `listpeerchannels`: `scratch_txid`, `last_tx_fee_msat`, `last_stable_connection`, `min_to_us_msat`, `max_to_us_msat`, `funding.psbt`,
      `funding.withheld`, the counters `in_payments_…`, `in_offered_msat`, `out_payments_…` and `out_offered_msat`, and `state_changes`.
    - `feerates`: `splice`. `listpeers`: `remote_addr` of a peer on this machine. `listconfigs` has our options, not Core Lightning's.
    - `listnodes`: `last_timestamp` of a node that has not announced itself yet.

    Parameters in bold must be given.

    """
}
