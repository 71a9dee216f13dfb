// The assembly: the only file that knows every part. Opens store, keys and memory, and puts dialects in front of them.
import { createServer } from 'node:net'
import type { Settings } from './config.ts'
import { Misuse } from './core/fault.ts'
import type { EndReason, EventType, KeyRow, User } from './core/model.ts'
import type { Refusal } from './core/refusal.ts'
import { lifeOfMacs, lifeOfSigned, type RotationPolicy } from './core/rotation.ts'
import { isCommonPassword } from './crypto/common-passwords.ts'
import { openSealer, SealedOtherwise, sharedSigningKey } from './crypto/keys.ts'
import { readCsrfToken } from './crypto/macs.ts'
import { newId } from './crypto/new-id.ts'
import { createPasswords } from './crypto/password.ts'
import { docsPages } from './http/docs-pages.ts'
import { forwardRoute } from './http/forward.ts'
import { createHttp, type Http } from './http/handle.ts'
import { type Listening, listen } from './http/node.ts'
import { describe } from './http/openapi.ts'
import { playgroundPages } from './http/playground.ts'
import { rootRoutes } from './http/root.ts'
import { serviceRoutes } from './http/services.ts'
import { createLog, type Log } from './log.ts'
import { hostedOf, mountedOf } from './mounted.ts'
import {
  createAccount,
  endSession,
  endSessionsOf,
  endSessionsOpenedBefore,
  type NewAccount,
  setActive,
} from './operations/administer.ts'
import type { Bridge, Engine } from './operations/engine.ts'
import { type Following, openFollowing, telling } from './operations/follow.ts'
import { introspect } from './operations/introspect.ts'
import { keepKeys } from './operations/keep-keys.ts'
import { type Keyring, openKeyring, type Rotation } from './operations/keyring.ts'
import { createMemory } from './operations/memory.ts'
import { createRecall, createRun } from './operations/run.ts'
import { findSealing, type Sealing } from './sealing.ts'
import { type Database, isDatabase, readDatabase } from './store/database.ts'
import { openStore } from './store/open.ts'
import type { Store } from './store/port.ts'
import { createThrottle } from './store/throttle.ts'

export const version = '0.1.0'

/** Everything the command line needs. */
export type System = {
  readonly settings: Settings
  readonly store: Store
  readonly keyring: Keyring
  readonly http: Http
  createUser(
    account: NewAccount,
    options: { readonly skipPolicy: boolean; readonly superuser: boolean },
  ): Promise<{ readonly user: User } | { readonly refusal: Refusal }>
  /** Disabling ends every session. False: no such user. */
  setActive(userId: string, active: boolean): Promise<boolean>
  /** False: no such live session. */
  endSession(sessionId: string, because: EndReason): Promise<boolean>
  /** Every live session of the user. */
  endSessionsOf(userId: string, because: EndReason): Promise<void>
  /** Every live session of everybody that was opened before then. Resolves with how many there were. */
  endSessionsOpenedBefore(openedBefore: number, because: EndReason): Promise<number>
  /** Adds a key in the place of the present one of its use. */
  rotateKeys(how: Omit<Rotation, 'at'>): Promise<KeyRow>
  /** What seals keys, for people. */
  readonly sealedBy: string
  /** Seals every key with another secret. Resolves with how many; throws `Misuse` when there is none to go over to. */
  rotateSealing(): Promise<number>
  openapi(): object
  listen(): Promise<Listening>
  close(): Promise<void>
}

export type Seams = {
  /** A server: takes the lock of an SQLite file. */
  readonly serving: boolean
  /** Epoch milliseconds; for tests. */
  readonly clock?: () => number
  /** Milliseconds, about, between two looks whether keys are due; for tests. */
  readonly keysLookedAt?: number
  readonly log?: Log
}

