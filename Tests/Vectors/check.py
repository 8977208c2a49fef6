#!/usr/bin/env python3
"""Checks Tests/Vectors/glc against nothing but the BIPs: pure Python, no dependencies, not constant-time, not for secrets.

    Tests/Vectors/check.py

It shares no code with the project. See docs/VECTORS.md for what the files hold.
"""
import hashlib, json, os, struct, sys

P = 2**256 - 2**32 - 977
N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
G = (0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
     0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8)


# --- the curve -------------------------------------------------------------------------------------------------------------------

def add(a, b):
    if a is None: return b
    if b is None: return a
    if a[0] == b[0]:
        if a[1] != b[1]: return None
        m = 3 * a[0] * a[0] * pow(2 * a[1], -1, P)
    else:
        m = (b[1] - a[1]) * pow(b[0] - a[0], -1, P)
    x = (m * m - a[0] - b[0]) % P
    return x, (m * (a[0] - x) - a[1]) % P

def mul(k, a):
    result, k = None, k % N
    while k:
        if k & 1: result = add(result, a)
        a, k = add(a, a), k >> 1
    return result

def neg(a): return None if a is None else (a[0], -a[1] % P)
def odd(a): return a[1] & 1
def x32(a): return a[0].to_bytes(32, 'big')
def c33(a): return bytes(33) if a is None else bytes([2 + odd(a)]) + x32(a)

