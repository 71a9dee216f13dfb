// The chat service in Python beside a real Rusk: who is let in and who is not, in a walk from sign-up to sign-out.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { byClaims, bySignature, honest, sharing } from '../checks/forged.ts'
import { type Program, start } from '../checks/program.ts'
import { claimsOf, keyOf, openRusk, type Person, secret } from '../checks/rusk.ts'
import {
  answerTo,
  bound,
  command,
  folder,
  listen,
  openChat,
  say,
  tellHistory,
  untilAnswered,
} from './running.ts'

const run = promisify(execFile)

/** What makes for two seconds' worth of answer. */
const short = 'word '.repeat(30)

const key = secret()

// [sentence, Rusk, the service]
const kinds: [string, Parameters<typeof openRusk>[1], Readonly<Record<string, string>>][] = [
  ['an ES256 key pair', {}, {}],
  ['an Ed25519 key pair', { env: { RUSK_JWT_ALGORITHM: 'EdDSA' } }, {}],
  ['an audience', { env: { RUSK_AUDIENCE: 'chat' } }, { RUSK_AUDIENCE: 'chat' }],
  ['a shared key', { dialect: 'django', env: { JWT_SECRET_KEY: key } }, { JWT_SECRET_KEY: key }],
]

// Most of what these do is to wait.
describe('the chat in Python:', { concurrency: 2 }, () => {
  for (const [sentence, options, env] of kinds) {
    test(`with ${sentence}: somebody talks, signs out, and is a stranger within five seconds`, async t => {
      const rusk = await openRusk(t, options)
      const [chat, person] = [await openChat(t, rusk, env), await rusk.signIn()]
      const { accessToken } = person

      assert.equal((await fetch(`${chat.url}/chat/history`)).status, 401)
      const answer = await say(chat, person, 'good\n\nmorning')
      assert.match(answer.headers.get('content-type') ?? '', /^text\/event-stream/)
      assert.match(
        await answer.text(),
        /data: You \n\ndata: said \n\ndata: “good\ndata: \ndata: morning”, \n\n/,
      )
      assert.deepEqual(await (await tellHistory(chat, accessToken)).json(), [
        { by: 'you', text: 'good\n\nmorning' },
        { by: 'chat', text: answerTo('good\n\nmorning') },
      ])

      const other = await rusk.signIn()
      const [listening, otherListening] = [await listen(chat, person), await listen(chat, other, short)]
      await person.signOut()
      const signedOutAt = performance.now()
      const refusedAfter = await untilAnswered(chat, accessToken, 401)
      const { came, at } = await listening.end
      assert.equal(came, 'end', 'the answer broke off')
      assert.ok(at - signedOutAt < bound, `the stream ended after ${Math.round(at - signedOutAt)} ms`)
      t.diagnostic(
        `refused after ${refusedAfter.toFixed()} ms, stream ended after ${(at - signedOutAt).toFixed()}`,
      )

      assert.equal((await otherListening.end).came, 'all', 'who stays signed in hears all of it')
      assert.equal((await tellHistory(chat, other.accessToken)).status, 200)
    })
  }

  test('a token that Rusk has not signed opens nothing', async t => {
    const [rusk, stranger] = [await openRusk(t), await openRusk(t)]
    const [chat, person] = [await openChat(t, rusk), await rusk.signIn()]
    const forged = bySignature(
      person.accessToken,
      await keyOf(rusk),
      person.cookies.get('rusk_refresh') ?? '',
    )
    const foreign = (await stranger.signIn()).accessToken
    for (const [sentence, token] of [...forged, ['a token of another Rusk', foreign] as const])
      assert.equal((await tellHistory(chat, token)).status, 401, sentence)
    assert.equal((await tellHistory(chat, person.accessToken)).status, 200)
    assert.doesNotMatch(chat.printed(), /Traceback/)
  })

  test('the key is not enough: a token must be an access token, of this issuer, of now, for this service', async t => {
    const rusk = await openRusk(t, { dialect: 'django', env: { JWT_SECRET_KEY: key } })
    const chat = await openChat(t, rusk, { JWT_SECRET_KEY: key })
    const choosy = await openChat(t, rusk, { JWT_SECRET_KEY: key, RUSK_AUDIENCE: 'chat' })
    const claims = claimsOf((await rusk.signIn()).accessToken)
    const longer = honest(sharing(key, 512), claims)
    for (const [sentence, token] of [...byClaims(sharing(key), claims), ['a longer hash', longer] as const])
      assert.equal((await tellHistory(chat, token)).status, 401, sentence)
    // [sentence, what is changed, who listens, status]
    const audiences: [string, Record<string, unknown>, Program, number][] = [
      ['forging is not what fails', {}, chat, 200],
      ['a clock that is a little ahead', { iat: Math.floor(Date.now() / 1000) + 30 }, chat, 200],
      ['an audience where none is expected', { aud: 'chat' }, chat, 401],
      ['the audience', { aud: 'chat' }, choosy, 200],
      ['one of several audiences', { aud: ['talk', 'chat'] }, choosy, 200],
      ['another audience', { aud: 'chats' }, choosy, 401],
      ['no audience where one is expected', {}, choosy, 401],
    ]
    for (const [sentence, changed, service, status] of audiences)
      assert.equal(
        (await tellHistory(service, honest(sharing(key), claims, changed))).status,
        status,
        sentence,
      )
    assert.doesNotMatch(chat.printed(), /Traceback/)
  })

  test('a token is over when it says so', async t => {
    const rusk = await openRusk(t, { env: { RUSK_SESSION_ACCESS: '5s' } })
    const [chat, { accessToken }] = [await openChat(t, rusk), await rusk.signIn()]
    assert.equal((await tellHistory(chat, accessToken)).status, 200)
    await sleep(Number(claimsOf(accessToken).exp) * 1000 - Date.now() + 10)
    assert.equal((await tellHistory(chat, accessToken)).status, 401)
  })

  test('with CSRF_COOKIE the header must be the cookie, and of the session that the token is of', async t => {
    const rusk = await openRusk(t, { dialect: 'django' })
    const chat = await openChat(t, rusk, { CSRF_COOKIE: 'csrftoken' })
    const [person, other] = [await rusk.signIn(), await rusk.signIn()]
    const csrf = ({ cookies }: Person) => cookies.get('csrftoken') ?? ''
    const pair = (header: string, cookie: string) => ({
      'x-csrftoken': header,
      cookie: `csrftoken=${cookie}`,
    })
    // [sentence, headers, status]
    const calls: [string, Readonly<Record<string, string>>, number][] = [
      ['both', pair(csrf(person), csrf(person)), 200],
      ['neither', {}, 403],
      ['the cookie alone', { cookie: `csrftoken=${csrf(person)}` }, 403],
      ['the header alone', { 'x-csrftoken': csrf(person) }, 403],
      ['both, and both empty', pair('', ''), 403],
      ['one of each session', pair(csrf(person), csrf(other)), 403],
      ['both of another session', pair(csrf(other), csrf(other)), 403],
      ['both made up', pair('a', 'a'), 403],
    ]
    for (const [sentence, headers, status] of calls)
      assert.equal((await say(chat, person, 'hello', headers)).status, status, sentence)
    assert.equal((await tellHistory(chat, person.accessToken)).status, 200, 'what only reads needs none')
  })

  test('the lines of README.md start both, sign somebody up and let him talk', async t => {
    const readme = await readFile(join(folder, 'README.md'), 'utf8')
    const line = (start: string) => readme.split('\n').find(each => each.startsWith(start)) ?? ''
    const [, serviceKeys = ''] = /^RUSK_SERVICE_KEYS=(\S+) npx rusk serve /m.exec(readme) ?? []
    const env = { RUSK_SERVICE_KEYS: serviceKeys }
    const rusk = await openRusk(t, { env })
    const settings = await readFile(join(folder, 'service.env'), 'utf8')
    const own = join(rusk.folder, 'service.env')
    await writeFile(own, settings.replace('http://127.0.0.1:8000', rusk.url))
    const started = line('uvicorn ').replace('service.env', own).replace('8001', '0').split(' ')
    const chat = await start(t, { command, args: ['-m', ...started], cwd: folder, env: {} })
    const shell = async (text: string) => {
      const here = text
        .replaceAll('http://127.0.0.1:8000', rusk.url)
        .replaceAll('http://127.0.0.1:8001', chat.url)
      return (await run('sh', ['-c', here])).stdout
    }
    const [signUp = '', signIn = ''] = [...readme.matchAll(/^```sh\n(TOKEN=.*?)^```/gms)].map(
      each => each[1] ?? '',
    )
    const talk = line('curl ')
    assert.ok(signUp.endsWith(`${talk}\n`))
    for (const lines of [signUp, signIn + talk]) assert.match(await shell(lines), /data: morning”, \n/)
  })

  test('pages of the listed origins may call with cookies, and no others', async t => {
    const rusk = await openRusk(t)
    const chat = await openChat(t, rusk, { ALLOWED_ORIGINS: 'http://localhost:5173,https://app.example.com' })
    const ask = async (origin: string) => {
      const answer = await fetch(`${chat.url}/chat/stream`, {
        method: 'OPTIONS',
        headers: {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'authorization,content-type,x-csrftoken',
        },
      })
      const { headers } = await fetch(`${chat.url}/chat/history`, { headers: { origin } })
      assert.equal(
        headers.get('access-control-allow-origin'),
        answer.headers.get('access-control-allow-origin'),
      )
      return [headers.get('access-control-allow-origin'), answer.status]
    }
    assert.deepEqual(await ask('https://app.example.com'), ['https://app.example.com', 200])
    for (const origin of ['https://example.com', 'https://app.example.com.evil.example', 'null'])
      assert.deepEqual(await ask(origin), [null, 400], origin)
  })
})
