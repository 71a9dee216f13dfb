// Makes what a page may know of its call out of the call. The one place that keeps passwords from what is shown.
import type { Call } from './call.ts'
import type { Jarful } from './cookies.ts'
import type { Asks } from './dialect.ts'
import { fieldNote } from './fields.ts'
import type { Seen } from './shown.ts'
import type { Site } from './site.ts'
import type { Spoken } from './way.ts'

/** What is known before anything of a call is read. */
export type Sight = {
  readonly site: Site
  readonly spoken: Spoken
  readonly call: Pick<Call, 'id' | 'path' | 'header'>
  readonly cookies: Jarful
  /** base64, of 128 random bits or more. */
  readonly nonce: string
}

/** Whatever some route of the dialect takes as one, wherever it comes: a link may carry it in its query. */
const isPassword = ({ dialect }: Spoken, wire: string): boolean =>
  Object.values<Asks>(dialect.routes).some(
    ({ takes }) => fieldNote(takes[wire] ?? '', wire).format === 'password',
  )

const shownFields = (spoken: Spoken, fields: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(
    Object.entries(fields).flatMap(([wire, value]) =>
      typeof value === 'string' && !isPassword(spoken, wire) ? [[wire, value] as const] : [],
    ),
  )

export function seeCall(
  { site, spoken, call, cookies, nonce }: Sight,
  fields: Readonly<Record<string, unknown>>,
): Seen {
  // A proxy may have taken this part of the path away.
  const above = new URL(site.url).pathname.replace(/\/$/, '')
  return {
    callId: call.id,
    nonce,
    fields: shownFields(spoken, fields),
    path: `${above}${call.path}`,
    root: `${above}${site.prefix}`,
    url: site.url,
    listed: spoken.listed,
    came: {
      access: cookies.access.length > 0,
      refresh: cookies.refresh.length > 0,
      signIn: cookies.signIn.length > 0,
    },
    from: call.header('sec-fetch-site'),
  }
}
