// Tables of what operators write and what becomes of it.
import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseEnv } from 'node:util'
import { loadSettings } from './config/files.ts'
import type { Sources } from './config/sources.ts'
import { optionNames, optionOf } from './config/table.ts'
import { type Options, optionRows, readSettings, type Settings, type SettingsRead } from './config.ts'
import type { Finding } from './core/fault.ts'
import { dialects } from './dialects/index.ts'

const dialectNames = Object.keys(dialects)

const read = (sources: Partial<Sources>): SettingsRead =>
  readSettings({ env: {}, dialectNames, dialects, ...sources })

function settingsFrom(sources: Partial<Sources>): Settings {
  const { settings, errors } = read(sources)
  assert.ok(settings, JSON.stringify(errors))
  return settings
}

const texts = (findings: readonly Finding[]): string[] =>
  findings.map(({ about, wrong, instead }) => `${about}: ${wrong} → ${instead}`)

const strong = 'q8ZkT3vN0aXw5JdLr2YbUe7PcMhGs1Fo'
const stronger = 'Vn4cR9sKe2LxW7yTq0ZbHm5JgAu8PdFi'

test('nothing set is a working development server without a finding', () => {
  const { settings, errors, risks } = read({})
  assert.deepEqual([errors, risks], [[], []])
  assert.deepEqual(settings, {
    environment: 'development',
    site: {
      url: 'http://127.0.0.1:8000',
      https: false,
      secureCookies: false,
      environment: 'development',
      prefix: '',
      origins: undefined,
      proxies: [],
      csrfDomain: undefined,
      crossSite: false,
      hsts: 31_536_000,
    },
    host: '127.0.0.1',
    port: 8000,
    dialects: ['native'],
    database: 'sqlite:./rusk.db',
    secret: undefined,
    previousSecret: undefined,
    jwt: { key: undefined, algorithm: 'ES256' },
    rotateKeysEvery: 90 * 86_400_000,
    audience: undefined,
    serviceKeys: [],
    bridge: undefined,
    pages: { name: 'Rusk', logo: undefined, style: undefined },
    policy: { rates: {} },
    passwordScheme: 'argon2id',
    log: { level: 'info', format: 'auto' },
    mail: { user: undefined, password: undefined },
  })
})

type Look = (settings: Settings) => unknown

test('each option is read from each of its variables', async t => {
  const table: [variable: string, text: string, pick: Look, want: unknown][] = [
    ['RUSK_URL', 'https://auth.example.org/', s => s.site.url, 'https://auth.example.org'],
    ['BACK_URL', 'http://127.0.0.1:8000', s => s.site.url, 'http://127.0.0.1:8000'],
    ['RUSK_URL', 'https://example.org/auth', s => s.site.url, 'https://example.org/auth'],
    ['RUSK_URL', 'https://auth.example.org', s => [s.site.https, s.site.secureCookies], [true, true]],
    ['HOST', '::1', s => s.site.url, 'http://[::1]:8000'],
    ['RUSK_HOST', '0.0.0.0', s => [s.host, s.site.url], ['0.0.0.0', 'http://localhost:8000']],
    ['PORT', '0', s => s.port, 0],
    ['RUSK_PREFIX', '/accounts/v1', s => s.site.prefix, '/accounts/v1'],
    ['RUSK_DIALECT', 'fastapi, flask,fastapi', s => s.dialects, ['fastapi', 'flask']],
    ['ENVIRONMENT', 'Development', s => s.environment, 'development'],
    ['DATABASE_URL', 'sqlite:///./app.db', s => s.database, 'sqlite:///./app.db'],
    ['RUSK_SECRET', strong, s => s.secret, strong],
    ['RUSK_SECRET_PREVIOUS', strong, s => s.previousSecret, strong],
    ['RUSK_KEYS_ROTATE', '30d', s => s.rotateKeysEvery, 30 * 86_400_000],
    ['RUSK_KEYS_ROTATE', 'Never', s => s.rotateKeysEvery, undefined],
    ['RUSK_JWT_KEY', strong, s => s.jwt.key, strong],
    ['JWT_SECRET_KEY', strong, s => s.jwt.key, strong],
    ['JWT_KEY', strong, s => s.jwt.key, strong],
    ['JWT_KEY', ' blanks are part of a key ', s => s.jwt.key, ' blanks are part of a key '],
    ['RUSK_JWT_ALGORITHM', 'eddsa', s => s.jwt.algorithm, 'EdDSA'],
    ['RUSK_AUDIENCE', 'chat', s => s.audience, 'chat'],
    ['RUSK_SERVICE_KEYS', strong, s => s.serviceKeys, [strong]],
    ['RUSK_SERVICE_KEY', strong, s => s.serviceKeys, [strong]],
    ['RUSK_SERVICE_KEYS', ` ${strong}, ,${stronger},`, s => s.serviceKeys, [strong, stronger]],
    ['RUSK_SERVICE_KEYS', `["${strong}"]`, s => s.serviceKeys, [strong]],
    ['RUSK_ORIGINS', 'https://a.example', s => s.site.origins, ['https://a.example']],
    ['FRONTEND_ORIGIN', 'http://127.0.0.1:5500', s => s.site.origins, ['http://127.0.0.1:5500']],
    [
      'ALLOWED_ORIGINS',
      ' http://a.example , ,http://b.example:81,',
      s => s.site.origins,
      ['http://a.example', 'http://b.example:81'],
    ],
    ['ALLOWED_ORIGINS', '["http://a.example"]', s => s.site.origins, ['http://a.example']],
    ['TRUSTED_PROXIES', '10.0.0.0/8,::1', s => s.site.proxies, ['10.0.0.0/8', '::1']],
    ['SECURE_COOKIES', 'true', s => s.site.secureCookies, true],
    ['SECURE_COOKIES', 'False', s => s.site.secureCookies, false],
    ['RUSK_COOKIES_CROSS_SITE', '1', s => [s.site.crossSite, s.site.secureCookies], [true, true]],
    ['RUSK_CSRF_DOMAIN', 'example.org', s => s.site.csrfDomain, 'example.org'],
    ['SECURE_HSTS_SECONDS', '3600', s => s.site.hsts, 3600],
    ['RUSK_SESSION_GRACE', '30s', s => s.policy.grace, 30_000],
    ['RUSK_SESSION_ACCESS', '1500ms', s => s.policy.access, 1500],
    ['RUSK_SESSION_IDLE', '12h', s => s.policy.idle, 43_200_000],
    ['RUSK_SESSION_LIFETIME', '14d', s => s.policy.lifetime, 1_209_600_000],
    ['RUSK_SESSION_SKEW', '0', s => s.policy.skew, 0],
    ['RUSK_PASSWORD_MIN_LENGTH', '15', s => s.policy.password, { minLength: 15 }],
    ['RUSK_PASSWORD_SCHEME', 'bcrypt', s => s.passwordScheme, 'bcrypt'],
    ['RUSK_THROTTLE_SIGN_IN', '5/1m', s => s.policy.rates, { signIn: { points: 5, per: 60_000 } }],
    ['RUSK_THROTTLE_SIGN_IN', '5/1d', s => s.policy.rates, { signIn: { points: 5, per: 86_400_000 } }],
    ['RUSK_THROTTLE_SIGN_UP', '50/1h', s => s.policy.rates, { signUp: { points: 50, per: 3_600_000 } }],
    ['RUSK_PAGES', 'false', s => s.pages, undefined],
    ['RUSK_PAGES', 'true', s => s.pages, { name: 'Rusk', logo: undefined, style: undefined }],
    ['RUSK_BRAND_NAME', 'Ovens & Co', s => s.pages?.name, 'Ovens & Co'],
    ['RUSK_BRAND_LOGO', './logo.svg', s => s.pages?.logo, './logo.svg'],
    ['RUSK_BRAND_STYLE', 'ours.css', s => s.pages?.style, 'ours.css'],
    ['RUSK_LOG_LEVEL', 'debug', s => s.log.level, 'debug'],
    ['RUSK_LOG_FORMAT', 'json', s => s.log.format, 'json'],
    ['MAIN_EMAIL', 'a@example.com', s => s.mail.user, 'a@example.com'],
    ['MAIN_EMAIL_PASSWORD', 'p', s => s.mail.password, 'p'],
    ['RUSK_AUDIENCE', '', s => s.audience, undefined],
    ['PORT', ' 80 ', s => s.port, 80],
  ]
  for (const [variable, text, pick, want] of table) {
    await t.test(`${variable}=${text}`, () => {
      assert.deepEqual(pick(settingsFrom({ env: { [variable]: text } })), want)
    })
  }
})

