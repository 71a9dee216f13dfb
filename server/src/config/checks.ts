// What is wrong or risky about values that are each well written: rules over all of them together. A rule that refuses in
// production is a risk in development. Knows no place where anything was written.
import { isLoopback } from '@rusk/verify/floor'
import { isLocalToBrowsers } from '../http/site.ts'
import { type Database, isDatabase, readDatabase } from '../store/database.ts'
import { hostOf, relateSites, siteOf } from './sites.ts'
import type { OptionName, Values } from './table.ts'
import { weaknessOf } from './weakness.ts'

/** What rules may ask of a dialect, by its name; never which it is. */
export type DialectTraits = Readonly<Record<string, { readonly cookies: { readonly csrf?: object } }>>

export type Facts = {
  readonly values: Values
  /** Set somewhere, well written or not. */
  readonly given: ReadonlySet<OptionName>
  /** `NODE_ENV`, which other programs go by. */
  readonly nodeEnvironment: string | undefined
  /** A dialect that is spoken has a CSRF cookie, which pages read. */
  readonly hasCsrfCookie: boolean
}

export type Verdict = { readonly wrong: string; readonly instead: string } | undefined

export type Rule = {
  readonly about: OptionName
  /** `always` refuses, `production` refuses there and is a risk elsewhere, `never` is only ever a risk. */
  readonly refuses: 'always' | 'production' | 'never'
  find(facts: Facts): Verdict
}

const inProduction = ({ values }: Facts): boolean => values.environment === 'production'
const isHttps = (url: string | undefined): boolean => url?.startsWith('https:') === true

const makeOne = 'Make one with: openssl rand -base64 48'

const strongSecret = (about: 'secret' | 'jwt.key' | 'bridge.key', instead = makeOne): Rule => ({
  about,
  refuses: 'production',
  find({ values }) {
    const secret = values[about]
    const wrong = secret === undefined ? undefined : weaknessOf(secret)
    return wrong === undefined ? undefined : { wrong, instead }
  },
})

/** The first one that is weak: what is wrong with it does not show which. */
const strongServiceKeys: Rule = {
  about: 'service.keys',
  refuses: 'production',
  find({ values }) {
    const wrong = values['service.keys']?.map(weaknessOf).find(each => each !== undefined)
    return wrong === undefined ? undefined : { wrong, instead: makeOne }
  },
}

/** Listed origins that stand so towards `url`. While nobody set `url`, a browser may call this machine by any of its names. */
function originsThatAre(
  relation: ReturnType<typeof relateSites>,
  { values, given }: Facts,
): readonly string[] {
  const { url, origins = [] } = values
  if (url === undefined || !given.has('url')) return []
  return origins.filter(origin => relateSites(origin, url) === relation)
}

/** Read again: the value is kept as it was written. */
function databaseOf({ values }: Facts): Database | undefined {
  const read = values.database === undefined ? undefined : readDatabase(values.database)
  return read && isDatabase(read) ? read : undefined
}

const isInMemory = (database: Database | undefined): boolean =>
  database?.kind === 'sqlite' && database.path === null

