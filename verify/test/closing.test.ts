// The end of a verifier, and of the process it is in; and what those that it calls may do to it.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import {
  type Issuer,
  listen,
  openIssuer,
  reasonOf,
  serviceKey,
  signIn,
  silent,
  text,
  until,
} from './issuer.ts'
import { lived } from './lived.ts'

test('after close whoever listens is told so, nothing is asked or verified, and nobody waits for what does not come', async t => {
  const issuer = await openIssuer(t)
  const verifier = issuer.verifier()
  const { token, claims } = await signIn(issuer, verifier, 'one')
  const told = listen(verifier, claims)
  verifier.close()
  const late = listen(verifier, claims)
  const asked = issuer.asked.length
  assert.equal(reasonOf(await verifier.verify(token)), 'unavailable')
  issuer.end('one')
  await sleep(600)
  assert.equal(issuer.asked.length, asked)
  assert.deepEqual([told.times, told.why, late.times, late.why], [1, 'unavailable', 1, 'unavailable'])
  assert.equal(verifier.troubles.length, 0)

  issuer.answers.feed = silent
  issuer.answers.keys = silent
  for (const options of [{}, { revocation: 'none' }] as const) {
    const another = issuer.verifier(options)
    const [ready, verdict] = [another.ready(), another.verify(token)]
    await sleep(50)
    const began = lived()
    another.close()
    await assert.rejects(ready, { name: 'Unreachable' })
    assert.equal(reasonOf(await verdict), 'unavailable')
    assert.ok(lived() - began < 500)
    assert.equal(another.troubles.length, 0, 'closing is no trouble')
  }
})

for (const [sentence, options] of [
  ['ended sessions are followed', {}],
  ['nothing is followed', { revocation: 'none' }],
] as const) {
  test(`where ${sentence}, whoever listens is told once that it is closed: before, afterwards, and after the token has expired`, async t => {
    const issuer = await openIssuer(t)
    const verifier = issuer.verifier(options)
    const exp = Math.floor(issuer.clock.now() / 1000) + 600
    const { claims } = await signIn(issuer, verifier, 'one', { exp })
    issuer.clock.advance(exp * 1000 - issuer.clock.now() - 300)
    const [before, stopped] = [listen(verifier, claims), listen(verifier, claims)]
    stopped.stop()
    verifier.close()
    verifier.close()
    const [late, copied, lateStopped] = [claims, { ...claims }, claims].map(each => listen(verifier, each))
    lateStopped?.stop()
    assert.deepEqual([before.times, late?.times], [0, 0], 'not before whenEnded has returned')
    await sleep(0)
    assert.deepEqual([before.why, late?.why, copied?.why], Array(3).fill('unavailable'))
    await sleep(600)
    assert.deepEqual(
      [before, stopped, late, copied, lateStopped].map(each => each?.times),
      [1, 0, 1, 1, 0],
    )
  })
}

/** A program of its own, as a service is; a minute at most. */
async function program(code: string, issuer: Issuer, token: string) {
  const index = fileURLToPath(new URL('../src/index.ts', import.meta.url))
  const head = `import { createVerifier } from ${JSON.stringify(index)}
    const [issuer, serviceKey, token] = process.argv.slice(1)
    `
  const child = spawn(
    process.execPath,
    ['--input-type=module', '-e', head + code, issuer.url, serviceKey, token],
    { timeout: 60_000, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  let out = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (some: string) => {
      out += some
    })
  }
  const ended: Promise<unknown[]> = once(child, 'close')
  return { out: () => out, ended: ended.then(([exit, signal]) => ({ exit, signal, out })) }
}

for (const [sentence, options] of [
  // Rusk may hold its answer back for 20 seconds.
  ['ended sessions followed', 'serviceKey, within: 60_000'],
  ['keys alone', "revocation: 'none'"],
] as const) {
  test(`a process ends when its verifier is closed, ${sentence}`, async t => {
    const issuer = await openIssuer(t)
    const code = `const verifier = createVerifier({ issuer, ${options} })
      const verdict = await verifier.verify(token)
      await new Promise(resolve => setTimeout(resolve, 400))
      verifier.close()
      console.log(JSON.stringify(verdict.verified?.sid), performance.now())
      process.on('exit', () => console.log('took', performance.now()))`
    const { ended } = await program(code, issuer, issuer.token({ sid: 'one' }))
    const { exit, signal, out } = await ended
    assert.deepEqual({ exit, signal }, { exit: 0, signal: null }, out)
    const [, closed, gone] = /^"one" ([\d.]+)\ntook ([\d.]+)\n$/.exec(out) ?? assert.fail(out)
    assert.ok(Number(gone) - Number(closed) < 5000, out)
  })
}

test('what one that is told throws is said and ends nothing: the others are told, and it is followed on', async t => {
  const issuer = await openIssuer(t)
  const code = `const onTrouble = () => { throw new Error('by onTrouble') }
    const onRecovery = async () => { throw new Error('by onRecovery') }
    const verifier = createVerifier({ issuer, serviceKey, onTrouble, onRecovery })
    const { verified } = await verifier.verify(token)
    verifier.whenEnded(verified, () => { throw new Error('first') })
    verifier.whenEnded(verified, () => console.log('second'))
    verifier.whenEnded(verified, async () => { throw new Error('third') })
    verifier.whenEnded(verified, () => {
      console.log('fourth')
      setTimeout(async () => {
        console.log((await verifier.verify(token)).rejected)
        verifier.close()
      }, 600)
    })
    console.log('listening')`
  const { out, ended } = await program(code, issuer, issuer.token({ sid: 'one' }))
  await until(() => out().includes('listening'), 'it listens')
  issuer.answers.feed = text('', 500)
  issuer.wake()
  await until(() => out().includes('by onTrouble'), 'trouble is told')
  issuer.answers.feed = issuer.well.feed
  await until(() => out().includes('by onRecovery'), 'that it is over too')
  issuer.end('one')
  const { exit, out: all } = await ended
  assert.equal(exit, 0, all)
  const said = all.trim().split('\n')
  const isStack = (line: string) => line.startsWith('    at ')
  assert.ok(said.some(isStack), 'with its stack')
  const thrown = '@rusk/verify: what was given to whenEnded has thrown Error:'
  assert.deepEqual(
    // Two pipes: which of them is read first nobody knows.
    said.filter(line => !isStack(line)).sort(),
    [
      '@rusk/verify: onRecovery has thrown Error: by onRecovery',
      '@rusk/verify: onTrouble has thrown Error: by onTrouble',
      `${thrown} first`,
      `${thrown} third`,
      'access_revoked',
      'fourth',
      'listening',
      'second',
    ],
  )
})
