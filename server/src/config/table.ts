// The options: what each is called, how it is written, what it is when nobody sets it, who needs it. Everything that is
// said about options elsewhere (types, --help, doctor, the manual) is printed from here. Reads nothing by itself.
import { defaultPolicy, longestAccess } from '../core/policy.ts'
import * as kind from './kinds.ts'

export type Option = {
  readonly kind: kind.Kind<unknown, unknown>
  /** Variables beside the option's own (`RUSK_…`, which comes first), as people already have them. */
  readonly variables?: readonly string[]
  /** All variables count together, not the first that is set. */
  readonly merges?: true
  /** Each variable may be the path of a file instead: its name with `_FILE` behind. */
  readonly fromFile?: true
  /** As an operator would write it. */
  readonly default?: string
  /** For the manual, where the default is no fixed text. */
  readonly otherwise?: string
  readonly sentence: string
  readonly neededBy: string
}

const minute = 60_000
const day = 24 * 60 * minute
const ofDialect = (natively: string) => `the dialect's; natively ${natively}`

export const options = {
  url: {
    kind: kind.url,
    variables: ['BACK_URL'],
    otherwise: 'http://HOST:PORT',
    sentence:
      'Where browsers reach Rusk: the issuer of tokens and the base of links; https here makes cookies Secure.',
    neededBy: 'every production server',
  },
  host: {
    kind: kind.host,
    variables: ['HOST'],
    default: '127.0.0.1',
    sentence: 'The address to listen on.',
    neededBy: 'containers (0.0.0.0)',
  },
  port: {
    kind: kind.integer(0, 65_535),
    variables: ['PORT'],
    default: '8000',
    sentence: 'The port to listen on; 0 picks a free one.',
    neededBy: 'platforms that hand out ports',
  },
  prefix: {
    kind: kind.prefix,
    otherwise: 'none',
    sentence: 'A path put before all routes of the dialects.',
    neededBy: 'those who mount Rusk beside something else on one host',
  },
  dialect: {
    kind: kind.names,
    default: 'native',
    sentence: 'The HTTP dialects to speak; several if their routes do not collide.',
    neededBy: 'front ends written for another back end',
  },
  environment: {
    kind: kind.choice('development', 'production'),
    variables: ['ENVIRONMENT'],
    default: 'development',
    sentence:
      'Production refuses to start on anything that is only good enough for development. Needed where NODE_ENV is production.',
    neededBy: 'every production server',
  },
  database: {
    kind: kind.database,
    variables: ['DATABASE_URL'],
    fromFile: true,
    default: 'sqlite:./rusk.db',
    sentence:
      'Where everything is kept: an SQLite file or Postgres; the spellings of SQLAlchemy are understood.',
    neededBy: 'whoever keeps data elsewhere than in the working folder',
  },
  secret: {
    kind: kind.secret,
    fromFile: true,
    otherwise: 'a key file beside the SQLite file; on Postgres JWT_SECRET_KEY',
    sentence:
      'Seals the signing keys in the database; 32 random bytes or more. On Postgres without it JWT_SECRET_KEY does: set ' +
      'this to the present one before you change that.',
    neededBy: 'servers on Postgres, and those that keep secrets in a vault',
  },
  'secret.previous': {
    kind: kind.secret,
    fromFile: true,
    otherwise: 'none',
    sentence:
      'Opens what another secret has sealed, until rusk keys rotate --use sealing has sealed it with the present one.',
    neededBy: 'whoever replaces RUSK_SECRET, or the JWT_SECRET_KEY that seals in its place',
  },
  'jwt.key': {
    kind: kind.secret,
    variables: ['JWT_SECRET_KEY', 'JWT_KEY'],
    fromFile: true,
    otherwise: 'none: tokens are signed with a key pair',
    sentence: 'Signs access tokens with HS256 and this shared key; 32 bytes or more.',
    neededBy: 'services that check tokens with a shared key',
  },
  'jwt.algorithm': {
    kind: kind.choice('ES256', 'EdDSA'),
    default: 'ES256',
    sentence: 'Signs access tokens when there is no shared key.',
    neededBy: 'services whose libraries want Ed25519',
  },
  'keys.rotate': {
    kind: kind.spanOrNever(7 * day, 3650 * day),
    default: '90d',
    sentence:
      'How often servers replace the keys of access, refresh and CSRF tokens; nobody is signed out by it.',
    neededBy: 'whoever has a rule for it; never, for those who rotate by command alone',
  },
  audience: {
    kind: kind.text,
    otherwise: 'none',
    sentence: 'The aud claim of access tokens; then it is required and exact.',
    neededBy: 'issuers of tokens for several systems',
  },
  'bridge.key': {
    kind: kind.secret,
    fromFile: true,
    otherwise: 'none: nothing is exchanged',
    sentence: 'Checks tokens of the old system (HS256), each of which may be exchanged for a session.',
    neededBy:
      'front ends that move off localStorage without a new sign-in, until the old tokens have expired',
  },
  'bridge.subject': {
    kind: kind.claim,
    otherwise: 'none; needed with bridge.key',
    sentence:
      'The claim that names the user in those tokens, and what of the user it holds: sub=email, user_id=number.',
    neededBy: 'whoever sets bridge.key',
  },
  'service.keys': {
    kind: kind.secrets,
    variables: ['RUSK_SERVICE_KEY'],
    fromFile: true,
    otherwise: 'none: services are told of no ends',
    sentence:
      'Each lets other services follow which sessions have ended and ask about tokens; 32 characters or more. Several while ' +
      'one is replaced.',
    neededBy: 'services that check tokens and must know within seconds that a session has ended',
  },
  origins: {
    kind: kind.origins,
    variables: ['ALLOWED_ORIGINS', 'FRONTEND_ORIGIN', 'CSRF_TRUSTED_ORIGINS'],
    merges: true,
    otherwise: "the dialect's; in production none",
    sentence: 'The origins of your front ends, exactly as browsers send them; that of url is always listed.',
    neededBy: 'front ends on another origin than Rusk',
  },
  proxies: {
    kind: kind.proxies,
    variables: ['TRUSTED_PROXIES'],
    otherwise: 'none',
    sentence: 'Addresses and networks of proxies whose X-Forwarded-For is believed.',
    neededBy: 'servers behind a proxy: else all callers share one throttle',
  },
  'cookies.secure': {
    kind: kind.flag,
    variables: ['SECURE_COOKIES'],
    otherwise: 'true if url is https or in production',
    sentence: 'Marks cookies Secure.',
    neededBy: 'servers whose proxy ends TLS while they are tried out',
  },
  'cookies.crossSite': {
    kind: kind.flag,
    default: 'false',
    sentence:
      'Cookies are SameSite=None and Secure; answers that set a CSRF token also send it in its header.',
    neededBy: 'front ends on another site than Rusk',
  },
  'csrf.domain': {
    kind: kind.domain,
    otherwise: 'none',
    sentence: 'The Domain of the readable CSRF cookie, never of a token.',
    neededBy: 'front ends on a sibling host that must read that cookie',
  },
  hsts: {
    kind: kind.integer(0, 4_000_000_000),
    variables: ['SECURE_HSTS_SECONDS'],
    default: '31536000',
    sentence: 'Seconds of Strict-Transport-Security, sent when url is https.',
    neededBy: 'hosts that are new to https',
  },
  'session.grace': {
    kind: kind.span(0, 60 * minute),
    otherwise: ofDialect(kind.writeSpan(defaultPolicy.grace)),
    sentence:
      'How long after a refresh earlier refresh tokens still get an access token: twice the slowest leg of a call.',
    neededBy: 'clients on very slow networks',
  },
  'session.access': {
    kind: kind.span(1000, longestAccess),
    otherwise: ofDialect(kind.writeSpan(defaultPolicy.access)),
    sentence: 'How long an access token lives.',
    neededBy: 'services that check tokens offline',
  },
  'session.idle': {
    kind: kind.span(1000, 400 * day),
    otherwise: ofDialect(kind.writeSpan(defaultPolicy.idle)),
    sentence: 'How long a session lives that nobody uses.',
    neededBy: 'whoever has a rule for it',
  },
  'session.lifetime': {
    kind: kind.span(1000, 3650 * day),
    otherwise: ofDialect(kind.writeSpan(defaultPolicy.lifetime)),
    sentence: 'How long a session lives, used or not.',
    neededBy: 'whoever has a rule for it',
  },
  'session.skew': {
    kind: kind.span(0, 5 * minute),
    otherwise: ofDialect(kind.writeSpan(defaultPolicy.skew)),
    sentence: 'How far the clocks of two machines may stand apart.',
    neededBy: 'fleets without good time',
  },
  'password.minLength': {
    kind: kind.integer(1, 256),
    otherwise: ofDialect(String(defaultPolicy.password.minLength)),
    sentence: 'The fewest characters of a new password.',
    neededBy: 'whoever follows the advice of 15',
  },
  'password.scheme': {
    kind: kind.choice('argon2id', 'bcrypt'),
    default: 'argon2id',
    sentence: 'How new passwords are hashed; both are always read.',
    neededBy: 'those who move, and must be able to move back',
  },
  'throttle.signIn': {
    kind: kind.rate,
    otherwise: ofDialect(kind.writeRate(defaultPolicy.rates.signIn)),
    sentence: 'Attempts to sign in from one network.',
    neededBy: 'offices behind one address',
  },
  'throttle.signUp': {
    kind: kind.rate,
    otherwise: `${kind.writeRate(defaultPolicy.rates.signUp)}; in production 20/1h`,
    sentence: 'New accounts from one network.',
    neededBy: 'classrooms and launches',
  },
  pages: {
    kind: kind.flag,
    otherwise: 'true in development, false in production',
    sentence: 'Serves pages for people beside the first dialect: sign in, sign up, account, password.',
    neededBy: 'developers without a front end for it; in production, whoever links to them',
  },
  'brand.name': {
    kind: kind.text,
    default: 'Rusk',
    sentence: 'What stands above the pages and in the titles of their windows.',
    neededBy: 'whoever shows the pages to others',
  },
  'brand.logo': {
    kind: kind.file,
    otherwise: "Rusk's",
    sentence: 'The picture above the pages: an SVG, PNG or WebP file of at most 256 KiB.',
    neededBy: 'whoever shows the pages to others',
  },
  'brand.style': {
    kind: kind.file,
    otherwise: 'none',
    sentence:
      'A CSS file that comes after ours, for --accent, --on-accent, --paper, --card, --ink, --radius and --font.',
    neededBy: 'whoever shows the pages to others',
  },
  'log.level': {
    kind: kind.choice('trace', 'debug', 'info', 'warn', 'error', 'silent'),
    default: 'info',
    sentence: 'The least that is logged.',
    neededBy: 'whoever looks for a fault',
  },
  'log.format': {
    kind: kind.choice('auto', 'json', 'pretty'),
    default: 'auto',
    sentence: 'JSON lines, or text for people; auto is text on a terminal.',
    neededBy: 'containers with a terminal attached',
  },
  'mail.user': {
    kind: kind.text,
    variables: ['MAIN_EMAIL'],
    otherwise: 'none',
    sentence: "The mail account's name. Kept for later: this version sends no mail.",
    neededBy: 'fastapi-minimal .env files',
  },
  'mail.password': {
    kind: kind.credential,
    variables: ['MAIN_EMAIL_PASSWORD'],
    fromFile: true,
    otherwise: 'none',
    sentence: "The mail account's password. Kept for later: this version sends no mail.",
    neededBy: 'fastapi-minimal .env files',
  },
} as const satisfies Record<string, Option>