/** 0 when there is none to be had: `listen` says why. */
const pickPort = (host: string): Promise<number> =>
  new Promise(resolve => {
    const probe = createServer()
    probe.once('error', () => resolve(0))
    probe.listen(0, host, () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })

/** The address must be known before the first token is made: it is the issuer. */
async function withPort(settings: Settings): Promise<Settings> {
  if (settings.port !== 0) return settings
  const port = await pickPort(settings.host)
  const url = settings.site.url.replace(/:0(?=\/|$)/, `:${port}`)
  return { ...settings, port, site: { ...settings.site, url } }
}

const sealingOf = (settings: Settings, database: Database, store: Store): Sealing =>
  findSealing({
    secret: settings.secret,
    previous: settings.previousSecret,
    jwtKey: settings.jwt.key,
    production: settings.site.environment === 'production',
    database,
    hasKeys: async () => (await store.keys()).length > 0,
  })

/** In development a schema that is behind is brought forward; in production an operator does that when it suits. */
async function openSchema(store: Store, settings: Settings): Promise<void> {
  const pending = await store.pending()
  if (pending.length === 0) return
  if (settings.site.environment === 'development') {
    await store.migrate()
    return
  }
  throw new Misuse([
    {
      about: 'database',
      wrong: `its schema is behind (${pending.join(', ')})`,
      instead: 'Run: rusk migrate',
    },
  ])
}

const databaseOf = (settings: Settings): Database => {
  const database = readDatabase(settings.database)
  if (!isDatabase(database)) throw new Misuse([database])
  return database
}

/** The store alone, whatever its schema: for `rusk migrate` and `rusk doctor`. */
export const openSettingsStore = (settings: Settings, seams: Seams): Promise<Store> =>
  openStore(databaseOf(settings), {
    exclusive: seams.serving,
    ...(seams.clock ? { clock: seams.clock } : {}),
  })

/** Whoever lost the secret is told so, and what is left to do. */
const otherSecret = (error: SealedOtherwise): Misuse =>
  new Misuse([
    {
      about: 'secret',
      wrong: `${error.message}: not by the one this start was given`,
      instead:
        'Set RUSK_SECRET to the secret or the content of the key file that this database was last used with; ' +
        'on Postgres without RUSK_SECRET that was the JWT_SECRET_KEY of that time. If another is to take its place, ' +
        'set RUSK_SECRET_PREVIOUS to the earlier one. If it is lost, delete the rows of the table keys: everybody then ' +
        'signs in anew',
    },
  ])

/** Events after which an operator has something to do: what. */
const alarms: Readonly<Partial<Record<EventType, string>>> = {
  store_went_back:
    'If the database was restored from a copy, sessions that had ended since it was made are live again. End them: ' +
    'rusk sessions revoke --opened-before now',
  exchange_reused:
    'A token of the old system was exchanged once more after its session had been used: one of the two had a copy. ' +
    'If it was not its user who exchanged it first, end what it opened: rusk sessions revoke --user LOGIN',
}

const bridgeOf = ({ bridge }: Settings): Bridge | undefined =>
  bridge && { key: sharedSigningKey(bridge.key), claim: bridge.claim, field: bridge.field }

const rotationOf = (settings: Settings): RotationPolicy => ({
  every: settings.rotateKeysEvery,
  algorithms: { sign: settings.jwt.key === undefined ? settings.jwt.algorithm : undefined, mac: 'HS256' },
  lives: {
    sign: lifeOfSigned,
    mac: lifeOfMacs(
      mountedOf(settings).map(({ dialect, policy }) => ({
        policy,
        csrfMaxAge: dialect.cookies.csrf?.maxAge,
      })),
    ),
  },
})

async function openEngine(settings: Settings, sealing: Sealing, store: Store, log: Log): Promise<Engine> {
  const memory = createMemory()
  const keyring = await openKeyring({
    store,
    sealer: async () => openSealer(...(await sealing.secrets())),
    shared: settings.jwt.key === undefined ? undefined : sharedSigningKey(settings.jwt.key),
    policy: rotationOf(settings),
    onChange: memory.forgetAll,
  }).catch((error: unknown) => {
    throw error instanceof SealedOtherwise ? otherSecret(error) : error
  })
  return {
    store,
    keyring,
    throttle: createThrottle(),
    passwords: createPasswords({ scheme: settings.passwordScheme }),
    isCommonPassword,
    memory,
    issuer: settings.site.url,
    audience: settings.audience,
    bridge: bridgeOf(settings),
    newId,
    onEvent: ({ type, at: _at, ...about }) => {
      const instead = alarms[type]
      if (instead === undefined) log.info(about, type)
      else log.warn({ ...about, instead }, type)
    },
  }
}

/** What another process commits (`rusk users disable` while this one serves) is seen here within a second. */
function watch(engine: Engine, following: Following | undefined, log: Log): () => void {
  let retry: NodeJS.Timeout | undefined
  const reload = () => {
    const { keyring, store } = engine
    keyring
      .reload()
      .then(changed => {
        if (!changed) return
        const now = store.now()
        const macs = keyring.macs(now).map(({ id }) => id)
        log.info({ signing: keyring.accepted(now), macs }, 'keys_changed')
      })
      .catch((error: unknown) => {
        log.error({ err: error }, 'the keys could not be read again; the next try is in a second')
        retry = setTimeout(reload, 1000).unref()
      })
  }
  const unwatch = engine.store.watch(() => {
    engine.memory.forgetSessions()
    following?.look()
    clearTimeout(retry)
    reload()
  })
  return () => {
    unwatch()
    clearTimeout(retry)
  }
}

/** Opens everything and listens on nothing. Throws `Misuse` with every finding, or a `Fault`. */
export async function openSystem(given: Settings, seams: Seams): Promise<System> {
  const settings = seams.serving ? await withPort(given) : given
  const log = seams.log ?? createLog(settings.log)
  const store = await openSettingsStore(settings, seams)
  let stop = async (): Promise<void> => undefined
  try {
    await openSchema(store, settings)
    const sealing = sealingOf(settings, databaseOf(settings), store)
    let following: Following | undefined
    const engine = await openEngine(
      settings,
      sealing,
      telling(store, () => following?.look()),
      log,
    )
    if (settings.serviceKeys.length > 0) following = follow(engine)
    if (seams.serving) {
      const unwatch = watch(engine, following, log)
      const leaveKeys = keepKeys(engine, {
        every: seams.keysLookedAt,
        onFault: error =>
          log.error({ err: error }, 'the keys could not be looked after; the present ones go on'),
      })
      stop = async () => {
        unwatch()
        await leaveKeys()
      }
    }
    return assemble(settings, { engine, sealing, following, stop }, log)
  } catch (error) {
    await stop()
    await store.close()
    throw error
  }
}

const follow = ({ store, keyring }: Engine): Following =>
  openFollowing({
    store,
    databases: () => keyring.rows().flatMap(({ use, id }) => (use === 'mac' ? [id] : [])),
    async keys() {
      await keyring.reload()
      return keyring.accepted(store.now())
    },
  })

type Parts = {
  readonly engine: Engine
  readonly sealing: Sealing
  /** Undefined: no service has a key, so nobody is told. */
  readonly following: Following | undefined
  /** Ends what runs beside the calls. */
  readonly stop: () => Promise<void>
}

function assemble(settings: Settings, { engine, sealing, following, stop }: Parts, log: Log): System {
  const { site, serviceKeys } = settings
  const { store, keyring } = engine
  const mounted = mountedOf(settings)
  const hosted = hostedOf(settings, mounted)
  const described = { mounted, site, version }
  let document: object | undefined
  const openapi = () => {
    document ??= describe(described)
    return document
  }
  const skew = Math.max(...mounted.map(each => each.policy.skew))
  const http: Http = createHttp({
    site,
    dialects: hosted ? [...mounted, hosted] : mounted,
    run: createRun(engine),
    recall: createRecall(engine),
    throttle: engine.throttle,
    csrfAuthentic: text => readCsrfToken(keyring.macs(store.now()), text) !== undefined,
    log,
    served: [
      ...rootRoutes({ ready: store.ready, keys: () => keyring.published(store.now()), openapi }),
      forwardRoute({ whoCalls: asking => http.whoCalls(asking), signIn: hosted?.start, log }),
      ...(following
        ? serviceRoutes({
            keys: serviceKeys,
            news: following.news,
            issuer: engine.issuer,
            audience: engine.audience,
            now: store.now,
            introspect: token => introspect(engine, token, skew),
          })
        : []),
      ...docsPages(version),
      ...playgroundPages({ ...described, pages: hosted?.start }),
      ...(hosted?.files ?? []),
    ],
  })
  const policy = mounted[0]?.policy.password
  return {
    settings,
    store,
    keyring,
    http,
    createUser: (account, { skipPolicy, superuser }) =>
      createAccount(engine, account, { superuser, policy: skipPolicy ? undefined : policy }),
    setActive: (userId, active) => setActive(engine, userId, active),
    endSession: (sessionId, because) => endSession(engine, sessionId, because),
    endSessionsOf: (userId, because) => endSessionsOf(engine, userId, because),
    endSessionsOpenedBefore: (before, because) => endSessionsOpenedBefore(engine, before, because),
    async rotateKeys(how) {
      return keyring.rotate({ at: store.now(), ...how })
    },
    sealedBy: sealing.keptIn,
    rotateSealing: () => sealing.rotate(() => keyring.reseal(store.now())),
    openapi,
    async listen() {
      const listening = await listen({ http, host: settings.host, port: settings.port, log })
      return {
        ...listening,
        close() {
          following?.close()
          return listening.close()
        },
      }
    },
    async close() {
      following?.close()
      await stop()
      await store.close()
    },
  }
}