export const rules: readonly Rule[] = [
  {
    about: 'url',
    refuses: 'production',
    find: facts =>
      inProduction(facts) && !facts.given.has('url')
        ? { wrong: 'nothing says where browsers reach Rusk', instead: 'Set RUSK_URL=https://…' }
        : undefined,
  },
  {
    about: 'url',
    refuses: 'production',
    find(facts) {
      const { url } = facts.values
      if (url === undefined || !facts.given.has('url') || isHttps(url)) return undefined
      if (!inProduction(facts) && isLocalToBrowsers(hostOf(url))) return undefined
      return {
        wrong: `${url} is not https, so whoever is on the way reads cookies`,
        instead: 'Write https://…',
      }
    },
  },
  strongSecret('secret'),
  {
    about: 'secret.previous',
    refuses: 'never',
    find: ({ values: { secret, 'secret.previous': previous } }) =>
      previous !== undefined && previous === secret
        ? {
            wrong: 'it is the secret in use, so that nothing is replaced',
            instead: 'Write the one from before, or leave it out',
          }
        : undefined,
  },
  strongSecret('jwt.key'),
  // It cannot be made anew: it is the one that the tokens out there were signed with.
  strongSecret(
    'bridge.key',
    'Leave it out: who guesses it is let in as anybody. Without it people sign in once more',
  ),
  strongServiceKeys,
  {
    about: 'service.keys',
    refuses: 'production',
    find: ({ values }) =>
      values['service.keys']?.some(key =>
        (['secret', 'secret.previous', 'jwt.key', 'bridge.key'] as const).some(
          other => values[other] === key,
        ),
      )
        ? {
            wrong: 'a secret that makes tokens or seals keys is among them, and whoever may ask has it',
            instead: makeOne,
          }
        : undefined,
  },
  {
    about: 'bridge.key',
    refuses: 'never',
    find: facts =>
      inProduction(facts) && facts.given.has('bridge.key')
        ? {
            wrong: 'whoever holds a token of the old system, or its key, can sign in',
            instead: 'Take it out when those tokens have expired',
          }
        : undefined,
  },
  {
    about: 'bridge.subject',
    refuses: 'always',
    find: ({ values, given }) =>
      values['bridge.key'] !== undefined && !given.has('bridge.subject')
        ? {
            wrong: 'nothing says whom the tokens that bridge.key checks are about',
            instead: 'Set RUSK_BRIDGE_SUBJECT to the claim and what it holds: sub=email, user_id=number',
          }
        : undefined,
  },
  {
    about: 'bridge.subject',
    refuses: 'never',
    find: ({ given }) =>
      given.has('bridge.subject') && !given.has('bridge.key')
        ? {
            wrong: 'without bridge.key nothing is exchanged',
            instead: 'Set RUSK_BRIDGE_KEY, or leave this out',
          }
        : undefined,
  },
  {
    about: 'secret',
    refuses: 'always',
    find: facts =>
      inProduction(facts) &&
      databaseOf(facts)?.kind === 'postgres' &&
      !facts.given.has('secret') &&
      !facts.given.has('jwt.key')
        ? {
            wrong: 'nothing seals the keys in the database',
            instead: 'Set RUSK_SECRET to a secret made with: openssl rand -base64 48',
          }
        : undefined,
  },
  {
    about: 'secret',
    refuses: 'never',
    find: facts =>
      databaseOf(facts)?.kind === 'postgres' && !facts.given.has('secret') && facts.given.has('jwt.key')
        ? {
            wrong:
              'JWT_SECRET_KEY also seals the keys in the database: once it is changed they cannot be opened',
            instead:
              'Set RUSK_SECRET: for a new database to a secret made with openssl rand -base64 48, for one in use to ' +
              'the present JWT_SECRET_KEY, before that is changed',
          }
        : undefined,
  },
  {
    about: 'cookies.secure',
    refuses: 'production',
    find: facts =>
      facts.values['cookies.secure'] === false && (inProduction(facts) || isHttps(facts.values.url))
        ? {
            wrong: 'cookies are Secure whenever url is https, and in production',
            instead: 'Leave it out or write true',
          }
        : undefined,
  },
  {
    about: 'cookies.secure',
    refuses: 'never',
    find({ values: { url, 'cookies.secure': secure, 'cookies.crossSite': crossSite } }) {
      if (!(secure || crossSite) || url === undefined || isHttps(url) || isLocalToBrowsers(hostOf(url)))
        return undefined
      return {
        wrong: `browsers drop Secure cookies that come from ${url}`,
        instead: 'Serve https and say so in url',
      }
    },
  },
  {
    about: 'cookies.crossSite',
    refuses: 'never',
    find(facts) {
      const foreign = originsThatAre('foreign', facts)
      if (foreign.length === 0 || facts.values['cookies.crossSite']) return undefined
      return {
        wrong: `${foreign.join(', ')} and ${facts.values.url} are different sites, so browsers send no cookies`,
        instead: 'Serve both from one site (best), or set RUSK_COOKIES_CROSS_SITE=true',
      }
    },
  },
  {
    about: 'cookies.crossSite',
    refuses: 'never',
    find(facts) {
      const { origins, 'cookies.crossSite': crossSite } = facts.values
      if (!crossSite || !origins || !facts.given.has('url') || originsThatAre('foreign', facts).length > 0)
        return undefined
      return {
        wrong: 'every listed origin is on the same site as url: SameSite=None only weakens the cookies',
        instead: 'Leave it out',
      }
    },
  },
  {
    about: 'csrf.domain',
    refuses: 'never',
    find(facts) {
      const siblings = originsThatAre('sibling', facts)
      const { url, 'csrf.domain': domain } = facts.values
      if (!facts.hasCsrfCookie || siblings.length === 0 || domain !== undefined || url === undefined)
        return undefined
      return {
        wrong: `pages of ${siblings.join(', ')} cannot read the CSRF cookie of ${hostOf(url)}`,
        instead: `Set RUSK_CSRF_DOMAIN=${siteOf(hostOf(url))}`,
      }
    },
  },
  {
    about: 'csrf.domain',
    refuses: 'always',
    find({ values: { url, 'csrf.domain': domain }, given }) {
      if (domain === undefined || url === undefined || !given.has('url')) return undefined
      const host = hostOf(url)
      if (host === domain || host.endsWith(`.${domain}`)) return undefined
      return {
        wrong: `${host} is not within ${domain}, so browsers drop the cookie`,
        instead: `Write ${siteOf(host)}`,
      }
    },
  },
  {
    about: 'origins',
    refuses: 'never',
    find(facts) {
      const plain = facts.values.origins?.filter(origin => !isHttps(origin)) ?? []
      if (!inProduction(facts) || plain.length === 0) return undefined
      return {
        wrong: `${plain.join(', ')} may be anybody's page: whoever is on the way can change what is sent over http`,
        instead: 'List https origins only',
      }
    },
  },
  {
    about: 'proxies',
    refuses: 'never',
    find: facts =>
      inProduction(facts) && isLoopback(facts.values.host ?? '') && !facts.given.has('proxies')
        ? {
            wrong:
              'only a proxy on this machine can reach Rusk, and none is trusted: all callers share one throttle',
            instead: `Set TRUSTED_PROXIES=${facts.values.host}`,
          }
        : undefined,
  },
  {
    about: 'hsts',
    refuses: 'never',
    find: facts =>
      inProduction(facts) && (facts.values.hsts ?? 0) < 31_536_000
        ? {
            wrong: 'browsers forget within a year that this host is https',
            instead: 'Write 31536000 once https is here to stay',
          }
        : undefined,
  },
  {
    about: 'session.idle',
    refuses: 'always',
    find: ({ values: { 'session.idle': idle, 'session.lifetime': lifetime } }) =>
      idle !== undefined && lifetime !== undefined && idle > lifetime
        ? {
            wrong: 'it is longer than session.lifetime, which ends every session',
            instead: 'Write a shorter one',
          }
        : undefined,
  },
  {
    about: 'session.grace',
    refuses: 'never',
    find: ({ values: { 'session.grace': grace } }) =>
      grace !== undefined && grace < 10_000
        ? {
            wrong: 'an answer that takes longer than half of it can sign an honest person out',
            instead: 'Leave it out, or write 2m',
          }
        : undefined,
  },
  {
    about: 'password.minLength',
    refuses: 'never',
    find: ({ values: { 'password.minLength': least } }) =>
      least !== undefined && least < 8
        ? {
            wrong: 'passwords of fewer than 8 characters are guessed',
            instead: 'Write 8 or more; 15 is good advice',
          }
        : undefined,
  },
  {
    about: 'database',
    refuses: 'always',
    find: facts =>
      inProduction(facts) && isInMemory(databaseOf(facts))
        ? {
            wrong: 'a database in memory has no schema at the start and is forgotten at the end',
            instead: 'Write sqlite:./rusk.db or postgres://…, and run rusk migrate',
          }
        : undefined,
  },
  {
    about: 'mail.user',
    refuses: 'never',
    find: ({ given }) =>
      given.has('mail.user') || given.has('mail.password')
        ? {
            wrong: 'this version sends no mail',
            instead: 'Nothing to do: it is kept for the version that does',
          }
        : undefined,
  },
  {
    about: 'environment',
    refuses: 'always',
    find: facts =>
      facts.nodeEnvironment === 'production' && !facts.given.has('environment')
        ? {
            wrong: 'NODE_ENV is production, but nothing says so to Rusk, which would run in development',
            instead: 'Set ENVIRONMENT=production, or ENVIRONMENT=development if you mean it',
          }
        : undefined,
  },
]
