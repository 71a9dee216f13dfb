// What is counted more strictly in production, and that an operator's own number wins. On a file, because production takes
// no schema that nobody has brought forward.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type Options, rusk } from '../src/index.ts'

let folder: string
let kept: Options
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rusk-production-'))
  kept = {
    dialect: ['native'],
    database: `sqlite:${join(folder, 'rusk.db')}`,
    secret: randomBytes(32).toString('base64url'),
    log: { level: 'silent' },
  }
  await (await rusk({ ...kept, environment: 'development' })).close()
})
after(() => rm(folder, { recursive: true, force: true }))

// [sentence, options, sign-ups that one network has in an hour]
const limits: [string, Options, number][] = [
  ['in production', { environment: 'production', url: 'https://auth.rusk.test' }, 20],
  ['in development', { environment: 'development' }, 200],
  [
    'in production, if the operator says so',
    { environment: 'production', url: 'https://auth.rusk.test', throttle: { signUp: '7/1h' } },
    7,
  ],
]

for (const [sentence, options, want] of limits) {
  test(`${sentence} one network has ${want} sign-ups an hour, well-formed or not`, async t => {
    const auth = await rusk({ ...kept, ...options })
    t.after(() => auth.close())
    const signUp = (address: string) =>
      auth.fetch(
        new Request(`${auth.url}/auth/sign-up`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: '{}',
        }),
        { address },
      )
    // One IPv6 /64 is one network.
    for (let i = 1; i <= want; i++) assert.equal((await signUp(`2001:db8::${i.toString(16)}`)).status, 422)
    const refused = await signUp('2001:db8::ffff')
    assert.equal(refused.status, 429)
    const retryAfter = Number(refused.headers.get('retry-after'))
    assert.ok(retryAfter > 3500 && retryAfter <= 3600, `${retryAfter}`)
    assert.equal((await signUp('2001:db8:1::1')).status, 422, 'another network')
  })
}
