// Pages that want to know who is there, and do not know yet: a browser may have kept its cookies back, or hold one that
// gets a new access token. One step is tried at a time, each at most once: the address says which was.
import type { RefusalCode } from '../core/refusal.ts'
import { html } from '../http/html.ts'
import type { Seen, Shown } from '../http/shown.ts'
import { begunWith, carried, isNear } from './form.ts'
import { at, frame, type Stage } from './frame.ts'
import { readReturn, withField } from './return-to.ts'

const step = 'rusk_again'

const unknown: ReadonlySet<RefusalCode> = new Set([
  'not_signed_in',
  'access_malformed',
  'access_invalid',
  'access_expired',
  'access_revoked',
  'user_gone',
  'cookie_conflict',
])

/** Whether a refusal says that nobody is known, and nothing else. */
export const isUnknown = (refused: RefusalCode): boolean => unknown.has(refused)

/** What was just done, as this site's own pages say it: a link from elsewhere may say anything. */
export const doneOf = ({ from, fields }: Seen): string | undefined =>
  from === undefined || from === 'same-origin' ? fields.done : undefined

/** This page as it was asked for, but for the steps that were tried. */
function here(seen: Seen): string {
  const { path, fields } = seen
  const { [step]: _, done: __, ...others } = begunWith(seen)
  const done = doneOf(seen)
  const { return_to } = fields
  const asked = {
    ...others,
    ...(return_to === undefined ? {} : { return_to }),
    ...(done === undefined ? {} : { done }),
  }
  const query = new URLSearchParams(asked).toString()
  return query === '' ? path : `${path}?${query}`
}

/** Where to go on after the second step, whatever came of it. */
export const afterContinue = (to: string): string => withField(to, step, '2')

/** The browser asks again by itself, and now it is this site that asks: Strict cookies come (RFC 6265bis §8.8.2). */
function askAgain(stage: Stage, seen: Seen): Shown {
  const there = withField(here(seen), step, '1')
  return {
    html: frame(stage, seen, {
      title: 'One moment',
      head: html`\n<meta http-equiv="refresh" content="0;url=${there}">`,
      body: html`<p>Your browser is asked once more, this time from here.</p>
<p class="actions"><a class="button" href="${there}">Continue</a></p>`,
    }),
  }
}

/** A GET changes nothing, so that a form has to ask for a new access token; a script submits it at once. */
function offerContinue(stage: Stage, seen: Seen): Shown {
  return {
    html: frame(stage, seen, {
      title: 'One moment',
      body: html`<p>Let us see whether you are still signed in.</p>
<form method="post" action="${at(stage, seen, '/continue')}" data-at-once>
${carried('return_to', here(seen))}<p class="actions"><button>Continue</button></p>
</form>`,
    }),
  }
}

export type Trying = {
  /** A browser keeps cookies back when a link on another site leads here. */
  readonly strict: boolean
  /** Whether a new access token may be had for what came. */
  readonly mayContinue: (came: Seen['came']) => boolean
  /** When nothing is left to try. */
  readonly otherwise: (seen: Seen) => Shown
}

/**
 * What a page shows while it does not know who is there: nothing is wrong with that, so 200. Never a circle: each step goes
 * forward.
 */
export function showUnknown(stage: Stage, seen: Seen, trying: Trying): Shown {
  const shown = nextStep(stage, seen, trying)
  return 'html' in shown ? { ...shown, status: 200 } : shown
}

function nextStep(stage: Stage, seen: Seen, { strict, mayContinue, otherwise }: Trying): Shown {
  const { came, fields, from, url, listed } = seen
  const tried = fields[step]
  const bare = !came.access && !came.refresh && !came.signIn
  if (tried === undefined && strict && bare && !isNear(from)) return askAgain(stage, seen)
  const returns = 'to' in readReturn(here(seen), url, listed)
  if (tried !== '2' && returns && mayContinue(came)) return offerContinue(stage, seen)
  return otherwise(seen)
}
