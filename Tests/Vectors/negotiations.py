#!/usr/bin/env python3
"""Checks the negotiations in Tests/Vectors/glc against docs/NEGOTIATION.md and the BIPs. What check.py says of itself holds here too.

    Tests/Vectors/negotiations.py
"""
import hashlib, json, os, struct, sys
from check import (G, KeyAgg, N, Session, Tx, add, c33, compact, h, mul, num, odd, output_key, parse, sha, sum_of_nonces, tagged,
                   verifies, x32)

TYPES = {'glc_inquire': 45084, 'glc_offer': 45086, 'glc_propose': 45088, 'glc_complete': 45090, 'glc_commit': 45092, 'glc_sign': 45094}
FUNDING, REVOCATION, PAYMENT, DELAYED, HTLC, PTLC = 0, 1, 2, 3, 4, 16
WITNESS_SCRIPT, MUSIG2 = 0x0100, 0x0102


# --- reading ---------------------------------------------------------------------------------------------------------------------

class Reader:
    def __init__(self, raw): self.p, self.raw = 0, raw
    def take(self, n):
        self.p += n
        assert self.p <= len(self.raw)
        return self.raw[self.p - n:self.p]
    def u(self, n): return num(self.take(n))
    def le(self, n): return int.from_bytes(self.take(n), 'little')
    def big_size(self):
        first = self.u(1)
        return first if first < 0xfd else self.u({0xfd: 2, 0xfe: 4, 0xff: 8}[first])
    def compact(self):
        first = self.le(1)
        return first if first < 0xfd else self.le({0xfd: 2, 0xfe: 4, 0xff: 8}[first])
    def sized(self): return self.take(self.big_size())
    def done(self): assert self.p == len(self.raw)
    def left(self): return self.p < len(self.raw)

class Terms:
    def __init__(self, r):
        start = r.p
        self.contribution, self.dust, self.delay, self.depth = r.u(8), r.u(8), r.u(2), r.u(4)
        self.basepoints = {}
        for _ in range(r.big_size()):
            number = r.u(1)
            self.basepoints[number] = r.take(33)
        assert list(self.basepoints) == sorted(self.basepoints)
        self.point, self.script = r.take(33), r.sized()
        self.raw = r.raw[start:r.p]

class Deal:
    def __init__(self, raw):
        r = Reader(raw)
        self.chain, self.funding = r.take(32), r.u(2)
        self.extensions = [r.u(2) for _ in range(r.big_size())]
        self.transforms = [r.u(2) for _ in range(r.big_size())]
        self.funding_rate, self.commitment_rate, self.locktime = r.u(4), r.u(4), r.u(4)
        self.pushed, self.wished, flags = r.u(8), r.u(8), r.u(1)
        assert self.extensions == sorted(self.extensions) and flags == 0
        r.done()

class Psbt:
    """Version 2. Maps of keys, whole, to values; of proprietary ones of GLC's, (subtype, key data) to values."""
    def __init__(self, raw):
        r = Reader(raw)
        assert r.take(5) == b'psbt\xff'
        self.fields, self.glc = self.map(r)
        assert self.fields[b'\xfb'] == struct.pack('<I', 2)
        count = lambda key: Reader(self.fields[key]).compact()
        inputs, outputs = count(b'\x04'), count(b'\x05')
        self.inputs, self.outputs = [self.map(r) for _ in range(inputs)], [self.map(r) for _ in range(outputs)]
        r.done()

    @staticmethod
    def map(r):
        plain, glc = {}, {}
        while True:
            key = r.take(r.compact())
            if not key: return plain, glc
            value = r.take(r.compact())
            assert key not in plain
            if key[0] == 0xfc:
                k = Reader(key[1:])
                assert k.take(k.compact()) == b'GLC'
                glc[(k.compact(), k.raw[k.p:])] = value
            else: plain[key] = value

    def encoded_tx(self):
        out = self.fields[b'\x02'] + compact(len(self.inputs))
        for plain, _ in self.inputs: out += plain[b'\x0e'] + plain[b'\x0f'] + b'\0' + plain[b'\x10']
        out += compact(len(self.outputs))
        for plain, _ in self.outputs: out += plain[b'\x03'] + compact(len(plain[b'\x04'])) + plain[b'\x04']
        return out + self.fields[b'\x03']

    def parameters(self): return {num(key): value for (subtype, key), value in self.glc.items() if subtype == 1}


