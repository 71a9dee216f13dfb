// What the chat service in Python hears from Rusk, and what it does while it hears nothing: follow.py beside a real Rusk,
// and beside a feed that says what the real one says only after ten thousand sessions or on a bad day.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { bin, serve } from '../../server/test/serving.ts'
import { freshClaims, honest, type Issuer, publishing } from '../checks/forged.ts'
import { play } from '../checks/played.ts'
import { start } from '../checks/program.ts'
import { openRusk, secret } from '../checks/rusk.ts'
import { bound, command, folder, listen, openChat, tellHistory, untilAnswered } from './running.ts'

const run = promisify(execFile)

/** Bytecode of what is beside the tests would stay there. */
const quiet = { PYTHONDONTWRITEBYTECODE: '1' }

/** The service on a machine that can sleep: one of its clocks goes on meanwhile. */
const sleeping = `
import time, uvicorn, follow
from types import SimpleNamespace
from app import app
slept = 0
follow.time = SimpleNamespace(monotonic=time.monotonic, sleep=time.sleep, time=lambda: time.time() + slept)
@app.get('/sleep')
def sleep():
    global slept
    slept += 240
uvicorn.run(app, port=0)
`

/** Asks four times or so. */
const following = `
import sys, time
from follow import Follow
Follow(sys.argv[1], 'a key', issuer=sys.argv[2])
time.sleep(1)
`

/** A Rusk that says nothing of ended sessions while it `isAway`. */
async function playFeed(t: TestContext, issuer: Required<Issuer>, changed: object, jwks = [issuer.jwk]) {
  const news: Record<string, unknown> = {
    cursor: 'a',
    ended: [],
    not_before: 0,
    keys: [],
    remember: 86_400,
    ...changed,
  }
  const url = await play(t, ({ url = '' }, response) => {
    if (url.startsWith('/.well-known/')) response.end(JSON.stringify({ keys: jwks }))
    else if (!feed.isAway) response.end(JSON.stringify(news))
  })
  const serviceKey = secret()
  const env = { RUSK_URL: url, RUSK_SERVICE_KEY: serviceKey }
  const feed = { url, serviceKey, env, news, isAway: false }
  return feed
}

/** Milliseconds, for a machine that does something else; the figures of one that does not are told. */
const leeway = 3000

// Most of what these do is to wait.
describe('the chat in Python:', { concurrency: 2 }, () => {
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
    const after = await untilAnswered(refusing, person.accessToken, 503, bound + leeway)
    t.diagnostic(`nobody is let in after ${after.toFixed()} ms`)
    assert.ok(after > 1000, 'a moment without Rusk is nobody’s trouble')
    const end = await broken.end
    assert.equal(end.came, 'end')
    assert.ok(end.at - goneAt < bound + leeway, `the stream ended after ${Math.round(end.at - goneAt)} ms`)
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
    // By another name, so that the address in its complaint is not taken for its own.
    const env = { RUSK_INTERNAL_URL: rusk.url.replace('127.0.0.1', 'localhost') }
    const chat = await openChat(t, { ...rusk, serviceKey: secret() }, env)
    assert.equal((await tellHistory(chat, (await rusk.signIn()).accessToken)).status, 503)
    assert.match(
      chat.printed(),
      /feed of ended sessions cannot be had: GET \S+\/auth\/revocations: answered 401/,
    )
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
    let told: unknown = { ...news, keys: [] }
    let questions = 0
    const url = await play(t, ({ url = '' }, response) => {
      if (url.startsWith('/auth/revocations')) questions++
      response.end(JSON.stringify(url.startsWith('/.well-known/') ? { keys: [issuer.jwk] } : told))
    })
    const chat = await openChat(t, { url, serviceKey: secret() })
    const claims = freshClaims(url)
    const now = Number(claims.iat)
    const past = { iat: now - 3600 }
    // [sentence, what is told, what is changed in the token, status]
    const rows: [string, unknown, Record<string, unknown>, number][] = [
      ['no keys, because one is shared', told, {}, 200],
      ['nothing of it', news, {}, 200],
      ['an old token', news, past, 200],
      ['a token older than anything is remembered', { ...news, remember: 3000 }, past, 401],
      ['keys, and the token’s is none of them', { ...news, keys: ['of-tomorrow'] }, {}, 401],
      ['its key again', news, {}, 200],
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
      if (status === 503) await untilAnswered(chat, token, 503, bound + leeway)
      else assert.equal((await tellHistory(chat, token)).status, status, sentence)
    }
  })

  test('what was heard before the machine slept is old', async t => {
    const issuer = publishing()
    const feed = await playFeed(t, issuer, { keys: [] })
    const chat = await start(t, { command, args: ['-c', sleeping], cwd: folder, env: feed.env })
    const token = honest(issuer, freshClaims(feed.url))
    const statusNow = async () => (await tellHistory(chat, token)).status
    assert.equal(await statusNow(), 200)
    feed.isAway = true
    assert.equal((await fetch(`${chat.url}/sleep`, { signal: AbortSignal.timeout(bound) })).status, 200)
    assert.equal(await statusNow(), 503)
    feed.isAway = false
    await untilAnswered(chat, token, 200)
  })

  test('while Rusk is away a key that was given up stays so, and one that was never told of may be new', async t => {
    const [issuer, next] = [publishing(), publishing('of-tomorrow')]
    const feed = await playFeed(t, issuer, { keys: [issuer.jwk.kid] }, [issuer.jwk, next.jwk])
    const chat = await openChat(t, feed, { WHEN_UNREACHABLE: 'accept' })
    const claims = freshClaims(feed.url)
    const [token, newer] = [honest(issuer, claims), honest(next, claims)]
    assert.equal((await tellHistory(chat, token)).status, 200)
    assert.equal((await tellHistory(chat, newer)).status, 401, 'Rusk says that it is nobody’s')
    feed.news.keys = ['another']
    await untilAnswered(chat, token, 401)
    feed.isAway = true
    await untilAnswered(chat, newer, 200, bound + leeway)
    assert.equal((await tellHistory(chat, token)).status, 401)
  })

  test('whoever expects another issuer than Rusk has is told so once, and what to do', async t => {
    // [issuer that Rusk tells of, what is expected, how often it is said]
    const rows: [string | undefined, string, number][] = [
      ['https://auth.example.com', 'http://127.0.0.1:8000', 1],
      ['https://auth.example.com', 'https://auth.example.com', 0],
      [undefined, 'https://auth.example.com', 0],
    ]
    for (const [told, expected, times] of rows) {
      const { url } = await playFeed(t, publishing(), { issuer: told })
      const { stderr } = await run(command, ['-c', following, url, expected], { cwd: folder, env: quiet })
      const said = stderr.match(/have the service expect what Rusk has as RUSK_URL/g) ?? []
      assert.equal(said.length, times, `${told}, ${expected}: ${stderr}`)
      assert.ok(told === undefined || times === 0 || stderr.includes(`${told} as their issuer`))
    }
  })
})
