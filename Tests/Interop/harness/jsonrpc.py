"""JSON-RPC over HTTP, on TCP or a Unix socket: bitcoind and Electrum."""
import base64
import http.client
import json
import socket

from .processes import Failed


class RPCFailed(Failed):
    def __init__(self, method, error):
        super().__init__(f"{method}: {error}")
        self.error = error


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def call(place, user, password, method, params, path="/", timeout=180):
    """`place` is a port of this machine, or the path of a socket."""
    if isinstance(place, int):
        connection = http.client.HTTPConnection("127.0.0.1", place, timeout=timeout)
    else:
        connection = _UnixConnection(place, timeout)
    try:
        connection.request(
            "POST", path, json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}),
            {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode(),
             "Content-Type": "application/json"})
        reply = json.loads(connection.getresponse().read())
    except (http.client.HTTPException, ValueError) as error:
        raise OSError(f"{method}: {error!r}") from error
    finally:
        connection.close()
    if reply.get("error"):
        raise RPCFailed(method, reply["error"])
    return reply["result"]