# --- signatures ------------------------------------------------------------------------------------------------------------------

def ecdsa(key, message, r, s):
    w = pow(s, -1, N)
    point = add(mul(num(message) * w, G), mul(r * w, parse(key)))
    return 0 < r < N and 0 < s <= N // 2 and point is not None and point[0] % N == r

def der(raw):
    r = Reader(raw)
    assert r.u(1) == 0x30 and r.u(1) == len(raw) - 2
    found = []
    for _ in range(2):
        assert r.u(1) == 2
        found.append(num(r.take(r.u(1))))
    r.done()
    return found

def amount(value): return struct.pack('<Q', value)
def script(code): return compact(len(code)) + code

def segwit_sighash(tx, index, code, value):
    """BIP 143, SIGHASH_ALL."""
    double = lambda b: sha(sha(b))
    return double(
        struct.pack('<I', tx.version) + double(b''.join(i[0] for i in tx.inputs))
        + double(b''.join(struct.pack('<I', i[2]) for i in tx.inputs)) + tx.inputs[index][0] + script(code) + amount(value)
        + struct.pack('<I', tx.inputs[index][2]) + double(b''.join(tx.output(i) for i in range(len(tx.outputs))))
        + struct.pack('<II', tx.locktime, 1))

def taproot_sighash(tx, index, spent):
    """BIP 341, SIGHASH_DEFAULT, key path."""
    return tagged(
        'TapSighash', bytes(2) + struct.pack('<II', tx.version, tx.locktime) + sha(b''.join(i[0] for i in tx.inputs))
        + sha(b''.join(amount(v) for v, _ in spent)) + sha(b''.join(script(s) for _, s in spent))
        + sha(b''.join(struct.pack('<I', i[2]) for i in tx.inputs))
        + sha(b''.join(tx.output(i) for i in range(len(tx.outputs)))) + b'\0' + struct.pack('<I', index))

def opens(tx, index, witness, spent):
    """Whether it opens a key's output, covering all of the transaction."""
    value, code = spent[index]
    if code[:2] == b'\x51\x20':
        return len(witness) == 1 and len(witness[0]) == 64 and verifies(code[2:], taproot_sighash(tx, index, spent), witness[0])
    assert code[:2] == b'\x00\x14'
    signature, key = witness
    try: hashed = hashlib.new('ripemd160', sha(key)).digest()
    except ValueError: hashed = code[2:]  # not every OpenSSL has it
    digest = segwit_sighash(tx, index, b'\x76\xa9\x14' + code[2:] + b'\x88\xac', value)
    return hashed == code[2:] and signature[-1] == 1 and ecdsa(key, digest, *der(signature[:-1]))


# --- a negotiation ---------------------------------------------------------------------------------------------------------------

OPENER, ACCEPTOR = 'opener', 'acceptor'
def other(side): return ACCEPTOR if side == OPENER else OPENER

