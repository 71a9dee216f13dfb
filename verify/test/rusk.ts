// A real Rusk for the tests of those who check its tokens: on loopback, on an empty database in memory, with its keys at
// hand so that a test can sign what Rusk never would.
import assert from 'node:assert/strict'
import { loadSettings } from '../../server/src/config/files.ts'
import type { SigningKey } from '../../server/src/crypto/keys.ts'
import { dialects } from '../../server/src/dialects/index.ts'
import type { Options } from '../../server/src/index.ts'
import { openSystem, type System } from '../../server/src/system.ts'
import { signUp } from '../../server/test/following.ts'
import { post } from '../../server/test/serving.ts'
import { decode, partsOf } from './forge.ts'

export type Running = {
  /** Where it is and who it says it is. */
  readonly url: string
  readonly system: System
  /** The key that signs at this moment. */
  signing(): SigningKey
  /** Makes an account and signs it in; the access token is the one that Rusk has made. */
  signUp(name: string): Promise<SignedIn>
  signOut(who: SignedIn): Promise<void>
}

export type SignedIn = {
  readonly id: string
  readonly access: string
  readonly refresh: string
  readonly cookies: ReadonlyMap<string, string>
}

/** A test, or a file of them: calls these when it ends. */
export type Ending = { after(end: () => void | Promise<void>): void }

/** Ends with the test. */
export async function runRusk(t: Ending, options: Options = {}): Promise<Running> {
  const { settings, errors } = await loadSettings({
    options: {
      database: 'sqlite::memory:',
      port: 0,
      log: { level: 'error' },
      // Given, so that no key file is left behind.
      secret: 'known to this test and to nobody else',
      ...options,
    },
    env: {},
    folder: process.cwd(),
    envFile: null,
    dialectNames: Object.keys(dialects),
  })
  assert.ok(settings, JSON.stringify(errors))
  const system = await openSystem(settings, { serving: true })
  const { url, close } = await system.listen()
  t.after(async () => {
    await close()
    await system.close()
  })
  return {
    url,
    system,
    signing: () => system.keyring.signing(system.store.now()),
    async signUp(name) {
      const { cookies } = await signUp(url, name)
      const access = cookies.get('rusk_access') ?? assert.fail()
      const id = String(decode(partsOf(access)[1]).sub)
      return { id, access, refresh: cookies.get('rusk_refresh') ?? assert.fail(), cookies }
    },
    async signOut({ cookies }) {
      const { status } = await post(`${url}/auth/sign-out`, { cookies })
      assert.equal(status, 204)
    },
  }
}
