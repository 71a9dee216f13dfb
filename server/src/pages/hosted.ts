// The hosted pages as a dialect of their own, made from the one they stand beside: its cookies, its rules, forms in and
// pages out. Says which address does what and where it leads; what pages look like is told in the files beside.
import { readFileSync } from 'node:fs'
import type { Policy } from '../core/policy.ts'
import type { RefusalCode } from '../core/refusal.ts'
import { type Asset, type AssetFile, openAsset } from '../http/asset.ts'
import type { Dialect } from '../http/dialect.ts'
import { openLook } from '../http/look.ts'
import type { Page } from '../http/page.ts'
import { type PageDialect, type PageRoute, page, type Seen, type Shown } from '../http/shown.ts'
import { showAccount, showPassword } from './account.ts'
import type { Brand } from './brand.ts'
import { openEntering } from './enter.ts'
import { at, type Stage } from './frame.ts'
import { refuseReturn, returnOf, showRefused, showSignedOut } from './notes.ts'
import type { DoneWord } from './sentences.ts'
import { type Traits, traitsOf } from './traits.ts'
import { afterContinue, isUnknown, showUnknown, type Trying } from './who.ts'

export type Hosted = {
  readonly dialect: PageDialect
  readonly policy: Policy
  /** What the pages load. */
  readonly files: readonly Page[]
  /** Where people begin, from the root. */
  readonly start: string
}

export type Hosting = {
  readonly dialect: Dialect
  /** The dialect's with the operator's over it. */
  readonly policy: Policy
  /** What every path begins with: `''` or `/x`. */
  readonly prefix: string
  readonly brand: Brand
}

const own = (name: string, type: string): AssetFile => ({
  name,
  type,
  bytes: new Uint8Array(readFileSync(new URL(name, import.meta.url))),
})

/** The stage with what it loads, in the order in which browsers are told. */
function setStage({ brand, prefix }: Hosting, { base }: Traits): { stage: Stage; files: readonly Page[] } {
  const folder = `${prefix}${base}/pages`
  const open = (file: AssetFile): Asset => openAsset(folder, file)
  const look = openLook(folder)
  const logo = brand.logo ? open(brand.logo) : look.icon
  const script = open(own('page.js', 'text/javascript; charset=utf-8'))
  const styles = [
    look.style,
    open(own('page.css', 'text/css; charset=utf-8')),
    ...(brand.style ? [open(brand.style)] : []),
  ]
  return {
    stage: { brand, base, styles: styles.map(({ href }) => href), script: script.href, logo: logo.href },
    files: [...styles, script, logo].map(each => each.page),
  }
}

/** Everything the routes share. */
type Ground = {
  readonly stage: Stage
  readonly traits: Traits
  readonly policy: Policy
  readonly account: (seen: Seen, done?: DoneWord) => string
}

/** Sign-in and sign-up: who is known already goes on at once. */
function enteringRoutes({ stage, traits, policy, account }: Ground): PageDialect['routes'] {
  const { showSignIn, showSignUp } = openEntering(stage, traits, policy.password)
  const first = (seen: Seen) => refuseReturn(stage, seen)
  const goOn = (_done: unknown, seen: Seen): Shown => ({ goTo: returnOf(seen, account(seen)) })
  // After a sign-out the sign-in cookie stays: it promises nothing to somebody who has come to sign in.
  const unless = (show: (seen: Seen) => Shown): Trying => ({
    strict: traits.strict,
    mayContinue: ({ refresh }) => refresh,
    otherwise: show,
  })
  const ask = (summary: string, show: (seen: Seen) => Shown): PageRoute =>
    page('whoAmI', {
      summary,
      first,
      show: goOn,
      refused: ({ refused }, seen) =>
        isUnknown(refused) ? showUnknown(stage, seen, unless(show)) : undefined,
    })
  const signIn = {
    'GET /sign-in': ask('Ask for login and password.', seen => showSignIn(seen)),
    'POST /sign-in': page('signIn', {
      summary: 'Sign in.',
      takes: { login: 'login', password: 'password' },
      first,
      show: goOn,
      refused: (refusal, seen) => (ofForm.has(refusal.refused) ? showSignIn(seen, refusal) : undefined),
    }),
  } as const
  if (!traits.signUp) return signIn
  const { username, name } = traits.signUp
  return {
    ...signIn,
    'GET /sign-up': ask('Ask for what an account needs.', seen => showSignUp(seen)),
    'POST /sign-up': page('signUp', {
      summary: 'Make an account and sign in.',
      takes: {
        ...(name === 'no' ? {} : { name: 'name' }),
        email: 'email',
        ...(username === 'no' ? {} : { username: 'username' }),
        password: 'password',
      },
      requires: [
        ...(name === 'required' ? ['name' as const] : []),
        ...(username === 'required' ? ['username' as const] : []),
      ],
      first,
      show: goOn,
      refused: (refusal, seen) => (ofForm.has(refusal.refused) ? showSignUp(seen, refusal) : undefined),
    }),
  }
}

/** What a form can say above itself: whoever is told so can send it again. */
const ofForm: ReadonlySet<RefusalCode> = new Set([
  'input_invalid',
  'credentials_wrong',
  'email_taken',
  'username_taken',
  'password_weak',
  'password_wrong',
  'throttled',
  'busy',
  'cookie_conflict',
])

