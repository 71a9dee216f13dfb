// The small pages: signed out, refused, and an address that nobody may be sent to. Knows no operation.
import { html } from '../http/html.ts'
import type { NamedRefusal, Seen, Shown } from '../http/shown.ts'
import { at, type Stage, say } from './frame.ts'
import { readReturn } from './return-to.ts'
import { sayRefusal } from './sentences.ts'

export const showSignedOut = (stage: Stage, seen: Seen): Shown =>
  say(stage, seen, {
    title: 'You are signed out',
    body: html`<p>Nobody who uses this browser next can act in your name.</p>
<p class="actions"><a class="button" href="${at(stage, seen, '/sign-in')}">Sign in</a></p>`,
  })

/** With the status of the refusal. A fault tells its call id and nothing else. */
export const showRefused = (stage: Stage, seen: Seen, refusal: NamedRefusal): Shown =>
  say(stage, seen, {
    title: refusal.retryAfter === undefined ? 'That did not work' : 'Please wait a little',
    wrong: true,
    body: html`<p>${sayRefusal(refusal)}</p>
${
  refusal.refused === 'fault'
    ? html`<p class="quiet">If you tell somebody of it, tell this too: <code>${refusal.callId}</code></p>\n`
    : undefined
}<p class="actions"><a class="button" href="${at(stage, seen, '/account')}">Go to your account</a></p>`,
  })

/** Where a page is to lead in the end; `own`: when nobody says. */
export function returnOf(seen: Seen, own: string): string {
  const asked = seen.fields.return_to
  if (asked === undefined) return own
  const read = readReturn(asked, seen.url, seen.listed)
  // `refuseReturn` comes first.
  return 'to' in read ? read.to : own
}

/** 400 for an address that nobody is sent to: never a redirect. Undefined: it will do, or there is none. */
export function refuseReturn(stage: Stage, seen: Seen): Shown | undefined {
  const asked = seen.fields.return_to
  if (asked === undefined) return undefined
  const read = readReturn(asked, seen.url, seen.listed)
  if ('to' in read) return undefined
  return say(stage, seen, {
    title: 'You cannot be sent there',
    status: 400,
    wrong: true,
    body: html`<p>The link that brought you here wants to send you on to an address that will not do. ${read.why} So nothing was
done.</p>
<p class="quiet">If you run this service: only paths of this host and origins in the option <code>origins</code> (<code>ALLOWED_ORIGINS</code>) are led to.</p>
<p class="actions"><a class="button" href="${at(stage, seen, '/sign-in')}">Sign in without it</a></p>`,
  })
}