class Negotiation:
    def __init__(self, name, lines):
        self.name, self.result = name, lines[-1]
        self.terms, self.proposals, self.completions, self.promises, self.witnesses = {}, [], {}, {}, {}
        self.offered, self.signed = None, []
        self.id = h(lines[0]['bytes'])[2:34]
        for line in lines[:-1]:
            r = Reader(h(line['bytes']))
            assert r.u(2) == TYPES[line['message']] and r.take(32) == self.id
            getattr(self, line['message'])(line['from'], r)
            r.done()

    def glc_inquire(self, side, r):
        assert side == OPENER and r.u(1) == 1
        self.deal = Deal(r.sized())
        self.deal_bytes = Reader(r.raw[35:]).sized()
        self.terms[side] = Terms(r)

    def glc_offer(self, side, r):
        assert side == ACCEPTOR
        self.terms[side] = Terms(r)
        self.offered = {r.u(2): r.sized() for _ in range(r.big_size())}
        assert list(self.offered) == self.deal.extensions

    def glc_propose(self, side, r):
        assert r.u(1) == len(self.proposals) + 1
        assert side == (OPENER if len(self.proposals) % 2 == 0 else ACCEPTOR)
        funding, count = Psbt(r.sized()), r.big_size()
        assert count == 2
        self.proposals.append((funding, [Psbt(r.sized()) for _ in range(2)]))

    def glc_complete(self, side, r):
        txid = r.take(32)
        self.completions[side] = (txid, r.take(66) if r.u(1) else None)

    def glc_commit(self, side, r):
        txid, kind = r.take(32), r.u(1)
        signature = r.take({0: 64, 2: 98}[kind])
        assert r.big_size() == 0
        self.promises[side] = (txid, kind, signature)

    def glc_sign(self, side, r):
        txid = r.take(32)
        witnesses = []
        for _ in range(r.big_size()):
            w = Reader(r.sized())
            witnesses.append([w.sized() for _ in range(w.big_size())])
            w.done()
        self.signed.append(side)
        self.witnesses[side] = (txid, witnesses)

    def check(self):
        funding, commitments = self.proposals[-1]
        tx = Tx(funding.encoded_tx())
        capacity = sum(t.contribution for t in self.terms.values())

        # Everything that was agreed on stands in the PSBTs, and in all of them the same.
        assert funding.glc[(3, b'')] == self.deal_bytes
        assert [funding.glc[(4, bytes([n]))] for n in (0, 1)] == [self.terms[s].raw for s in (OPENER, ACCEPTOR)]
        stack = b'\x01' + self.deal.funding.to_bytes(2, 'big') + b'\x00'
        for psbt in [funding] + commitments:
            assert psbt.glc[(0, b'')] == stack and psbt.parameters() == funding.parameters()
            assert sorted(psbt.parameters()) == self.deal.extensions
        for n, psbt in enumerate(commitments): assert psbt.glc[(2, b'')] == bytes([1]) + bytes(8) + bytes([n])

        # The form of payments by points is said by the parameters alone.
        ptlc = funding.parameters().get(0x0500)
        assert (ptlc is None) == ('ptlc' not in self.name)
        if ptlc is not None: assert ptlc[0] >> 1 == (1 if self.name.endswith('ptlc-musig2') else 0)

        # The funding transaction.
        assert tx.version == 2 and tx.locktime == self.deal.locktime
        spent, owners = [], []
        serials = [num(glc[(2, b'')]) for _, glc in funding.inputs]
        assert serials == sorted(set(serials))
        for (plain, glc), (point, _, sequence) in zip(funding.inputs, tx.inputs):
            previous = Tx(plain[b'\x00'])
            assert previous.txid() == point[:32] and sequence <= 0xfffffffd
            spent.append(previous.outputs[int.from_bytes(point[32:], 'little')])
            owners.append(ACCEPTOR if num(glc[(2, b'')]) & 1 else OPENER)
        serials = [num(glc[(2, b'')]) for _, glc in funding.outputs]
        assert serials == sorted(set(serials))
        places = [n for n, (_, glc) in enumerate(funding.outputs) if (3, b'') in glc]
        assert len(places) == 1 and serials[places[0]] & 1 == 0
        place = places[0]
        keys = sorted(t.basepoints[FUNDING] for t in self.terms.values())
        together = self.deal.funding == MUSIG2
        if together:
            agg = KeyAgg(keys)
            key, tweak = output_key(x32(agg.q), [])
            agg.tweak(tweak, True)
            lock = b'\x51\x20' + x32(key)
        else:
            code = b'\x52\x21' + keys[0] + b'\x21' + keys[1] + b'\x52\xae'
            lock = b'\x00\x20' + sha(code)
        assert tx.outputs[place] == (capacity, lock) and self.result['output'] == place
        for side in (OPENER, ACCEPTOR):
            own = sum(v for (v, _), o in zip(spent, owners) if o == side)
            taken = self.terms[side].contribution + sum(
                tx.outputs[n][0] for n, s in enumerate(serials) if n != place and s & 1 == (side == ACCEPTOR))
            weight = (42 + 4 * 43) if side == OPENER else 0
            weight += sum(164 + (66 if code[:1] == b'\x51' else 107) for (_, code), o in zip(spent, owners) if o == side)
            weight += sum(4 * len(tx.output(n)) for n, s in enumerate(serials) if n != place and s & 1 == (side == ACCEPTOR))
            assert own - taken >= self.deal.funding_rate * weight // 1000

        # The first commitments.
        factor = num(sha(b''.join(self.terms[s].basepoints[PAYMENT] for s in (OPENER, ACCEPTOR)))[26:])
        for side, psbt, expected in zip((OPENER, ACCEPTOR), commitments, self.result['commitments']):
            commitment = Tx(psbt.encoded_tx())
            assert commitment.encoded() == h(expected)
            assert commitment.inputs[0][0] == tx.txid() + struct.pack('<I', place)
            assert (commitment.inputs[0][2] & 0xffffff) << 24 | commitment.locktime & 0xffffff == factor
            assert commitment.outputs == sorted(commitment.outputs) and sum(v for v, _ in commitment.outputs) <= capacity
            # The acceptor has what it has put in, and what it was given.
            given = self.terms[ACCEPTOR].contribution + self.deal.pushed // 1000
            assert (given in [v for v, _ in commitment.outputs]) == (given >= self.terms[side].dust)
            txid, kind, signature = self.promises[other(side)]
            assert txid == tx.txid() and (kind == 2) == together
            if together:
                message = taproot_sighash(commitment, 0, [(capacity, lock)])
                session = Session(agg, sum_of_nonces([self.completions[side][1], signature[32:]]), message)
                assert session.part_holds(num(signature[:32]), signature[32:], self.terms[other(side)].basepoints[FUNDING])
            else:
                message = segwit_sighash(commitment, 0, code, capacity)
                key = self.terms[other(side)].basepoints[FUNDING]
                assert self.completions[side][1] is None and ecdsa(key, message, num(signature[:32]), num(signature[32:]))

        # Who has put less in signs first; all inputs are opened.
        totals = {s: sum(v for (v, _), o in zip(spent, owners) if o == s) for s in (OPENER, ACCEPTOR)}
        assert totals[OPENER] != totals[ACCEPTOR] and self.signed == sorted(totals, key=totals.get)
        whole = Tx(h(self.result['funding']))
        assert whole.encoded() == tx.encoded() and tx.txid()[::-1].hex() == self.result['txid']
        assert all(t == tx.txid() for t, _ in list(self.completions.values()) + list(self.witnesses.values()))
        remaining = {side: iter(w) for side, (_, w) in self.witnesses.items()}
        for index, owner in enumerate(owners):
            witness = next(remaining[owner])
            assert witness == whole.witness[index] and opens(tx, index, witness, spent)
        assert not any(list(rest) for rest in remaining.values())


def main():
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'glc')
    for file_name in sorted(os.listdir(folder)):
        if not file_name.startswith('negotiation-'): continue
        with open(os.path.join(folder, file_name)) as file: lines = [json.loads(line) for line in file]
        negotiation = Negotiation(file_name.removesuffix('.jsonl'), lines)
        negotiation.check()
        print(f'{file_name}: {len(lines) - 1} messages, and what they make, hold')

if __name__ == '__main__': main()
