// What the chat service in Python hears from Rusk, and what it does while it hears nothing: follow.py beside a real Rusk,
// and beside a feed that says what the real one says only after ten thousand sessions or on a bad day.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { bin, serve } from '../../server/test/serving.ts'
import { freshClaims, honest, publishing } from '../checks/forged.ts'
import { openRusk, secret } from '../checks/rusk.ts'
import { bound, listen, openChat, tellHistory, untilAnswered } from './running.ts'

const run = promisify(execFile)

test('without Rusk nobody is let in after five seconds, or whoever was, as the service chooses', async t => {
  const rusk = await openRusk(t)
  const [refusing, accepting] = [
    await openChat(t, rusk),
    await openChat(t, rusk, { WHEN_UNREACHABLE: 'accept' }),
  ]
  const [person, former] = [await rusk.signIn(), await rusk.signIn()]
  await former.signOut()
  for (const chat of [refusing, accepting]) {
    assert.equal((await tellHistory(chat, person.accessToken)).status, 200)
    await untilAnswered(chat, former.accessToken, 401)
  }
  const [broken, unbroken] = [await listen(refusing, person), await listen(accepting, person)]
  await rusk.serving.end('SIGKILL')
  const goneAt = performance.now()
  const after = await untilAnswered(refusing, person.accessToken, 503, bound + 100)
  assert.ok(after > 1000, 'a moment without Rusk is nobody’s trouble')
  const end = await broken.end
  assert.equal(end.came, 'end')
  assert.ok(end.at - goneAt < bound + 1000, `the stream ended after ${Math.round(end.at - goneAt)} ms`)
  assert.equal((await unbroken.end).came, 'all')
  assert.equal((await tellHistory(accepting, person.accessToken)).status, 200)
  for (const token of [former.accessToken, 'forged'])
    assert.equal((await tellHistory(accepting, token)).status, 401)

  const { port } = new URL(rusk.url)
  const env = { RUSK_SERVICE_KEYS: rusk.serviceKey }
  const serving = await serve({ args: ['--port', port], cwd: rusk.folder, env })
  t.after(() => serving.end('SIGKILL'))
  await untilAnswered(refusing, person.accessToken, 200)
  await person.signOut()
  for (const chat of [refusing, accepting]) await untilAnswered(chat, person.accessToken, 401)
})

test('a service whose key Rusk does not know lets nobody in, and says why', async t => {
  const rusk = await openRusk(t)
  const chat = await openChat(t, { ...rusk, serviceKey: secret() })
  assert.equal((await tellHistory(chat, (await rusk.signIn()).accessToken)).status, 503)
  assert.match(chat.printed(), /feed of ended sessions cannot be had: HTTP Error 401/)
})

test('a key that was given up is refused within five seconds, and its successor is known by then', async t => {
  const rusk = await openRusk(t)
  const [chat, before] = [await openChat(t, rusk), await rusk.signIn()]
  assert.equal((await tellHistory(chat, before.accessToken)).status, 200)
  await run(process.execPath, [bin, 'keys', 'rotate', '--compromised'], { cwd: rusk.folder })
  await untilAnswered(chat, before.accessToken, 401)
  assert.equal((await tellHistory(chat, (await rusk.signIn()).accessToken)).status, 200)
})

test('what Rusk tells counts: ended sessions, old tokens, keys, how long; and only if all of it is there', async t => {
  const issuer = publishing()
  const news = { cursor: 'a', ended: ['another'], not_before: 0, keys: [issuer.jwk.kid], remember: 86_400 }
  let told: unknown = news
  let questions = 0
  const elsewhere: (string | undefined)[] = []
  const server = createServer(({ url = '', headers }, response) => {
    const isFeed = url.startsWith('/auth/revocations')
    if (isFeed) questions++
    if (url === '/elsewhere') elsewhere.push(headers.authorization)
    if (isFeed && told === 'elsewhere') response.writeHead(302, { location: '/elsewhere' })
    response.end(JSON.stringify(url.startsWith('/.well-known/') ? { keys: [issuer.jwk] } : told))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  const address = server.address()
  assert.ok(typeof address === 'object' && address)
  const url = `http://127.0.0.1:${address.port}`
  const chat = await openChat(t, { url, serviceKey: secret() })
  const claims = freshClaims(url)
  const now = Number(claims.iat)
  const past = { iat: now - 3600 }
  // [sentence, what is told, what is changed in the token, status]
  const rows: [string, unknown, Record<string, unknown>, number][] = [
    ['nothing of it', news, {}, 200],
    ['an old token', news, past, 200],
    ['a token older than anything is remembered', { ...news, remember: 3000 }, past, 401],
    ['keys, and the token’s is none of them', { ...news, keys: ['of-tomorrow'] }, {}, 401],
    ['no keys, because one is shared', { ...news, keys: [] }, {}, 200],
    ['elsewhere', 'elsewhere', {}, 503],
    ['an answer without its sessions', { ...news, ended: undefined }, {}, 503],
    ['all is well again', news, {}, 200],
    ['that tokens before this moment are void', { ...news, not_before: now }, past, 401],
    ['and they stay so', news, past, 401],
    ['a token that is younger', news, {}, 200],
    ['that the session has ended', { ...news, ended: ['a-session'] }, {}, 401],
    ['and nobody says it twice', news, {}, 401],
  ]
  for (const [sentence, telling, changed, status] of rows) {
    told = telling
    // The second question from here on is put by whoever has read the answer to the first.
    for (const before = questions; questions < before + 2; ) await sleep(20)
    const token = honest(issuer, claims, changed)
    if (status === 503) await untilAnswered(chat, token, 503, bound + 500)
    else assert.equal((await tellHistory(chat, token)).status, status, sentence)
  }
  assert.ok(elsewhere.length > 0, 'it was sent elsewhere')
  assert.deepEqual([...new Set(elsewhere)], [undefined], 'and left its key at home')
})
