// What an operator types about keys, with the real binary beside a real server: nobody is signed out unless it is said.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { cookieHeader, setCookies } from '../serving.ts'
import { abouts, assertEnded, emptyFolder, run, serve, type Where } from './binary.ts'

type Key = {
  readonly id: string
  readonly use: string
  readonly state: string
  readonly signsFrom: string
  readonly rotatesAt: string | null
  readonly retiresAt: string | null
}

const listOf = async (where: Where): Promise<readonly Key[]> =>
  JSON.parse((await run(where, ['keys', 'list', '--json'])).stdout) as Key[]

const states = async (where: Where, use: RegExp): Promise<readonly string[]> =>
  (await listOf(where)).filter(key => use.test(key.use)).map(({ state }) => state)

/** The schedule adds nothing to what is listed. */
const byHand = { RUSK_KEYS_ROTATE: 'never' }

/** Somebody signed in to a server in this folder. */
async function visit(t: TestContext, where: Where) {
  const { url, stop, texts } = await serve(t, where)
  let jar = new Map<string, string>()
  const call = async (method: string, path: string, body?: object): Promise<number> => {
    const answer = await fetch(url + path, {
      method,
      headers: { 'content-type': 'application/json', cookie: cookieHeader(jar) },
      ...(body ? { body: JSON.stringify(body) } : {}),
    })
    jar = new Map([...jar, ...setCookies(answer)])
    return answer.status
  }
  const jack = { email: 'jack@example.com', password: 'seven brave otters sing' }
  assert.equal(await call('POST', '/auth/sign-up', jack), 201)
  const becomes = async (line: readonly [string, string], status: number) => {
    const end = Date.now() + 3000
    while ((await call(...line)) !== status && Date.now() < end) await sleep(50)
    assert.equal(await call(...line), status, line.join(' '))
  }
  return { call, becomes, stop, texts, jack }
}

test('refresh keys are rotated beside a server, and nobody notices', async t => {
  const where = { folder: emptyFolder(t), env: byHand }
  const { call } = await visit(t, where)
  const rotated = await run(where, ['keys', 'rotate', '--use', 'refresh'])
  assertEnded(
    rotated,
    0,
    /^Key \S+ is read by every server and makes refresh and CSRF tokens from \d{4}-\S+Z\.\nOlder keys go on being accepted until \d{4}-\S+Z, when the last token they made has expired\. Nobody is signed out\.\n$/,
  )
  assert.deepEqual(await states(where, /refresh/), ['signs', 'published'])
  assert.deepEqual(await states(where, /access/), ['signs'])
  assert.equal(await call('POST', '/auth/refresh'), 200)
  assert.equal(await call('GET', '/auth/session'), 200)
})

test('stolen refresh keys: everybody is signed out, and only if that was said', async t => {
  const where = { folder: emptyFolder(t), env: byHand }
  const { call, becomes, jack, texts } = await visit(t, where)
  const rotate = (...flags: string[]) => run(where, ['keys', 'rotate', '--use', 'refresh', ...flags])
  const careless = await rotate('--compromised')
  assertEnded(careless, 2, /✗ --compromised: .*everybody has to sign in anew\. → .*--sign-everybody-out/)
  assertEnded(await rotate('--now'), 2, /✗ --now: .*sign people out/)
  assertEnded(await rotate('--sign-everybody-out'), 2, /✗ --sign-everybody-out: /)
  assert.deepEqual(await states(where, /refresh/), ['signs'])
  assert.equal(await call('GET', '/auth/session'), 200)
  assertEnded(
    await rotate('--compromised', '--sign-everybody-out'),
    0,
    /no older key is accepted any more\.\nEvery session has ended: everybody has to sign in anew\.\n$/,
  )
  assert.deepEqual(await states(where, /refresh/), ['retired', 'signs'])
  await becomes(['GET', '/auth/session'], 401)
  const [, mac] = await listOf(where).then(all => all.filter(({ use }) => /refresh/.test(use)))
  assert.match(texts().stdout, new RegExp(`"macs":\\["${mac?.id}"\\].*"msg":"keys_changed"`))
  assert.equal(await call('POST', '/auth/refresh'), 401)
  assert.equal(await call('POST', '/auth/sign-in', { login: jack.email, password: jack.password }), 200)
  assert.equal(await call('POST', '/auth/refresh'), 200)
})

test('the sealing secret is replaced beside a server, which goes on and starts again with it', async t => {
  const where = { folder: emptyFolder(t), env: byHand }
  const { call, stop, texts } = await visit(t, where)
  const file = join(where.folder, 'rusk.db.key')
  const before = readFileSync(file, 'utf8')
  const sealed = await run(where, ['keys', 'rotate', '--use', 'sealing'])
  assertEnded(
    sealed,
    0,
    /^2 keys are sealed anew with \.\/rusk\.db\.key\.\nCopies of the database from before/,
  )
  const after = readFileSync(file, 'utf8')
  assert.notEqual(after, before)
  assert.match(after, /^\S{43}\n$/)
  assert.ok(!(sealed.stdout + sealed.stderr).includes(after.trim()))
  assert.equal(await call('POST', '/auth/refresh'), 200)
  await sleep(600)
  assert.doesNotMatch(texts().stdout, /"level":(50|60)/)
  assert.equal((await stop()).code, 0)
  await (await serve(t, where)).stop()
  const json = await run(where, ['--json', 'keys', 'rotate', '--use', 'sealing'])
  assert.deepEqual(JSON.parse(json.stdout), { resealed: 2, sealedBy: './rusk.db.key' })
  for (const flag of ['--now', '--compromised'])
    assertEnded(await run(where, ['keys', 'rotate', '--use', 'sealing', flag]), 2, new RegExp(`✗ ${flag}: `))
  assertEnded(await run(where, ['keys', 'rotate', '--use', 'seals']), 2, /access, refresh, sealing/)
})

