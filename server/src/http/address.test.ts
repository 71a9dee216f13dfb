import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clientAddress, networkOf, openProxies, readAddress } from './address.ts'

const spellings: readonly [text: string, want: string | undefined][] = [
  ['192.0.2.1', '192.0.2.1'],
  [' 192.0.2.1 ', '192.0.2.1'],
  ['192.0.2.1:8080', '192.0.2.1'],
  ['2001:DB8::1', '2001:db8::1'],
  ['2001:0db8:0000:0000:0000:0000:0000:0001', '2001:db8::1'],
  ['[2001:db8::1]', '2001:db8::1'],
  ['[2001:db8::1]:443', '2001:db8::1'],
  ['fe80::1%eth0', 'fe80::1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['::FFFF:c000:201', '192.0.2.1'],
  ['::', '::'],
  ['', undefined],
  ['unknown', undefined],
  ['192.0.2', undefined],
  ['192.0.2.1.', undefined],
  ['0300.0.2.1', undefined],
  ['2001:db8::1::2', undefined],
  ['1'.repeat(10_000), undefined],
]

for (const [text, want] of spellings) {
  test(`"${text.slice(0, 40)}" is ${want ?? 'no address'}`, () => assert.equal(readAddress(text), want))
}

test('an IPv4 address is a network, an IPv6 /64 is one', () => {
  assert.equal(networkOf('192.0.2.1'), '192.0.2.1')
  assert.equal(networkOf('2001:db8:1:2::3'), '2001:db8:1:2::/64')
  const networks = Array.from({ length: 1000 }, (_, i) =>
    networkOf(readAddress(`2001:DB8:1:2:${i.toString(16)}::`) ?? ''),
  )
  assert.equal(new Set(networks).size, 1)
  assert.notEqual(networkOf('2001:db8:1:3::3'), networkOf('2001:db8:1:2::3'))
})

const trusted = openProxies(['10.0.0.0/8', 'fd00::/8', '192.0.2.53']).trusts

const hops: readonly [
  sentence: string,
  socket: string | undefined,
  forwarded: string | undefined,
  want: string,
][] = [
  ['without a header the peer is the client', '10.0.0.1', undefined, '10.0.0.1'],
  ['a peer that is not trusted is not believed', '198.51.100.9', '203.0.113.5', '198.51.100.9'],
  ['a trusted peer is believed', '10.0.0.1', '203.0.113.5', '203.0.113.5'],
  ['a trusted peer in its IPv4-mapped form too', '::ffff:10.0.0.1', '203.0.113.5', '203.0.113.5'],
  ['what the client wrote on the left counts for nothing', '10.0.0.1', '1.1.1.1, 203.0.113.5', '203.0.113.5'],
  ['trusted hops are walked through', '10.0.0.1', '1.1.1.1, 203.0.113.5, fd00::2, 10.9.9.9', '203.0.113.5'],
  ['the header ends with trusted hops: the left-most of them', '10.0.0.1', '10.0.0.7, 10.0.0.8', '10.0.0.7'],
  ['garbage ends the walk at who wrote it', '10.0.0.1', '203.0.113.5, bogus, 10.0.0.2', '10.0.0.2'],
  ['an empty header is no hop', '10.0.0.1', '', '10.0.0.1'],
  ['a port is not part of it', '10.0.0.1', '203.0.113.5:5555', '203.0.113.5'],
  ['an unknown peer is nobody, whatever it writes', undefined, '203.0.113.5', ''],
]

for (const [sentence, socket, forwarded, want] of hops) {
  test(sentence, () => assert.equal(clientAddress(socket, forwarded, trusted), want))
}

test('a proxy that is no address or block is found, and none other', () => {
  const wrong = [
    '*',
    '10.0.0.0/33',
    '10.0.0.0/0',
    '::/0',
    'fd00::/129',
    '10.0.0.0/8/8x',
    'proxy.example',
    '10.0.0.0/',
    '10.0.0.1:80',
    '[::1]',
    '::ffff:10.0.0.0/104',
  ]
  assert.equal(openProxies(wrong).findings.length, wrong.length)
  assert.deepEqual(openProxies(['10.0.0.0/32', '::1', 'fd00::/128', '::ffff:10.0.0.0/8']).findings, [])
})