/** For whoever is signed in. Nobody known: a page asks who it is, an action is not done and its page says so. */
function accountRoutes({ stage, traits, policy, account }: Ground): PageDialect['routes'] {
  const signIn = (seen: Seen): Shown => {
    const to = at(stage, seen, '/sign-in')
    return {
      goTo: seen.path === account(seen) ? to : `${to}?${new URLSearchParams({ return_to: seen.path })}`,
    }
  }
  const trying: Trying = {
    strict: traits.strict,
    mayContinue: ({ refresh, signIn: named }) => refresh || named,
    otherwise: signIn,
  }
  // Cookies that contradict each other here need not do so at sign-in, which would lead back here for ever.
  const asks: PageRoute['refused'] = ({ refused }, seen) =>
    isUnknown(refused) && refused !== 'cookie_conflict' ? showUnknown(stage, seen, trying) : undefined
  const does = (done: DoneWord) => ({
    show: (_done: unknown, seen: Seen): Shown => ({ goTo: account(seen, done) }),
    refused: (({ refused }, seen) =>
      isUnknown(refused) ? { goTo: account(seen, 'again') } : undefined) satisfies PageRoute['refused'],
  })
  const password = (seen: Seen) => at(stage, seen, '/account/password')
  return {
    'GET /account': page('listSessions', {
      summary: 'Show who is signed in, and where.',
      show: (done, seen) => showAccount(stage, seen, done),
      refused: asks,
    }),
    'POST /account/sign-out': page('signOut', {
      summary: 'Sign out.',
      show: (_, seen) => ({ goTo: at(stage, seen, '/signed-out') }),
    }),
    'POST /account/sessions/:id/end': page('endSession', {
      summary: 'Sign out one of them.',
      takes: { ':id': 'id' },
      ...does('session-ended'),
    }),
    'POST /account/sessions/end-others': page('endOtherSessions', {
      summary: 'Sign out everywhere else.',
      ...does('others-ended'),
    }),
    'GET /account/password': page('whoAmI', {
      summary: 'Ask for the password as it is and as it is to be.',
      show: ({ user }, seen) => showPassword(stage, seen, policy.password, { user }),
      refused: asks,
    }),
    'POST /account/password': page('changePassword', {
      summary: 'Change the password.',
      takes: { current: 'current', new: 'new' },
      show: (_, seen) => ({ goTo: account(seen, 'password-changed') }),
      refused: (refusal, seen) => {
        if (isUnknown(refusal.refused)) return { goTo: `${password(seen)}?done=again` }
        if (!ofForm.has(refusal.refused)) return undefined
        return showPassword(stage, seen, policy.password, { refusal })
      },
    }),
  }
}

/** What a refresh is refused with where nobody is signed in. */
const ofNobody: ReadonlySet<RefusalCode> = new Set(['refresh_missing', 'refresh_invalid', 'cookie_conflict'])

/** Getting a new access token on the way, and the way out. */
function passingRoutes({ stage, traits, account }: Ground): PageDialect['routes'] {
  const goOn = (seen: Seen): Shown => ({ goTo: afterContinue(returnOf(seen, account(seen))) })
  return {
    'POST /continue': page('refresh', {
      summary: 'Get a new access token and go on.',
      first: seen => refuseReturn(stage, seen),
      show: (_, seen) => goOn(seen),
      // The page that is gone on to finds nobody, and asks.
      refused: ({ refused }, seen) => (ofNobody.has(refused) ? goOn(seen) : undefined),
    }),
    'GET /signed-out': page('health', {
      summary: 'Say that it is done.',
      // A link from elsewhere must make nobody believe it who is signed in.
      show: (_, seen) =>
        seen.came.access || seen.came.refresh
          ? { goTo: account(seen) }
          : showUnknown(stage, seen, {
              strict: traits.strict,
              mayContinue: () => false,
              otherwise: each => showSignedOut(stage, each),
            }),
    }),
  }
}

const below = (base: string, routes: PageDialect['routes']): PageDialect['routes'] =>
  Object.fromEntries(Object.entries(routes).map(([name, route]) => [name.replace(' /', ` ${base}/`), route]))

/** Reads the files that pages load. What the dialect's own routes answer stays as it is. */
export function pagesOf(hosting: Hosting): Hosted {
  const { dialect, policy, prefix } = hosting
  const traits = traitsOf(dialect)
  const { stage, files } = setStage(hosting, traits)
  const account = (seen: Seen, done?: DoneWord) =>
    `${at(stage, seen, '/account')}${done === undefined ? '' : `?done=${done}`}`
  const ground: Ground = { stage, traits, policy, account }
  const routes = { ...enteringRoutes(ground), ...accountRoutes(ground), ...passingRoutes(ground) }
  const { subject, claims, origins, keepsOrigins } = dialect
  return {
    policy,
    files,
    start: `${prefix}${traits.base}/sign-in`,
    dialect: {
      name: 'pages',
      summary: `Pages for people, beside ${dialect.name}.`,
      routes: below(traits.base, routes),
      reads: 'form',
      slash: 'exact',
      cookies: traits.cookies,
      bearer: false,
      delivery: 'cookies',
      subject,
      ...(claims ? { claims } : {}),
      policy: dialect.policy,
      origins,
      ...(keepsOrigins ? { keepsOrigins } : {}),
      refused: (refusal, seen) => showRefused(stage, seen, refusal),
    },
  }
}