test('RUSK_SECRET is replaced as the doctor says, step by step', async t => {
  const folder = emptyFolder(t)
  const [first, second] = ['m3Zp8vTq1xYc6RkW0sJf5LhN2bGd7UeA', 'Q9tKe4Xw7Vn2Bz5Rj8Fc1Hy6Mg3Pd0Ls']
  const env = (RUSK_SECRET: string, more: Record<string, string> = {}): Where => ({
    folder,
    env: { RUSK_SECRET, ...more },
  })
  const told = async (where: Where) => (await run(where, ['doctor'])).stdout
  await run(env(first), ['migrate'])
  await run(env(first), ['keys', 'list'])
  assert.match(await told(env(first)), /✓ keys are sealed with RUSK_SECRET\n/)
  assertEnded(
    await run(env(first), ['keys', 'rotate', '--use', 'sealing']),
    2,
    /✗ RUSK_SECRET: .*RUSK_SECRET_PREVIOUS/,
  )
  assert.match(await told(env(second)), /✗ secret: .*sealed with another secret.*RUSK_SECRET_PREVIOUS/)
  writeFileSync(join(folder, 'previous'), `${first}\n`, { mode: 0o600 })
  const both = env(second, { RUSK_SECRET_PREVIOUS_FILE: 'previous' })
  assert.match(
    await told(both),
    /! secret\.previous: 2 keys are sealed with an earlier secret.*rusk keys rotate --use sealing/,
  )
  const list = await run(both, ['keys', 'list'])
  assert.match(list.stderr, /^Keys are sealed with an earlier secret than RUSK_SECRET\.\n$/)
  assertEnded(
    await run(both, ['keys', 'rotate', '--use', 'sealing']),
    0,
    /^2 keys are sealed anew with RUSK_SECRET\.\nNothing needs RUSK_SECRET_PREVIOUS any more/,
  )
  assert.match(await told(both), /! secret\.previous: nothing is sealed with it any more\. → Leave it out/)
  assertEnded(
    await run(both, ['keys', 'rotate', '--use', 'sealing']),
    0,
    /^Every key is sealed with RUSK_SECRET already/,
  )
  assert.match(await told(env(second)), /✓ keys are sealed with RUSK_SECRET\n/)
  assert.deepEqual(abouts(await told(env(first))), ['secret'])
})

test('the list tells when the next keys come, and the doctor when none do or they are late', async t => {
  const folder = emptyFolder(t)
  await run({ folder }, ['migrate'])
  const [access, refresh] = (await listOf({ folder })).toSorted((a, b) => (a.use < b.use ? -1 : 1))
  const day = 86_400_000
  const inDays = ({ rotatesAt }: Key) => Math.round((Date.parse(rotatesAt ?? '') - Date.now()) / day)
  assert.ok(access && refresh)
  assert.deepEqual([inDays(access), inDays(refresh)], [90, 90])
  const never = { folder, env: { RUSK_KEYS_ROTATE: 'never' } }
  assert.ok((await listOf(never)).every(({ rotatesAt }) => rotatesAt === null))
  const told = async (where: Where) => (await run(where, ['doctor'])).stdout
  assert.match(
    (await run(never, ['keys', 'list'])).stderr,
    /^Keys are rotated by command alone \(keys\.rotate\)\.\n/,
  )
  assert.match(await told(never), /! keys\.rotate: no server replaces keys by itself/)
  assert.match(
    await told({ folder }),
    /✓ the key of access tokens is replaced at \d{4}-[\s\S]*✓ the key of refresh and CSRF tokens is replaced at/,
  )
  await run({ folder }, ['keys', 'rotate'])
  const [replaced, next] = (await listOf({ folder })).filter(({ use }) => /access/.test(use))
  assert.deepEqual(
    [replaced?.state, replaced?.rotatesAt, next?.state],
    ['signs', next?.signsFrom, 'published'],
  )
  assert.ok(replaced?.retiresAt !== null && next && inDays(next) === 90)
  const { signsFrom } = (
    JSON.parse((await run({ folder }, ['keys', 'list', '--json'])).stdout) as Key[]
  ).find(({ id }) => id === next.id) as Key
  assert.ok((await told({ folder })).includes(`the key of access tokens is replaced at ${signsFrom}`))

  // As after half a year without a server.
  const { DatabaseSync } = await import('node:sqlite')
  const database = new DatabaseSync(join(folder, 'rusk.db'))
  database.prepare('update keys set created_at = created_at - ?').run(180 * day)
  database.close()
  assert.match(
    await told({ folder }),
    /! keys: the next key of access tokens was due at \d{4}-.* no server has made it\. → Start a server/,
  )
})

test('with a shared key the schedule is about refresh and CSRF tokens alone', async t => {
  const where = { folder: emptyFolder(t), env: { JWT_SECRET_KEY: 'q8ZkT3vN0aXw5JdLr2YbUe7PcMhGs1Fo' } }
  await run(where, ['migrate'])
  assert.deepEqual(
    (await listOf(where)).map(({ use }) => use),
    ['refresh and CSRF tokens'],
  )
  assertEnded(await run(where, ['keys', 'rotate', '--use', 'refresh']), 0, /Nobody is signed out/)
  assert.doesNotMatch((await run(where, ['doctor'])).stdout, /key of access tokens/)
})