export type OptionName = keyof typeof options

/** The names, in the order in which the manual tells them. */
export const optionNames = Object.keys(options) as readonly OptionName[]

export const isOptionName = (name: string): name is OptionName => Object.hasOwn(options, name)

export const optionOf = (name: OptionName): Option => options[name]

type ValueOf<O> = O extends { readonly kind: kind.Kind<infer T, unknown> } ? T : never

/** What was read of each option; absent when it is neither set (well) nor has a default. */
export type Values = { readonly [N in OptionName]?: ValueOf<(typeof options)[N]> }

type Defaulted = {
  [N in OptionName]: (typeof options)[N] extends { readonly default: string } ? N : never
}[OptionName]

/** Values to which nothing is missing. */
export type Complete = Values & { readonly [N in Defaulted]: NonNullable<Values[N]> }

export const isComplete = (values: Values): values is Complete =>
  optionNames.every(name => optionOf(name).default === undefined || values[name] !== undefined)

type GivenFor<O> = O extends { readonly kind: kind.Kind<unknown, infer Given> } ? Given : never

/** Where an option stands in an object: below the first part of its name, unless that is an option of its own. */
type HeadOf<N extends string> = N extends `${infer Head}.${string}`
  ? Head extends OptionName
    ? never
    : Head
  : never

