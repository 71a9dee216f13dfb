// The old system, as tests need it: its key, and tokens as its library made them. Another library than ours makes them.
import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type JWTPayload, SignJWT } from 'jose'
import { sharedSigningKey } from '../src/crypto/keys.ts'
import { createPasswords } from '../src/crypto/password.ts'
import type { Bridge } from '../src/operations/engine.ts'
import { openStore } from '../src/store/open.ts'
import type { Store } from '../src/store/port.ts'
import { newUser } from './store/people.ts'
import { databaseAt, folderFor } from './store/stores.ts'

/** Nothing else is signed with it. */
export const earlierKey = 'Zk3q9TfW7rXv2LmB8cYh5NdJ0sPgQe6U'

/** As options of a server: users are named by e-mail address. */
export const bridgeOptions = { key: earlierKey, subject: 'sub=email' }

export const bridge: Bridge = { key: sharedSigningKey(earlierKey), claim: 'sub', field: 'email' }

/** HS256 and `typ: JWT`, as such systems write it, unless said otherwise. */
export const signedBy = (key: string, claims: JWTPayload, header: { readonly alg?: string } = {}) =>
  new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT', ...header })
    .sign(createSecretKey(Buffer.from(key)))

/** Users whom an operator has brought here; with a password, because they sign in by one too. */
export async function bring(
  store: Store,
  people: readonly { readonly email: string; readonly username: string; readonly password: string }[],
): Promise<void> {
  for (const { email, username, password } of people) {
    const user = newUser(username, {
      email,
      emailKey: email,
      username,
      usernameKey: username,
      name: username,
    })
    const made = await store.commit([
      { change: 'createUser', user, password: await passwords.hash(password) },
    ])
    assert.equal(made.committed, true)
  }
}

/** A database, as an option of a server, in which they are already. */
export async function databaseWith(t: TestContext, people: Parameters<typeof bring>[1]): Promise<string> {
  const database = `sqlite:${join(await folderFor(t), 'rusk.db')}`
  const store = await openStore(databaseAt(database))
  await store.migrate()
  await bring(store, people)
  await store.close()
  return database
}

const passwords = createPasswords({ scheme: 'argon2id' })

let made = 0

/**
 * A token of its own for that subject, good for an hour. Times are NumericDates.
 * `now`: epoch milliseconds, where the clock is the test's.
 */
export const earlierToken = (sub: string, more: JWTPayload = {}, now = Date.now()): Promise<string> => {
  made += 1
  const iat = Math.floor(now / 1000)
  return signedBy(earlierKey, { sub, iat, exp: iat + 3600, jti: `earlier ${made}`, ...more })
}
