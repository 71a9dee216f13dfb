// The account: who is signed in, and where. And its password, changed by somebody who knows the one before.
import type { Session, User } from '../core/model.ts'
import type { PasswordPolicy } from '../core/policy.ts'
import { readDevice } from '../device.ts'
import { type Html, html } from '../http/html.ts'
import type { NamedRefusal, Seen, Shown } from '../http/shown.ts'
import type { Done } from '../operations/contract.ts'
import { type Control, control, nothingWrong, summary, wrongsOf } from './form.ts'
import { at, frame, type Stage } from './frame.ts'
import { pictogramOf } from './pictograms.ts'
import { sayDone, sayPasswordRules } from './sentences.ts'
import { doneOf } from './who.ts'

const utc = { timeZone: 'UTC', dateStyle: 'medium' } as const
const minute = new Intl.DateTimeFormat('en-GB', { ...utc, timeStyle: 'short' })
const day = new Intl.DateTimeFormat('en-GB', utc)

/** Epoch milliseconds, in UTC for everybody; a script says it in the reader's own time. */
const time = (at: number): Html =>
  html`<time datetime="${new Date(at).toISOString()}">${minute.format(at)} UTC</time>`

/** What was just done, if the address says so in a word of the list. */
function notice(seen: Seen): Html | undefined {
  const done = doneOf(seen)
  const said = sayDone(done)
  return said === undefined
    ? undefined
    : html`<p class="notice${done === 'again' ? '' : ' good'}" role="status">${said}</p>\n`
}

/** The letter that stands for somebody; whole, whatever it is made of. */
function initialOf({ name, username, email }: User): string {
  const [first] = new Intl.Segmenter('en', { granularity: 'grapheme' }).segment(name ?? username ?? email)
  return first?.segment.toUpperCase() ?? ''
}

function person(user: User): Html {
  const { name, username, email, createdAt } = user
  const [first, ...others] = [name, username, email].filter(each => each !== null)
  return html`<section class="person" aria-label="Who you are">
<span class="initial" aria-hidden="true">${initialOf(user)}</span>
<div>
<p class="name">${first}</p>
${others.map(each => html`<p>${each}</p>\n`)}<p class="quiet">Here since <time datetime="${new Date(createdAt).toISOString()}" data-day>${day.format(createdAt)}</time></p>
</div>
</section>
`
}

function card(stage: Stage, seen: Seen, session: Session, current: Session): Html {
  const { id, userAgent, address, openedAt, lastUsedAt, idleEndsAt, endsAt } = session
  const own = id === current.id
  const { label, kind } = readDevice(userAgent)
  const row = (name: string, value: Html | string) => html`<div><dt>${name}</dt><dd>${value}</dd></div>\n`
  return html`<li class="session${own ? ' own' : ''}">
${pictogramOf(kind)}
<div>
<h3>${label}${own ? html` <span class="badge">This browser</span>` : undefined}</h3>
<dl>
${row('Last used', time(lastUsedAt))}${address === '' ? undefined : row('From', address)}${row('Signed in', time(openedAt))}${row('Ends if unused', time(Math.min(idleEndsAt, endsAt)))}</dl>
${
  own
    ? undefined
    : html`<form method="post" action="${at(stage, seen, `/account/sessions/${encodeURIComponent(id)}/end`)}"><button class="second">Sign out this one<span class="unseen">: ${label}</span></button></form>`
}
</div>
</li>
`
}

/** Own first, then as they come: the most recently used before the others. */
const ordered = ({ sessions, current }: Done['listSessions']): readonly Session[] => [
  ...sessions.filter(({ id }) => id === current.id),
  ...sessions.filter(({ id }) => id !== current.id),
]

export function showAccount(stage: Stage, seen: Seen, done: Done['listSessions']): Shown {
  const { user, current } = done
  const sessions = ordered(done)
  const others = sessions.length > 1
  return {
    html: frame(stage, seen, {
      title: 'Your account',
      wide: true,
      body: html`${notice(seen)}${person(user)}<div class="actions">
<a class="button second" href="${at(stage, seen, '/account/password')}">Change password</a>
<form method="post" action="${at(stage, seen, '/account/sign-out')}"><button>Sign out</button></form>
</div>
<section aria-labelledby="where">
<div class="heading">
<h2 id="where">Where you are signed in</h2>
${
  others
    ? html`<form method="post" action="${at(stage, seen, '/account/sessions/end-others')}"><button class="second">Sign out everywhere else</button></form>\n`
    : undefined
}</div>
<ul class="sessions">
${sessions.map(each => card(stage, seen, each, current))}</ul>
</section>`,
    }),
  }
}

const passwordControls = (policy: PasswordPolicy): readonly Control[] => [
  {
    name: 'current',
    field: 'current',
    label: 'Current password',
    kind: 'password',
    autocomplete: 'current-password',
    required: true,
  },
  {
    name: 'new',
    field: 'new',
    label: 'New password',
    kind: 'password',
    autocomplete: 'new-password',
    required: true,
    hint: sayPasswordRules(policy),
  },
]

/** For password managers, which must know whose password changes; after a refusal the form says it again. */
const forWhom = (login: string | undefined): Html | undefined =>
  login === undefined
    ? undefined
    : html`<input name="username" type="text" value="${login}" autocomplete="username" readonly hidden>\n`

export function showPassword(
  stage: Stage,
  seen: Seen,
  policy: PasswordPolicy,
  about: { readonly user?: User; readonly refusal?: NamedRefusal },
): Shown {
  const { user, refusal } = about
  const controls = passwordControls(policy)
  const wrongs = refusal ? wrongsOf(refusal, controls) : nothingWrong
  return {
    html: frame(stage, seen, {
      title: 'Change your password',
      wrong: refusal !== undefined,
      body: html`${notice(seen)}${summary(wrongs)}
<p class="lead">You stay signed in here, and are signed out everywhere else.</p>
<form method="post" action="${at(stage, seen, '/account/password')}" novalidate>
${forWhom(user ? (user.username ?? user.email) : seen.fields.username)}${controls.map(each => control(seen, each, wrongs))}<p class="actions"><button>Change password</button></p>
</form>
<p class="aside"><a href="${at(stage, seen, '/account')}">Back to your account</a></p>`,
    }),
  }
}