test('what is badly written is refused, with what to write instead', async t => {
  const table: [variable: string, text: string, wrong: RegExp, instead: RegExp][] = [
    ['RUSK_URL', 'auth.example.org', /not an address/, /https:\/\/HOST/],
    ['RUSK_URL', 'https://u:p@example.org', /more than scheme/, /https:\/\/HOST/],
    ['RUSK_URL', 'ftp://example.org', /neither http nor https/, /https:/],
    ['PORT', '65536', /whole number from 0 to 65535/, /number/],
    ['PORT', '8e3', /whole number/, /number/],
    ['RUSK_PORT', 'tcp://10.0.0.1:8000', /whole number/, /enableServiceLinks/],
    ['HOST', 'a b', /not a host/, /127\.0\.0\.1/],
    ['RUSK_PREFIX', 'accounts/', /not a path/, /Write \/accounts,/],
    ['RUSK_PREFIX', '/a/../b', /not a path/, /Write \/a\/b,/],
    ['RUSK_DIALECT', 'fastapy', /no dialect "fastapy"/, /Write fastapi$/],
    ['RUSK_DIALECT', 'rails', /no dialect/, /There are native, fastapi/],
    ['RUSK_DIALECT', ',', /no dialect is named/, /There are native/],
    ['ENVIRONMENT', 'staging', /"staging" is not known/, /development or production/],
    ['DATABASE_URL', 'mysql://x', /mysql databases are not supported/, /sqlite:/],
    ['DATABASE_URL', '', /empty/, /leave it out/],
    ['RUSK_SECRET', '', /empty/, /leave it out/],
    ['RUSK_BRIDGE_KEY', '', /empty/, /leave it out/],
    ['RUSK_SERVICE_KEYS', '', /empty/, /leave it out/],
    ['RUSK_SERVICE_KEYS', ',', /no secret/, /parted by commas/],
    ['RUSK_SERVICE_KEYS', `["${strong}"`, /no secret/, /parted by commas/],
    ['RUSK_SERVICE_KEYS', `${strong} x`, /no header can carry/, /openssl/],
    ['RUSK_SERVICE_KEYS', `${strong}ü`, /no header can carry/, /openssl/],
    ['RUSK_BRIDGE_SUBJECT', 'sub', /does not say which claim/, /sub=email.*email, username, number, id/],
    ['RUSK_BRIDGE_SUBJECT', 'email', /does not say which claim/, /sub=email/],
    ['RUSK_BRIDGE_SUBJECT', '=email', /does not say which claim/, /sub=email/],
    ['RUSK_BRIDGE_SUBJECT', 'sub=', /does not say which claim/, /sub=email/],
    ['RUSK_BRIDGE_SUBJECT', 'sub=mail', /does not say which claim/, /sub=email/],
    ['RUSK_BRIDGE_SUBJECT', 'sub=EMAIL', /does not say which claim/, /sub=email/],
    ['JWT_SECRET_KEY', ' ', /empty/, /leave it out/],
    ['ALLOWED_ORIGINS', '*', /pages of any site/, /by itself/],
    ['ALLOWED_ORIGINS', 'https://*.example.org', /pages of any site/, /by itself/],
    ['ALLOWED_ORIGINS', 'null', /sandboxed/, /serve/i],
    ['ALLOWED_ORIGINS', 'http://localhost:3000/', /how browsers write/, /^Write http:\/\/localhost:3000$/],
    ['FRONTEND_ORIGIN', 'https://a.example/app', /how browsers write/, /^Write https:\/\/a\.example$/],
    ['CSRF_TRUSTED_ORIGINS', 'https://A.example:443', /how browsers write/, /^Write https:\/\/a\.example$/],
    ['ALLOWED_ORIGINS', 'localhost:3000', /not an origin/, /^Write http:\/\/localhost:3000,/],
    ['ALLOWED_ORIGINS', 'app.example.com', /not an origin/, /^Write https:\/\/app\.example\.com,/],
    ['ALLOWED_ORIGINS', 'file:///app', /not an origin/, /^Write scheme, host and port/],
    ['ALLOWED_ORIGINS', 'my app', /not an origin/, /^Write scheme, host and port/],
    [
      'ALLOWED_ORIGINS',
      '["http://a.example"',
      /starts like a JSON array/,
      /^Write https:.*,.*, or \["https:/,
    ],
    ['TRUSTED_PROXIES', '*', /anybody claims/, /10\.0\.0\.0\/8/],
    ['TRUSTED_PROXIES', '0.0.0.0/0', /anybody claims/, /10\.0\.0\.0\/8/],
    ['TRUSTED_PROXIES', '::/00', /anybody claims/, /10\.0\.0\.0\/8/],
    ['TRUSTED_PROXIES', '10.0.0.0/33', /not an address or network/, /10\.0\.0\.0\/8/],
    ['TRUSTED_PROXIES', 'nginx', /not an address or network/, /10\.0\.0\.0\/8/],
    ['TRUSTED_PROXIES', '10.0.0.1:80', /not an address or network/, /10\.0\.0\.0\/8/],
    ['TRUSTED_PROXIES', '::ffff:10.0.0.0/104', /not an address or network/, /10\.0\.0\.0\/8/],
    ['TRUSTED_PROXIES', '[::1]', /starts like a JSON array/, /^Write 10\.0\.0\.0\/8,::1, or/],
    ['SECURE_COOKIES', 'maybe', /neither true nor false/, /true or false/],
    ['RUSK_CSRF_DOMAIN', '.example.org', /how this is written/, /^Write example\.org$/],
    ['RUSK_CSRF_DOMAIN', 'org', /not a domain/, /example\.org/],
    ['RUSK_CSRF_DOMAIN', '10.0.0.1', /not a domain/, /example\.org/],
    ['RUSK_SECRET_PREVIOUS', '', /empty/, /leave it out/],
    ['RUSK_KEYS_ROTATE', '6d', /too short/, /7d to 3650d, or never/],
    ['RUSK_KEYS_ROTATE', 'always', /not a span/, /14d, or never/],
    ['RUSK_KEYS_ROTATE', '0', /too short/, /or never/],
    ['RUSK_SESSION_GRACE', '120', /not a span/, /unit too: 120s/],
    ['RUSK_SESSION_GRACE', '2 min', /not a span/, /10m/],
    ['RUSK_SESSION_ACCESS', '2d', /too long/, /1s to 1d/],
    ['RUSK_SESSION_IDLE', '0', /too short/, /1s to 400d/],
    ['RUSK_THROTTLE_SIGN_IN', '5/minute', /not a rate/, /5\/1m/],
    ['RUSK_THROTTLE_SIGN_IN', '0/1m', /not a rate/, /5\/1m/],
    ['RUSK_THROTTLE_SIGN_IN', '5/30d', /not a rate/, /from 1s to 1d/],
    ['RUSK_THROTTLE_SIGN_UP', '5/25h', /not a rate/, /from 1s to 1d/],
    ['RUSK_THROTTLE_SIGN_UP', '5/999ms', /not a rate/, /from 1s to 1d/],
    ['RUSK_SESION_GRACE', '2m', /no such variable/, /^Write RUSK_SESSION_GRACE$/],
    ['RUSK_SECRET_FILE', '/nowhere', /\/nowhere cannot be read/, /may read/],
  ]
  for (const [variable, text, wrong, instead] of table) {
    await t.test(`${variable}=${text}`, () => {
      const { settings, errors } = read({ env: { [variable]: text } })
      assert.equal(settings, undefined)
      assert.deepEqual(
        errors.map(error => error.about),
        [variable],
      )
      assert.match(errors[0]?.wrong ?? '', wrong)
      assert.match(errors[0]?.instead ?? '', instead)
    })
  }
})

test('each wrong entry of a list is a finding of its own, with its own cure', () => {
  const env = {
    ALLOWED_ORIGINS: '*,http://app.example.com/,app.example.com,https://fine.example,null,*',
    TRUSTED_PROXIES: '10.0.0.1,*,nginx',
  }
  assert.deepEqual(texts(read({ env }).errors), [
    `ALLOWED_ORIGINS: "*" would let pages of any site call with cookies → List each origin by itself, as https://app.example.com`,
    'ALLOWED_ORIGINS: "http://app.example.com/" is not how browsers write this origin → Write http://app.example.com',
    'ALLOWED_ORIGINS: "app.example.com" is not an origin → Write https://app.example.com, with the scheme that the browser shows',
    'ALLOWED_ORIGINS: null is the origin of every sandboxed page and local file → Serve the page over http and list that origin',
    `TRUSTED_PROXIES: "*" would believe the address that anybody claims to have → Write your proxy's address or network: 10.0.0.5, 10.0.0.0/8 or fd00::/8`,
    `TRUSTED_PROXIES: "nginx" is not an address or network → Write your proxy's address or network: 10.0.0.5, 10.0.0.0/8 or fd00::/8`,
  ])
})

test('the places win in the order that help tells', async t => {
  const file = { name: 'rusk.json', content: { port: 6 } }
  const all: Partial<Sources> = {
    flags: { port: '1' },
    options: { port: 2 },
    env: { RUSK_PORT: '3', PORT: '4' },
    dotenv: { RUSK_PORT: '5' },
    file,
  }
  const table: [sentence: string, Partial<Sources>, want: number][] = [
    ['the command line over all', all, 1],
    ['given options over the environment', { ...all, flags: {} }, 2],
    ["an option's own variable over its alias", { env: { RUSK_PORT: '3', PORT: '4' }, file }, 3],
    ['the environment over .env, under whatever name', { env: { PORT: '4' }, dotenv: { RUSK_PORT: '5' } }, 4],
    ['.env over the configuration file', { dotenv: { RUSK_PORT: '5' }, file }, 5],
    ['the configuration file over the default', { file }, 6],
    ['an empty variable sets nothing', { env: { PORT: '' }, file }, 6],
    ['the default when nobody says anything', {}, 8000],
  ]
  for (const [sentence, sources, want] of table) {
    await t.test(sentence, () => assert.equal(settingsFrom(sources).port, want))
  }
})

test('the variables for origins count together, each from the place that wins', () => {
  const { site } = settingsFrom({
    env: { ALLOWED_ORIGINS: 'https://a.example', FRONTEND_ORIGIN: 'https://b.example' },
    dotenv: {
      FRONTEND_ORIGIN: 'https://not.example',
      CSRF_TRUSTED_ORIGINS: '["https://c.example","https://a.example"]',
    },
    file: { name: 'rusk.json', content: { origins: ['https://not.example'] } },
  })
  assert.deepEqual(site.origins, ['https://a.example', 'https://b.example', 'https://c.example'])
})

test('a program gives options nested, and so does the configuration file, which may dot them too', () => {
  const options: Options = {
    port: 0,
    origins: ['https://a.example'],
    cookies: { secure: true },
    session: { grace: '30s', access: undefined },
    password: { minLength: 15, scheme: 'bcrypt' },
  }
  const settings = settingsFrom({ options, file: { name: 'rusk.json', content: { 'session.access': '5m' } } })
  assert.deepEqual(settings.policy, {
    grace: 30_000,
    access: 300_000,
    password: { minLength: 15 },
    rates: {},
  })
  assert.deepEqual(
    [settings.port, settings.site.secureCookies, settings.site.origins, settings.passwordScheme],
    [0, true, ['https://a.example'], 'bcrypt'],
  )
})

test('an option below another one is dotted, by programs and in the file', () => {
  const options: Options = { secret: strong, 'secret.previous': stronger, keys: { rotate: 'never' } }
  const file = { name: 'rusk.json', content: { secret: strong, 'secret.previous': stronger } }
  for (const settings of [settingsFrom({ options }), settingsFrom({ file })])
    assert.deepEqual([settings.secret, settings.previousSecret], [strong, stronger])
  assert.equal(settingsFrom({ options }).rotateKeysEvery, undefined)
})

test('a name that is no option is refused where a program or file gives it', async t => {
  const table: [content: unknown, want: string[]][] = [
    [
      { sesion: { grace: '2m' } },
      ['sesion in rusk.json: there is no such option → See rusk serve --help for the options there are'],
    ],
    [
      { session: { grase: '2m' } },
      ['session.grase in rusk.json: there is no such option → Write session.grace'],
    ],
    [{ DATABASE_URL: 'sqlite:x' }, ['DATABASE_URL in rusk.json: there is no such option → Write database']],
    [
      { port: null },
      [
        'port in rusk.json: this is not a value for an option → Give text, a number, true, false or a list of texts',
      ],
    ],
    [
      { session: { grace: 120 } },
      ['session.grace in rusk.json: "120" is not a span of time → Write the unit too: 120s, 120m, …'],
    ],
    [[], ['configuration in rusk.json: it is not a JSON object → Write {"port": 8000}']],
  ]
  for (const [content, want] of table) {
    await t.test(JSON.stringify(content), () => {
      assert.deepEqual(texts(read({ file: { name: 'rusk.json', content } }).errors), want)
    })
  }
})

test("a variable like none of ours is somebody else's: told, not refused", () => {
  const { settings, risks } = read({ env: { RUSK_SERVICE_ACCOUNT_TOKEN: 'x' } })
  assert.ok(settings)
  assert.deepEqual(
    risks.map(risk => risk.about),
    ['RUSK_SERVICE_ACCOUNT_TOKEN'],
  )
})

test('every finding comes at once', () => {
  const { errors } = read({
    flags: { dialect: 'nope' },
    env: {
      ENVIRONMENT: 'production',
      PORT: 'x',
      ALLOWED_ORIGINS: '*',
      SECURE_COOKIES: 'false',
      JWT_KEY: 'short',
    },
    dotenv: { RUSK_HOTS: 'x' },
  })
  assert.deepEqual(errors.map(error => error.about).sort(), [
    '--dialect',
    'ALLOWED_ORIGINS',
    'JWT_KEY',
    'PORT',
    'RUSK_HOTS in .env',
    'RUSK_URL',
    'SECURE_COOKIES',
  ])
})

const production = {
  ENVIRONMENT: 'production',
  RUSK_URL: 'https://auth.example.org',
  TRUSTED_PROXIES: '127.0.0.1',
}

test('production starts on what is fit for it, without a finding', () => {
  const { settings, errors, risks } = read({ env: { ...production, JWT_SECRET_KEY: strong } })
  assert.deepEqual([errors, risks], [[], []])
  assert.equal(settings?.site.secureCookies, true)
})

test('pages are served in development, and in production when somebody says so', () => {
  const served = (env: Record<string, string>) => settingsFrom({ env }).pages !== undefined
  assert.deepEqual(
    [served({}), served(production), served({ ...production, RUSK_PAGES: 'true' })],
    [true, false, true],
  )
})

test('production refuses what is only fit for development, which is a risk there', async t => {
  const table: [sentence: string, env: Record<string, string | undefined>, about: string, wrong: RegExp][] = [
    ['an address without TLS', { RUSK_URL: 'http://auth.example.org' }, 'RUSK_URL', /not https/],
    [
      'a shared key from a tutorial',
      { JWT_KEY: 'dev_secret_key_change_me_123456!' },
      'JWT_KEY',
      /for development/,
    ],
    [
      'a shared key from an example',
      { JWT_SECRET_KEY: 'your-secret-key-here-make-it-long-and-random' },
      'JWT_SECRET_KEY',
      /for development/,
    ],
    ['a shared key of one letter', { JWT_SECRET_KEY: 'a'.repeat(64) }, 'JWT_SECRET_KEY', /a pattern/],
    [
      'a sealing secret from documentation',
      { RUSK_SECRET: '09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7' },
      'RUSK_SECRET',
      /for development/,
    ],
    [
      'a key of the old system that others know',
      {
        RUSK_BRIDGE_KEY: 'django-insecure-0123456789abcdefghijklmnop',
        RUSK_BRIDGE_SUBJECT: 'user_id=number',
      },
      'RUSK_BRIDGE_KEY',
      /for development|made of words|a pattern/,
    ],
    ['a shared key of 31 bytes', { JWT_SECRET_KEY: strong.slice(1) }, 'JWT_SECRET_KEY', /shorter than 32/],
    ['a short sealing secret', { RUSK_SECRET: strong.slice(1) }, 'RUSK_SECRET', /shorter than 32/],
    ['a short service key', { RUSK_SERVICE_KEYS: strong.slice(1) }, 'RUSK_SERVICE_KEYS', /shorter than 32/],
    [
      'a weak service key beside a strong one',
      { RUSK_SERVICE_KEYS: `${strong},${'a'.repeat(64)}` },
      'RUSK_SERVICE_KEYS',
      /a pattern/,
    ],
    [
      'a service key that signs tokens',
      { RUSK_SERVICE_KEYS: `${stronger},${strong}`, JWT_SECRET_KEY: strong },
      'RUSK_SERVICE_KEYS',
      /makes tokens or seals keys/,
    ],
    [
      'a service key that seals',
      { RUSK_SERVICE_KEYS: strong, RUSK_SECRET: strong },
      'RUSK_SERVICE_KEYS',
      /makes tokens or seals keys/,
    ],
    [
      'a service key that sealed before',
      { RUSK_SERVICE_KEYS: strong, RUSK_SECRET: stronger, RUSK_SECRET_PREVIOUS: strong },
      'RUSK_SERVICE_KEYS',
      /makes tokens or seals keys/,
    ],
    ['cookies that are not Secure', { SECURE_COOKIES: 'false' }, 'SECURE_COOKIES', /Secure/],
  ]
  for (const [sentence, env, about, wrong] of table) {
    await t.test(sentence, () => {
      const refused = read({ env: { ...production, ...env } })
      assert.deepEqual(
        refused.errors.map(error => error.about),
        [about],
      )
      assert.match(refused.errors[0]?.wrong ?? '', wrong)
      const told = read({ env: { ...production, ...env, ENVIRONMENT: 'development' } })
      assert.deepEqual(told.errors, [])
      assert.ok(told.risks.some(risk => risk.about === about && wrong.test(risk.wrong)))
    })
  }
})

test('production alone wants an address and something that seals keys', async t => {
  const table: [sentence: string, env: Record<string, string>, about: string][] = [
    ['no address', { ENVIRONMENT: 'production' }, 'RUSK_URL'],
    ['Postgres without a secret', { ...production, DATABASE_URL: 'postgres://db/rusk' }, 'RUSK_SECRET'],
    ['a database in memory', { ...production, DATABASE_URL: 'sqlite://' }, 'DATABASE_URL'],
  ]
  for (const [sentence, env, about] of table) {
    await t.test(sentence, () => {
      assert.deepEqual(
        read({ env }).errors.map(error => error.about),
        [about],
      )
      assert.deepEqual(read({ env: { ...env, ENVIRONMENT: 'development' } }).errors, [])
    })
  }
})

test('what may go wrong is told, and what to do about it', async t => {
  const url = { RUSK_URL: 'https://api.example.org' }
  const table: [sentence: string, env: Record<string, string>, want: RegExp | null][] = [
    [
      'a front end on another site',
      { ...url, ALLOWED_ORIGINS: 'https://app.example' },
      /different sites.*RUSK_COOKIES_CROSS_SITE=true/,
    ],
    [
      'two tenants of one host are different sites',
      { RUSK_URL: 'https://a.github.io', ALLOWED_ORIGINS: 'https://b.github.io' },
      /different sites/,
    ],
    [
      'another scheme is another site',
      { ...url, ALLOWED_ORIGINS: 'http://app.example.org' },
      /different sites/,
    ],
    [
      'a sibling cannot read the CSRF cookie',
      { ...url, ALLOWED_ORIGINS: 'https://app.example.org', RUSK_DIALECT: 'fastapi,django' },
      /RUSK_CSRF_DOMAIN=example\.org/,
    ],
    [
      'unless it may',
      {
        ...url,
        ALLOWED_ORIGINS: 'https://app.example.org',
        RUSK_DIALECT: 'django',
        RUSK_CSRF_DOMAIN: 'example.org',
      },
      null,
    ],
    [
      'or there is no such cookie',
      { ...url, ALLOWED_ORIGINS: 'https://app.example.org', RUSK_DIALECT: 'fastapi' },
      null,
    ],
    [
      'siblings under a country',
      { RUSK_URL: 'https://api.abc.de', ALLOWED_ORIGINS: 'https://abc.de', RUSK_CSRF_DOMAIN: 'abc.de' },
      null,
    ],
    [
      'a foreign front end with cross-site cookies',
      { ...url, ALLOWED_ORIGINS: 'https://app.example', RUSK_COOKIES_CROSS_SITE: 'true' },
      null,
    ],
    [
      'cross-site cookies for nobody',
      { ...url, ALLOWED_ORIGINS: 'https://api.example.org:444', RUSK_COOKIES_CROSS_SITE: 'true' },
      /only weakens/,
    ],
    ['names of this machine, nobody said which', { ALLOWED_ORIGINS: 'http://localhost:3000' }, null],
    [
      'Secure cookies from plain http',
      { RUSK_URL: 'http://10.0.0.1', SECURE_COOKIES: 'true' },
      /browsers drop Secure cookies/,
    ],
    ['a short grace', { RUSK_SESSION_GRACE: '2s' }, /sign an honest person out/],
    [
      'an earlier secret that is the present one',
      { RUSK_SECRET: strong, RUSK_SECRET_PREVIOUS: strong },
      /RUSK_SECRET_PREVIOUS: it is the secret in use/,
    ],
    ['an earlier secret', { RUSK_SECRET: strong, RUSK_SECRET_PREVIOUS: stronger }, null],
    ['short passwords', { RUSK_PASSWORD_MIN_LENGTH: '4' }, /guessed/],
    ['a mail account', { MAIN_EMAIL: 'a@example.com' }, /sends no mail/],
    [
      'a shared key that seals too',
      { DATABASE_URL: 'postgres://db/rusk', JWT_SECRET_KEY: strong },
      /RUSK_SECRET: JWT_SECRET_KEY also seals.*to the present JWT_SECRET_KEY, before/,
    ],
    [
      'a shared key that seals too, in production',
      { ...production, DATABASE_URL: 'postgres://db/rusk', JWT_SECRET_KEY: strong },
      /RUSK_SECRET: JWT_SECRET_KEY also seals/,
    ],
    [
      'one secret for each',
      { DATABASE_URL: 'postgres://db/rusk', JWT_SECRET_KEY: strong, RUSK_SECRET: strong },
      null,
    ],
    ['a shared key beside a key file', { JWT_SECRET_KEY: strong }, null],
    [
      'production behind a proxy that nobody trusts',
      { ...production, TRUSTED_PROXIES: '' },
      /TRUSTED_PROXIES=127\.0\.0\.1/,
    ],
    [
      'an origin without TLS in production',
      { ...production, ALLOWED_ORIGINS: 'http://auth.example.org' },
      /https origins only/,
    ],
    ['a short HSTS in production', { ...production, SECURE_HSTS_SECONDS: '3600' }, /31536000/],
  ]
  for (const [sentence, env, want] of table) {
    await t.test(sentence, () => {
      const { errors, risks } = read({ env })
      assert.deepEqual(errors, [])
      if (want) assert.match(texts(risks).join('\n'), want)
      else assert.deepEqual(texts(risks), [])
    })
  }
})

test('the bridge from an old system is a key and whom its tokens name', async t => {
  const subjects: [text: string, want: object][] = [
    ['sub=email', { claim: 'sub', field: 'email' }],
    [' user_id = number ', { claim: 'user_id', field: 'number' }],
    ['https://old.example/?a=b=id', { claim: 'https://old.example/?a=b', field: 'id' }],
    ['name=username', { claim: 'name', field: 'username' }],
  ]
  for (const [text, want] of subjects) {
    await t.test(text, () => {
      const env = { RUSK_BRIDGE_KEY: strong, RUSK_BRIDGE_SUBJECT: text }
      assert.deepEqual(settingsFrom({ env }).bridge, { key: strong, ...want })
      assert.deepEqual(read({ env }).risks, [])
    })
  }
  await t.test('a program gives it nested', () => {
    const options: Options = { bridge: { key: strong, subject: 'sub=email' } }
    assert.deepEqual(settingsFrom({ options }).bridge, { key: strong, claim: 'sub', field: 'email' })
  })
  await t.test('the key alone is refused: guessing whom a token names could let anybody in', () => {
    const { settings, errors } = read({ env: { RUSK_BRIDGE_KEY: strong } })
    assert.equal(settings, undefined)
    assert.deepEqual(texts(errors), [
      'RUSK_BRIDGE_SUBJECT: nothing says whom the tokens that bridge.key checks are about → Set RUSK_BRIDGE_SUBJECT to the claim and what it holds: sub=email, user_id=number',
    ])
  })
  await t.test('the claim alone exchanges nothing, and is told', () => {
    const { settings, risks } = read({ env: { RUSK_BRIDGE_SUBJECT: 'sub=email' } })
    assert.equal(settings?.bridge, undefined)
    assert.match(texts(risks).join('\n'), /^RUSK_BRIDGE_SUBJECT: without bridge\.key nothing is exchanged/)
  })
  await t.test('as long as it is there, production is reminded to take it out', () => {
    const env = { ...production, RUSK_BRIDGE_KEY: strong, RUSK_BRIDGE_SUBJECT: 'sub=email' }
    const { settings, errors, risks } = read({ env })
    assert.ok(settings)
    assert.deepEqual(errors, [])
    assert.deepEqual(texts(risks), [
      'RUSK_BRIDGE_KEY: whoever holds a token of the old system, or its key, can sign in → Take it out when those tokens have expired',
    ])
  })
})

test('NODE_ENV alone makes no production server, and no development server either', async t => {
  const told = [
    'RUSK_ENVIRONMENT: NODE_ENV is production, but nothing says so to Rusk, which would run in development → Set ENVIRONMENT=production, or ENVIRONMENT=development if you mean it',
  ]
  const url = 'https://auth.example.org'
  const table: [sentence: string, sources: Partial<Sources>, want: string[]][] = [
    ['in the environment', { env: { NODE_ENV: 'production' } }, told],
    ['in .env', { dotenv: { NODE_ENV: 'production' } }, told],
    ['beside a blank', { env: { NODE_ENV: 'production', ENVIRONMENT: '' } }, told],
    ['in development', { env: { NODE_ENV: 'development' } }, []],
    ['with development meant', { env: { NODE_ENV: 'production', ENVIRONMENT: 'development' } }, []],
    ['with production meant', { env: { NODE_ENV: 'production', ...production } }, []],
    [
      'with production meant by a program',
      { env: { NODE_ENV: 'production' }, options: { environment: 'production', url } },
      [],
    ],
  ]
  for (const [sentence, sources, want] of table) {
    await t.test(sentence, () => assert.deepEqual(texts(read(sources).errors), want))
  }
})

test('a CSRF cookie for a domain that Rusk is not in is refused', () => {
  const { errors } = read({ env: { RUSK_URL: 'https://api.example.org', RUSK_CSRF_DOMAIN: 'example.com' } })
  assert.deepEqual(texts(errors), [
    'RUSK_CSRF_DOMAIN: api.example.org is not within example.com, so browsers drop the cookie → Write example.org',
  ])
})

test('idle sessions cannot outlive all sessions', () => {
  const { errors } = read({ env: { RUSK_SESSION_IDLE: '2d', RUSK_SESSION_LIFETIME: '1d' } })
  assert.deepEqual(
    errors.map(error => error.about),
    ['RUSK_SESSION_IDLE'],
  )
})

test("each original's .env starts a development server as it stands", async t => {
  const table: [dialect: string, dotenv: string, pick: Look, want: unknown][] = [
    [
      'fastapi',
      'ENVIRONMENT=development\nSECURE_COOKIES=false\n',
      s => [s.environment, s.site.secureCookies, s.site.origins],
      ['development', false, undefined],
    ],
    [
      'flask',
      '# production origins\nALLOWED_ORIGINS=http://localhost:3000,http://localhost:5173\nJWT_SECRET_KEY="change-me-in-production"\n',
      s => [s.site.origins, s.jwt.key],
      [['http://localhost:3000', 'http://localhost:5173'], 'change-me-in-production'],
    ],
    [
      'django',
      'CSRF_TRUSTED_ORIGINS=http://localhost:5173\nSECURE_HSTS_SECONDS=0\nJWT_SECRET_KEY=django-insecure-0123456789abcdefghijklmnopqrstuv\nDATABASE_URL=sqlite:///db.sqlite3\n',
      s => [s.site.origins, s.site.hsts, s.database],
      [['http://localhost:5173'], 0, 'sqlite:///db.sqlite3'],
    ],
    [
      'fastapi-minimal',
      [
        'DATABASE_URL=sqlite:///./app.db',
        'JWT_KEY=dev_secret_key_change_me_123456!',
        'MAIN_EMAIL=sender@example.com',
        'MAIN_EMAIL_PASSWORD=abcd efgh ijkl mnop',
        'BACK_URL=http://127.0.0.1:8000',
        'FRONTEND_ORIGIN=http://127.0.0.1:5500',
      ].join('\n'),
      s => [s.database, s.jwt.key, s.mail, s.site.url, s.site.origins],
      [
        'sqlite:///./app.db',
        'dev_secret_key_change_me_123456!',
        { user: 'sender@example.com', password: 'abcd efgh ijkl mnop' },
        'http://127.0.0.1:8000',
        ['http://127.0.0.1:5500'],
      ],
    ],
    [
      'fastapi-production',
      [
        'JWT_SECRET_KEY=your-super-secret-jwt-key-change-this-in-production',
        'DATABASE_URL=postgresql+asyncpg://postgres:postgres@localhost:5432/auth_db',
        'ENVIRONMENT=development',
        'ALLOWED_ORIGINS=["http://localhost:3000"]',
        'SECURE_COOKIES=false',
      ].join('\r\n'),
      s => [s.database, s.site.origins, s.site.secureCookies],
      ['postgresql+asyncpg://postgres:postgres@localhost:5432/auth_db', ['http://localhost:3000'], false],
    ],
  ]
  for (const [dialect, dotenv, pick, want] of table) {
    await t.test(dialect, () => {
      assert.deepEqual(pick(settingsFrom({ flags: { dialect }, dotenv: parseEnv(dotenv) })), want)
    })
  }
})

test('files: .env, the configuration file and files of single secrets', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'rusk-config-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const write = (name: string, text: string, mode = 0o600) =>
    writeFileSync(join(folder, name), text, { mode })
  write('.env', '\uFEFFPORT=1\n')
  write('other.env', 'PORT=2\n')
  write('wrong.env', 'PORT=x\nRUSK_HOTS=x\n')
  write('rusk.json', '{"session": {"grace": "1m"}}')
  write('broken.json', '{"secret": "hush", }')
  write('key', `${strong}\n`)
  write('open-key', strong, 0o644)
  write('common-key', strong)
  const load = (places: Partial<Parameters<typeof loadSettings>[0]>) =>
    loadSettings({ env: {}, folder, dialectNames, ...places })

  await t.test('.env in the folder is read', () => assert.equal(load({}).settings?.port, 1))
  await t.test('another may be named', () => assert.equal(load({ envFile: 'other.env' }).settings?.port, 2))
  await t.test('what is said about it names it', () => {
    assert.deepEqual(
      load({ envFile: 'wrong.env' }).errors.map(error => error.about),
      ['RUSK_HOTS in wrong.env', 'PORT in wrong.env'],
    )
  })
  await t.test('or none', () => assert.equal(load({ envFile: null }).settings?.port, 8000))
  await t.test('a folder without one is fine', () => {
    assert.equal(load({ folder: join(folder, 'none') }).settings?.port, 8000)
  })
  await t.test('one that was asked for must be there', () => {
    const { settings, errors } = load({ envFile: 'absent.env', configFile: 'absent.json' })
    assert.equal(settings, undefined)
    assert.deepEqual(
      errors.map(error => error.about),
      ['--env-file', '--config'],
    )
  })
  await t.test('the configuration file is read', () => {
    assert.equal(load({ configFile: 'rusk.json' }).settings?.policy.grace, 60_000)
  })
  await t.test('one that is not JSON is refused without repeating it', () => {
    const [error] = load({ configFile: 'broken.json' }).errors
    assert.match(error?.wrong ?? '', /not JSON/)
    assert.doesNotMatch(JSON.stringify(error), /hush/)
  })
  await t.test('a secret may stand in a file', () => {
    const { settings, risks } = load({ env: { JWT_SECRET_KEY_FILE: 'key' } })
    assert.equal(settings?.jwt.key, strong)
    assert.deepEqual(risks, [])
  })
  const exposed = { skip: process.platform === 'win32' }
  await t.test('a secret that everybody may read is a risk, in production too', exposed, () => {
    for (const env of [{}, production]) {
      const { settings, risks } = load({ env: { ...env, RUSK_SECRET_FILE: 'open-key' } })
      assert.equal(settings?.secret, strong)
      assert.match(texts(risks).join(), /everybody on this machine may read open-key.*container/)
    }
  })
  await t.test('a secret that others may write is a risk, and refused in production', exposed, () => {
    for (const mode of [0o660, 0o620, 0o602, 0o666]) {
      chmodSync(join(folder, 'common-key'), mode)
      const env = { RUSK_SECRET_FILE: 'common-key' }
      const told = load({ env })
      assert.equal(told.settings?.secret, strong)
      assert.match(texts(told.risks).join(), /others on this machine may write common-key.*chmod 600/)
      const refused = load({ env: { ...production, ...env } })
      assert.equal(refused.settings, undefined)
      assert.deepEqual(
        refused.errors.map(error => error.about),
        ['RUSK_SECRET_FILE'],
      )
      assert.match(texts(refused.errors).join(), /others on this machine may write common-key/)
    }
  })
  await t.test('so are .env and the configuration file, which may hold secrets too', exposed, () => {
    for (const name of ['.env', 'rusk.json']) {
      chmodSync(join(folder, name), 0o602)
      const places = { configFile: 'rusk.json' }
      assert.match(texts(load(places).risks).join(), new RegExp(`others on this machine may write ${name}`))
      const refused = load({ ...places, env: production })
      assert.deepEqual(
        refused.errors.map(({ about }) => about),
        [name],
      )
      chmodSync(join(folder, name), 0o644)
      assert.deepEqual(load(places).risks, [])
    }
  })
  await t.test('a secret that only its group may read is fine', exposed, () => {
    chmodSync(join(folder, 'common-key'), 0o640)
    const { errors, risks } = load({ env: { ...production, RUSK_SECRET_FILE: 'common-key' } })
    assert.deepEqual([errors, risks], [[], []])
  })
  await t.test('a secret in a file and beside it is one too many', () => {
    assert.match(
      texts(load({ env: { RUSK_SECRET_FILE: 'key', RUSK_SECRET: strong } }).errors).join(),
      /RUSK_SECRET is set too/,
    )
  })
})

test('the manual has a row for each option, at most forty, none without a sentence', () => {
  const rows = optionRows()
  assert.ok(rows.length <= 40)
  for (const row of rows) {
    assert.match(row.sentence, /^[A-Z].*\.$/, row.name)
    assert.ok(row.default !== '' && row.type !== '' && row.neededBy !== '', row.name)
  }
  const variables = rows.flatMap(row => row.variables)
  assert.equal(new Set(variables).size, variables.length)
  assert.ok(variables.includes('RUSK_PASSWORD_MIN_LENGTH') && variables.includes('RUSK_COOKIES_CROSS_SITE'))
})

test('every default is written as an operator would write it', () => {
  for (const name of optionNames) {
    const text = optionOf(name).default
    if (text !== undefined)
      assert.deepEqual(settingsFrom({ flags: { [name]: text } }), settingsFrom({}), name)
  }
})