type Nested<Names extends OptionName> = {
  readonly [N in Names as [HeadOf<N>] extends [never] ? N : HeadOf<N>]?:
    | ([HeadOf<N>] extends [never]
        ? GivenFor<(typeof options)[N]>
        : Leaves<Extract<OptionName, `${HeadOf<N>}.${string}`>>)
    | undefined
}

type Leaves<Names extends OptionName> = {
  readonly [N in Names as N extends `${string}.${infer Leaf}` ? Leaf : never]?:
    | GivenFor<(typeof options)[N]>
    | undefined
}

/** What a program gives: `{ url: 'https://…', session: { grace: '2m' } }`. Spans and rates are written as elsewhere. */
export type Options = Nested<OptionName>

/** `session.grace` → `RUSK_SESSION_GRACE`, `password.minLength` → `RUSK_PASSWORD_MIN_LENGTH`. */
export const ownVariable = (name: OptionName): string =>
  `RUSK_${name
    .replaceAll('.', '_')
    .replace(/[A-Z]/g, letter => `_${letter}`)
    .toUpperCase()}`

/** Where an option is looked for in the environment; the first that is set counts. */
export const variablesOf = (name: OptionName): readonly string[] => [
  ownVariable(name),
  ...(optionOf(name).variables ?? []),
]