def lift(x):
    y = pow(x**3 + 7, (P + 1) // 4, P)
    assert y * y % P == (x**3 + 7) % P, 'not a point'
    return x, y if y % 2 == 0 else P - y

def parse(b):
    if b == bytes(33): return None
    point = lift(int.from_bytes(b[1:], 'big'))
    return neg(point) if b[0] == 3 else point

def num(b): return int.from_bytes(b, 'big')
def sha(b): return hashlib.sha256(b).digest()
def tagged(tag, b): return sha(sha(tag.encode()) * 2 + b)
def h(text): return bytes.fromhex(text)


# --- BIP 340 and adaptor signatures ----------------------------------------------------------------------------------------------

def challenge(r, key, message): return num(tagged('BIP0340/challenge', r + key + message)) % N

def verifies(key, message, signature):
    r, s = num(signature[:32]), num(signature[32:])
    point = add(mul(s, G), mul(N - challenge(signature[:32], key, message), lift(num(key))))
    return point is not None and not odd(point) and point[0] == r

def presignature_holds(key, message, presignature, point):
    """s'G - eP = R' - T, or its negative where R' is odd."""
    nonce, s = parse(presignature[:33]), num(presignature[33:])
    left = add(mul(s, G), mul(N - challenge(x32(nonce), key, message), lift(num(key))))
    right = add(nonce, neg(point))
    return left == (neg(right) if odd(nonce) else right)

def adapted(presignature, secret):
    nonce, s = parse(presignature[:33]), num(presignature[33:])
    return x32(nonce) + ((s + (N - secret if odd(nonce) else secret)) % N).to_bytes(32, 'big')

def extracted(presignature, signature):
    difference = (num(signature[32:]) - num(presignature[33:])) % N
    return N - difference if odd(parse(presignature[:33])) else difference


# --- BIP 327 ---------------------------------------------------------------------------------------------------------------------

class KeyAgg:
    def __init__(self, keys):
        self.keys = keys
        self.list = tagged('KeyAgg list', b''.join(keys))
        self.second = next((k for k in keys if k != keys[0]), bytes(33))
        self.q, self.gacc, self.tacc = None, 1, 0
        for key in keys: self.q = add(self.q, mul(self.coefficient(key), parse(key)))

    def coefficient(self, key):
        return 1 if key == self.second else num(tagged('KeyAgg coefficient', self.list + key)) % N

    def tweak(self, value, xonly):
        g = N - 1 if xonly and odd(self.q) else 1
        self.q = add(mul(g, self.q), mul(value, G))
        self.gacc, self.tacc = g * self.gacc % N, (value + g * self.tacc) % N
        return self

def nonce_gen(randomness, secret, public, aggregate, message):
    masked = bytes(a ^ b for a, b in zip(secret, tagged('MuSig/aux', randomness)))
    start = masked + bytes([33]) + public + bytes([32]) + aggregate + bytes([1]) + struct.pack('>Q', len(message)) + message
    return [num(tagged('MuSig/nonce', start + bytes(4) + bytes([i]))) % N for i in (0, 1)]

class Session:
    """Of signers of a message, up to the discrete logarithm of a point where there is one."""
    def __init__(self, agg, aggnonce, message, point=None):
        self.agg, self.message = agg, message
        r1, r2 = add(parse(aggnonce[:33]), point), parse(aggnonce[33:])
        self.b = num(tagged('MuSig/noncecoef', c33(r1) + c33(r2) + x32(agg.q) + message)) % N
        self.r = add(r1, mul(self.b, r2)) or G
        self.e = challenge(x32(self.r), x32(agg.q), message)

    def sign(self, nonces, secret):
        public = mul(num(secret), G)
        k = [N - n if odd(self.r) else n for n in nonces]
        g = N - 1 if odd(self.agg.q) else 1
        d = g * self.agg.gacc * num(secret) % N
        return (k[0] + self.b * k[1] + self.e * self.agg.coefficient(c33(public)) * d) % N

    def part_holds(self, s, nonce, key):
        r = add(parse(nonce[:33]), mul(self.b, parse(nonce[33:])))
        if odd(self.r): r = neg(r)
        g = (N - 1 if odd(self.agg.q) else 1) * self.agg.gacc % N
        return mul(s, G) == add(r, mul(self.e * self.agg.coefficient(key) * g, parse(key)))

    def aggregate(self, parts):
        g = N - 1 if odd(self.agg.q) else 1
        return c33(self.r) + ((sum(parts) + self.e * g * self.agg.tacc) % N).to_bytes(32, 'big')

def sum_of_nonces(nonces):
    return b''.join(c33(add(parse(nonces[0][i:i + 33]), parse(nonces[1][i:i + 33]))) for i in (0, 33))


# --- BIP 341, 342, 350 -----------------------------------------------------------------------------------------------------------

def compact(n):
    return bytes([n]) if n < 0xfd else b'\xfd' + struct.pack('<H', n) if n < 0x10000 else b'\xfe' + struct.pack('<I', n)

def leaf_hash(script): return tagged('TapLeaf', b'\xc0' + compact(len(script)) + script)

def output_key(internal, leaves):
    hashes = [leaf_hash(s) for s in leaves]
    root = b'' if not hashes else hashes[0] if len(hashes) == 1 else tagged('TapBranch', b''.join(sorted(hashes)))
    tweak = num(tagged('TapTweak', internal + root))
    return add(lift(num(internal)), mul(tweak, G)), tweak

def bech32m(program):
    alphabet = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
    def polymod(values):
        c = 1
        for v in values:
            top, c = c >> 25, (c & 0x1ffffff) << 5 ^ v
            for i, g in enumerate((0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3)):
                c ^= g if top >> i & 1 else 0
        return c
    bits = num(program) << 4
    data = [1] + [bits >> 5 * i & 31 for i in reversed(range(52))]
    check = polymod([3, 3, 0, 2, 3] + data + [0] * 6) ^ 0x2bc830a3
    return 'bc1' + ''.join(alphabet[v] for v in data + [check >> 5 * i & 31 for i in reversed(range(6))])

class Tx:
    def __init__(self, raw):
        self.p, self.raw = 0, raw
        self.version = self.u(4)
        witness = raw[4:6] == b'\0\1'
        if witness: self.p += 2
        self.inputs = [(self.take(36), self.take(self.size()), self.u(4)) for _ in range(self.size())]
        self.outputs = [(self.u(8), self.take(self.size())) for _ in range(self.size())]
        self.witness = [[self.take(self.size()) for _ in range(self.size())] for _ in self.inputs] if witness else []
        self.locktime = self.u(4)
        assert self.p == len(raw)

    def take(self, n):
        self.p += n
        return self.raw[self.p - n:self.p]
    def u(self, n): return int.from_bytes(self.take(n), 'little')
    def size(self):
        first = self.u(1)
        return first if first < 0xfd else self.u({0xfd: 2, 0xfe: 4, 0xff: 8}[first])

    def encoded(self):
        out = struct.pack('<I', self.version) + compact(len(self.inputs))
        for point, script, sequence in self.inputs: out += point + compact(len(script)) + script + struct.pack('<I', sequence)
        out += compact(len(self.outputs)) + b''.join(self.output(i) for i in range(len(self.outputs)))
        return out + struct.pack('<I', self.locktime)
    def output(self, i):
        value, script = self.outputs[i]
        return struct.pack('<Q', value) + compact(len(script)) + script
    def txid(self): return sha(sha(self.encoded()))

    def sighash(self, spent, kind, leaf=None):
        """Of the first input. `kind` 0 (all of it) or 0x83 (SINGLE | ANYONECANPAY)."""
        assert kind in (0, 0x83)
        value, script = spent
        point, _, sequence = self.inputs[0]
        data = bytes([0, kind]) + struct.pack('<II', self.version, self.locktime)
        prevout = struct.pack('<Q', value), compact(len(script)) + script, struct.pack('<I', sequence)
        if kind == 0:
            assert len(self.inputs) == 1
            data += sha(point) + sha(prevout[0]) + sha(prevout[1]) + sha(prevout[2])
            data += sha(b''.join(self.output(i) for i in range(len(self.outputs))))
        data += bytes([0 if leaf is None else 2])
        data += struct.pack('<I', 0) if kind == 0 else point + b''.join(prevout)
        if kind == 0x83: data += sha(self.output(0))
        if leaf is not None: data += leaf_hash(leaf) + b'\0' + struct.pack('<I', 0xffffffff)
        return tagged('TapSighash', data)


# --- BOLT 3's keys and the project's scripts -------------------------------------------------------------------------------------

def script_number(n):
    if 1 <= n <= 16: return bytes([0x50 + n])
    raw = n.to_bytes((n.bit_length() + 8) // 8, 'little')
    return bytes([len(raw)]) + raw

def push_key(key): return b'\x20' + key[-32:]
SIG, SIGVERIFY, CSV, CLTV, VERIFY = b'\xac', b'\xad', b'\xb2', b'\xb1', b'\x69'

class Keys:
    def __init__(self, case):
        self.secrets = {side: {name: num(h(v)) for name, v in case[side + '_secrets'].items()} for side in ('holder', 'counterparty')}
        self.point = mul(num(h(case['per_commitment_secret'])), G)
    def base(self, side, name): return mul(self.secrets[side][name], G)
    def derived(self, side, name):
        base = self.base(side, name)
        return c33(add(base, mul(num(sha(c33(self.point) + c33(base))), G)))
    def derived_secret(self, side, name):
        return (self.secrets[side][name] + num(sha(c33(self.point) + c33(self.base(side, name))))) % N
    def revocation(self):
        base = self.base('counterparty', 'revocation')
        return c33(add(mul(num(sha(c33(base) + c33(self.point))), base), mul(num(sha(c33(self.point) + c33(base))), self.point)))

def bound(key, point): return c33(add(parse(key), mul(num(tagged('GLC/point', c33(point))), G)))
def paired(keys, point): return KeyAgg(sorted(keys)).tweak(num(tagged('GLC/point', c33(point))), False)

def ptlc_output(keys, paired_scheme, waits, offered, expiry, point):
    """Internal key and leaves."""
    holder, counterparty = keys.derived('holder', 'ptlc'), keys.derived('counterparty', 'ptlc')
    def ends(checks):  # the last check of a script leaves its result
        out = b''
        for i, check in enumerate(checks):
            last = i == len(checks) - 1
            if isinstance(check, bytes): out += push_key(check) + (SIG if last else SIGVERIFY)
            else: out += script_number(check[1]) + check[0] + (b'' if last else VERIFY)
        return out
    wait = [(CSV, 1)] if waits else []
    if offered: timeout = ends([counterparty, holder] + wait)
    else: timeout = ends([counterparty] + wait + [(CLTV, expiry)])
    if paired_scheme:
        return x32(paired([holder, counterparty], point).q), [timeout, ends([keys.revocation()])]
    pre, own = (holder, counterparty) if offered else (counterparty, holder)
    return keys.revocation()[1:], [timeout, ends([bound(pre, point), own] + wait)]


# --- the files -------------------------------------------------------------------------------------------------------------------

def schnorr_adaptors(i, o):
    key, message, secret = h(o['public_key']), h(i['message']), num(h(i['secret']))
    presignature, signature = h(o['presignature']), h(o['signature'])
    assert x32(mul(num(h(i['secret_key'])), G)) == key and c33(mul(secret, G)) == h(o['point'])
    assert presignature_holds(key, message, presignature, mul(secret, G))
    assert adapted(presignature, secret) == signature and verifies(key, message, signature)
    assert extracted(presignature, signature) == secret and not verifies(key, message, presignature[1:])

def musig2_adaptors(i, o):
    secrets, message, secret = [h(k) for k in i['secret_keys']], h(i['message']), num(h(i['secret']))
    publics = [c33(mul(num(k), G)) for k in secrets]
    assert [h(k) for k in o['public_keys']] == publics
    agg = KeyAgg(publics)
    for tweak in i['tweaks']: agg.tweak(num(h(tweak['tweak'])), tweak['xonly'])
    assert x32(agg.q) == h(o['aggregate_key'])
    nonces = [nonce_gen(h(r), k, p, x32(agg.q), message) for r, k, p in zip(i['nonce_randomness'], secrets, publics)]
    pubs = [b''.join(c33(mul(n, G)) for n in pair) for pair in nonces]
    assert pubs == [h(n) for n in o['public_nonces']] and sum_of_nonces(pubs) == h(o['aggregate_nonce'])
    session = Session(agg, sum_of_nonces(pubs), message, mul(secret, G))
    parts = [session.sign(n, k) for n, k in zip(nonces, secrets)]
    assert parts == [num(h(s)) for s in o['partial_signatures']]
    assert all(session.part_holds(*x) for x in zip(parts, pubs, publics))
    presignature, signature = session.aggregate(parts), h(o['signature'])
    assert presignature == h(o['presignature']) and presignature_holds(x32(agg.q), message, presignature, mul(secret, G))
    assert adapted(presignature, secret) == signature and verifies(x32(agg.q), message, signature)
    assert extracted(presignature, signature) == secret

def is_paired(i): return i['stack'].startswith('paired')
def waits(i): return not i['stack'].endswith('ZeroFee')

def check_ptlc(keys, i, ptlc, described):
    internal, leaves = ptlc_output(
        keys, is_paired(i), waits(i), ptlc['offered_by'] == 'holder', ptlc['expiry'], mul(num(h(ptlc['secret'])), G))
    assert internal == h(described['internal_key'])
    assert leaves == [h(leaf['script']) for leaf in described['leaves']]
    key, _ = output_key(internal, leaves)
    assert described['script_pubkey'] == '5120' + x32(key).hex() and described['address'] == bech32m(x32(key))
    assert described['amount_sat'] == ptlc['amount_msat'] // 1000
    for n, leaf in enumerate(described['leaves']):
        assert h(leaf['control_block']) == bytes([0xc0 + odd(key)]) + internal + leaf_hash(leaves[1 - n])

def ptlc_outputs(i, o):
    keys, ptlc = Keys(i), i['ptlcs'][0]
    point = mul(num(h(ptlc['secret'])), G)
    assert c33(point) == h(o['point']) and tagged('GLC/point', c33(point)) == h(o['point_tweak'])
    assert keys.derived('holder', 'ptlc') == h(o['holder_ptlc_key'])
    assert keys.derived('counterparty', 'ptlc') == h(o['counterparty_ptlc_key'])
    assert keys.revocation() == h(o['revocation_key'])
    check_ptlc(keys, i, ptlc, o['output'])

def commitments(i, o):
    keys, tx = Keys(i), Tx(h(o['tx']))
    assert tx.txid()[::-1].hex() == o['txid'] and tx.encoded() == h(o['tx'])
    assert tx.inputs[0][0] == h(i['funding_txid_internal']) + struct.pack('<I', i['funding_output_index'])
    factor = num(sha(c33(keys.base('holder', 'payment')) + c33(keys.base('counterparty', 'payment')))[26:])
    assert (tx.inputs[0][2] & 0xffffff) << 24 | tx.locktime & 0xffffff == i['number'] ^ factor
    assert tx.version == (2 if waits(i) else 3)
    assert [(d['amount_sat'], h(d['script_pubkey'])) for d in o['outputs']] == tx.outputs
    assert tx.outputs == sorted(tx.outputs)
    for ptlc in i['ptlcs']:
        kind = 'offered_ptlc' if ptlc['offered_by'] == 'holder' else 'received_ptlc'
        found = [d for d in o['outputs'] if d['kind'] == kind and d['id'] == ptlc['id']]
        assert len(found) == (ptlc['amount_msat'] >= 354_000)
        for described in found: check_ptlc(keys, i, ptlc, described)

    # The commitment itself: both sides sign for the funding output.
    agg = KeyAgg(sorted(c33(keys.base(side, 'funding')) for side in ('holder', 'counterparty')))
    key, tweak = output_key(x32(agg.q), [])
    funding = i['funding_amount_sat'], b'\x51\x20' + x32(key)
    message = tx.sighash(funding, 0)
    assert message == h(o['funding_sighash'])
    part = h(o['funding_partial_signature'])
    agg.tweak(tweak, True)
    session = Session(agg, sum_of_nonces([h(o['holder_nonce']), part[32:]]), message)
    assert session.part_holds(num(part[:32]), part[32:], c33(keys.base('counterparty', 'funding')))
    signed = Tx(h(o['signed_tx']))
    assert signed.txid() == tx.txid() and verifies(x32(key), message, signed.witness[0][0])

    # Second stages. Each side's signatures come in the order of the outputs.
    presignatures, signatures, nonces = (iter(map(h, o[n])) for n in ('presignatures', 'signatures', 'counterparty_pair_nonces'))
    for stage in o['second_stage']:
        child, described = Tx(h(stage['signed_tx'])), o['outputs'][stage['output']]
        spent = tx.outputs[stage['output']]
        assert child.inputs[0][0] == tx.txid() + struct.pack('<I', stage['output'])
        witness = child.witness[0]
        leaf = witness[-2] if len(witness) > 1 else None
        assert leaf is None or leaf in [h(x['script']) for x in described['leaves']]
        message = child.sighash(spent, stage['sighash_type'], leaf)
        assert message == h(stage['sighash'])
        taker = stage['taker']
        if stage['signed_by'] == 'both':
            point = parse(h(stage['point']))
            ptlc_keys = {side: keys.derived(side, 'ptlc') for side in ('holder', 'counterparty')}
            agg = paired(list(ptlc_keys.values()), point)
            key, tweak = output_key(x32(agg.q), [h(x['script']) for x in described['leaves']])
            agg.tweak(tweak, True)
            parts = {'holder': next(presignatures), 'counterparty': next(signatures)}
            assert parts['counterparty'][32:] == next(nonces)
            session = Session(agg, sum_of_nonces([p[32:] for p in parts.values()]), message, point)
            for side, p in parts.items(): assert session.part_holds(num(p[:32]), p[32:], ptlc_keys[side])
            presignature = session.aggregate([num(p[:32]) for p in parts.values()])
            assert presignature == h(stage['presignature'])
            signer = x32(key)
        else:
            presignature = next(presignatures if stage['signed_by'] == 'holder' else signatures)
            assert stage['signed_by'] != taker
            name = 'htlc' if 'htlc' in described['kind'] else 'ptlc'
            signer = keys.derived(stage['signed_by'], name)
            if 'point' in stage: signer = bound(signer, parse(h(stage['point'])))
            signer = signer[1:]
            assert push_key(signer) in leaf
            # The taker's own signature covers all of it.
            own = witness[-4 if 'point' in stage else 1 if stage['path'] == 'success' else 0]
            own = next(w for w in witness[:-2] if len(w) == 64)
            assert verifies(keys.derived(taker, name)[1:], child.sighash(spent, 0, leaf), own)
        shown = next(w for w in witness if len(w) == 65 and w[64] == stage['sighash_type'])
        assert verifies(signer, message, shown[:64])
        if 'point' in stage:
            point = parse(h(stage['point']))
            assert presignature_holds(signer, message, presignature, point)
            assert mul(extracted(presignature, shown[:64]), G) == point
        else:
            assert presignature == shown[:64]
    assert not list(presignatures) and not list(signatures) and not list(nonces)


def main():
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'glc')
    checks = {'schnorr-adaptors': schnorr_adaptors, 'musig2-adaptors': musig2_adaptors, 'ptlc-outputs': ptlc_outputs,
              'commitments': commitments}
    for name, check in checks.items():
        with open(os.path.join(folder, name + '.json')) as file: cases = json.load(file)['cases']
        for case in cases:
            try: check(case['input'], case['output'])
            except AssertionError:
                print(f'{name}: {case["comment"]} does not hold', file=sys.stderr)
                raise
        print(f'{name}: {len(cases)} cases hold')

if __name__ == '__main__': main()
