// Several processes rotate at once: one key comes of it, nothing that was ended is brought back, nobody is left behind.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { KeyUse } from '../src/core/model.ts'
import { publishAhead, type RotationPolicy } from '../src/core/rotation.ts'
import { openSealer } from '../src/crypto/keys.ts'
import { type Keyring, openKeyring } from '../src/operations/keyring.ts'
import { eachStore, type Open } from './store/stores.ts'
import { rotationPolicy } from './system.ts'

const day = 86_400_000
const every = 90 * day

/** Servers on one store, at one moment that the test moves. */
async function openServers(open: Open, count: number, policies: readonly RotationPolicy[] = []) {
  const time = { now: Date.UTC(2026, 0, 1) }
  const sealer = openSealer(randomBytes(32))
  const start = async (policy: RotationPolicy = { ...rotationPolicy, every }): Promise<Keyring> => {
    const store = await open({ clock: () => time.now })
    return openKeyring({ store, sealer: async () => sealer, shared: undefined, policy })
  }
  await open()
  const servers = await Promise.all(Array.from({ length: count }, (_, i) => start(policies[i])))
  return { time, servers, start }
}

const idsOf = (keyring: Keyring, use: KeyUse): readonly string[] =>
  keyring
    .rows()
    .filter(row => row.use === use)
    .map(({ id }) => id)

async function agree(servers: readonly Keyring[]): Promise<Keyring> {
  await Promise.all(servers.map(each => each.reload()))
  const [first] = servers
  assert.ok(first)
  for (const each of servers) assert.deepEqual(each.rows(), first.rows())
  return first
}

eachStore('servers that start at once on an empty store share the first keys', async (_, open) => {
  const { servers } = await openServers(open, 5)
  const keyring = await agree(servers)
  assert.deepEqual([idsOf(keyring, 'sign').length, idsOf(keyring, 'mac').length], [1, 1])
})

eachStore('of servers that find keys due at once one rotates them', async (_, open) => {
  const { servers, time } = await openServers(open, 5)
  for (let round = 1; round <= 4; round++) {
    time.now += every
    const told = await Promise.all(servers.map(each => each.keepUp(time.now)))
    // In one commit, so that it is told by one.
    assert.equal(told.filter(events => events.some(({ type }) => type === 'key_added')).length, 1)
    const keyring = await agree(servers)
    const fresh = keyring.rows().filter(({ createdAt }) => createdAt === time.now)
    assert.deepEqual(fresh.map(({ use }) => use).toSorted(), ['mac', 'sign'])
    assert.ok(keyring.rows().every(({ retiresAt }) => retiresAt === null || retiresAt + day > time.now))
  }
})

eachStore('what was ended after a theft stays ended, whoever rotates meanwhile', async (_, open) => {
  const { servers, time } = await openServers(open, 3)
  const [first, second, third] = servers
  assert.ok(first && second && third)
  for (let round = 0; round < 12; round++) {
    time.now += every
    const use = round % 2 === 0 ? 'sign' : 'mac'
    const stolen = idsOf(await agree(servers), use)
    const commands = [
      () => first.rotate({ at: time.now, use, how: 'compromised' }),
      () => second.keepUp(time.now),
      () => third.rotate({ at: time.now, use, how: 'ahead' }),
    ]
    // Each of them begins first now and then.
    const turned = [...commands.slice(round % 3), ...commands.slice(0, round % 3)]
    await Promise.all(turned.map(command => command()))
    const keyring = await agree(servers)
    for (const id of stolen) {
      const retiresAt = keyring.rows().find(row => row.id === id)?.retiresAt ?? Number.NEGATIVE_INFINITY
      assert.ok(retiresAt <= time.now, `${id} of round ${round}`)
    }
    for (const each of servers) {
      assert.ok(each.signing(time.now))
      assert.ok(each.macs(time.now).length > 0)
    }
  }
})

eachStore('operators who rotate at once each get a key, and the last one writes', async (_, open) => {
  const { servers, time } = await openServers(open, 3)
  time.now += 1
  const keys = await Promise.all(
    servers.map(each => each.rotate({ at: time.now, use: 'sign', how: 'ahead' })),
  )
  const keyring = await agree(servers)
  assert.equal(idsOf(keyring, 'sign').length, 4)
  const last = keys.toSorted((a, b) => b.createdAt - a.createdAt)[0]
  assert.equal(keyring.signing(time.now + publishAhead).id, last?.id)
})

eachStore('servers that know different lives of tokens keep keys as long as the longest', async (_, open) => {
  const long = { ...rotationPolicy, every, lives: { ...rotationPolicy.lives, mac: 400 * day } }
  const short = { ...long, lives: { ...long.lives, mac: 100 * day } }
  const { servers, time } = await openServers(open, 2, [short, long])
  const [first, second] = servers
  assert.ok(first && second)
  const [id] = idsOf(first, 'mac')
  time.now += every
  await first.keepUp(time.now)
  const ends = () => first.rows().find(row => row.id === id)?.retiresAt
  assert.equal(ends(), time.now + publishAhead + 100 * day)
  await Promise.all([first, second, first].map(each => each.keepUp(time.now)))
  const keyring = await agree(servers)
  assert.equal(ends(), time.now + publishAhead + 400 * day)
  assert.deepEqual(await keyring.keepUp(time.now), [])
})
